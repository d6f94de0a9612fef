import { AggregatorRegistry, type MetricObject, type Registry } from 'prom-client';
import type { MetricsPage } from '../api/region-options.ts';
import type { Metrics } from './metrics.ts';

/**
 * The metrics of every process under one supervisor as one page, told apart by their labels `role` and `region`;
 * without a supervisor those of this process alone.
 */
export function mergedMetrics(
  own: Metrics,
  everybody: (() => Promise<unknown[][]>) | undefined,
): MetricsPage {
  if (!everybody) return own.registry;
  return {
    contentType: own.registry.contentType,
    async metrics() {
      const all = (await everybody()).map((families) => families.filter(isFamily));
      const merged: Registry = AggregatorRegistry.aggregate(all);
      return merged.metrics();
    },
  };
}

/** What `getMetricsAsJSON` of another process of ours made. */
function isFamily(value: unknown): value is MetricObject {
  return typeof value === 'object' && value !== null && 'name' in value && 'values' in value;
}
