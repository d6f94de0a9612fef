import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';

/**
 * Our choice. prom-client looks every 10 ms, which keeps each process of an idle installation from sleeping: together
 * as much of a processor as five calls a second.
 */
const LOOK_MS = 100;

/** For prom-client's own: as good as never. @see https://nodejs.org/api/timers.html, the longest delay */
export const NEVER_MS = 2 ** 31 - 1;

/** What prom-client calls them, and what dashboards made for Node.js ask for. */
const VALUES = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'] as const;
const nameOf = (value: string) => `nodejs_eventloop_lag_${value}_seconds`;

/**
 * Puts the delay of the event loop since the last scrape in the place of prom-client's figures: under the same names,
 * in seconds, but without the time between two looks, which is no delay.
 */
export function measureEventLoopDelay(registry: Registry): void {
  const histogram = monitorEventLoopDelay({ resolution: LOOK_MS });
  histogram.enable();
  const seconds = (ns: number) => (histogram.count === 0 ? 0 : Math.max(0, ns / 1e9 - LOOK_MS / 1_000));
  const read = {
    min: () => seconds(histogram.min),
    max: () => seconds(histogram.max),
    mean: () => seconds(histogram.mean),
    stddev: () => (histogram.count === 0 ? 0 : histogram.stddev / 1e9),
    p50: () => seconds(histogram.percentile(50)),
    p90: () => seconds(histogram.percentile(90)),
    p99: () => seconds(histogram.percentile(99)),
  };
  for (const value of VALUES) {
    registry.removeSingleMetric(nameOf(value));
    new Gauge({
      name: nameOf(value),
      help: `Delay of the event loop since the last scrape, ${value}.`,
      registers: [registry],
      aggregator: value === 'min' || value === 'max' ? value : 'average',
      collect() {
        this.set(read[value]());
        if (value === VALUES.at(-1)) histogram.reset();
      },
    });
  }
}
