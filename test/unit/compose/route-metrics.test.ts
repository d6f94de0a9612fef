import { expect, it } from 'vitest';
import { createMetrics } from '../../../src/compose/metrics.ts';

it('counts look-ups of routes by kind and outcome, and the age of what calls went by', async () => {
  const metrics = createMetrics({ role: 'edge' });
  metrics.routeLookedUp({ kind: 'phone-number', outcome: 'read', ageMs: 0 });
  metrics.routeLookedUp({ kind: 'phone-number', outcome: 'cached', ageMs: 4_500 });
  metrics.routeLookedUp({ kind: 'sip-domain', outcome: 'failed', ageMs: null });
  const page = await metrics.registry.metrics();
  expect(page).toContain('trunkline_route_lookups_total{kind="phone-number",outcome="cached",role="edge"} 1');
  expect(page).toContain('trunkline_route_lookups_total{kind="sip-domain",outcome="failed",role="edge"} 1');
  expect(page).toContain('trunkline_route_age_seconds_bucket{le="4",role="edge"} 1');
  expect(page).toContain('trunkline_route_age_seconds_bucket{le="5",role="edge"} 2');
  expect(page).toContain('trunkline_route_age_seconds_count{role="edge"} 2');
});
