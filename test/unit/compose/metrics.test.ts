import { expect, it } from 'vitest';
import { createMetrics } from '../../../src/compose/metrics.ts';

it('counts what a process sees, in seconds, labelled with its role and Region', async () => {
  const metrics = createMetrics({ role: 'worker', region: 'ie1' });
  metrics.callReceived('dublin');
  metrics.callAnswered();
  metrics.callEnded('completed');
  metrics.callEnded('completed');
  metrics.liveCalls(() => 3);
  metrics.queueWaited(7);
  metrics.webhookAnswered(120);
  metrics.webhookFailed(11200);
  metrics.sipMalformed();
  metrics.mediaLegs(async () => 2);
  metrics.recordingStored();
  metrics.recordingFailed();
  const text = await metrics.registry.metrics();
  for (const line of [
    'trunkline_calls_received_total{edge="dublin",role="worker",region="ie1"} 1',
    'trunkline_calls_answered_total{role="worker",region="ie1"} 1',
    'trunkline_calls_ended_total{status="completed",role="worker",region="ie1"} 2',
    'trunkline_live_calls{role="worker",region="ie1"} 3',
    'trunkline_queue_wait_seconds_sum{role="worker",region="ie1"} 0.007',
    'trunkline_queue_wait_seconds_bucket{le="0.01",role="worker",region="ie1"} 1',
    'trunkline_webhook_seconds_sum{role="worker",region="ie1"} 0.12',
    'trunkline_webhook_failures_total{code="11200",role="worker",region="ie1"} 1',
    'trunkline_sip_malformed_total{role="worker",region="ie1"} 1',
    'trunkline_media_legs{role="worker",region="ie1"} 2',
    'trunkline_recordings_stored_total{role="worker",region="ie1"} 1',
    'trunkline_recordings_failed_total{role="worker",region="ie1"} 1',
  ]) {
    expect(text).toContain(line);
  }
  expect(text).toContain('process_cpu_user_seconds_total');
});

it('keeps a registry per process, so that two in one process do not collide', async () => {
  const first = createMetrics({ role: 'edge' });
  const second = createMetrics({ role: 'edge' });
  first.callAnswered();
  expect(await second.registry.metrics()).not.toContain('trunkline_calls_answered_total{role="edge"} 1');
});

it("says how late the event loop was under prom-client's names, each of them once, without the time between looks", async () => {
  const { registry } = createMetrics({ role: 'edge' });
  const text = await registry.metrics();
  for (const value of ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99']) {
    const name = `nodejs_eventloop_lag_${value}_seconds`;
    expect(text.split('\n').filter((line) => line.startsWith(name))).toEqual([`${name}{role="edge"} 0`]);
  }
});
