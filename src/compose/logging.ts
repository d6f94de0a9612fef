import pino, { type DestinationStream } from 'pino';
import type { Logger } from '../core/logger.ts';
import type { EdgeId } from '../region/edge.ts';
import type { RegionId } from '../region/region.ts';

export interface LoggerOptions {
  /** The role of this process: `edge`, `worker`, `region`, `front`. */
  readonly role: string;
  readonly region?: RegionId;
  readonly edge?: EdgeId;
  /** `debug`, `info`, `warn`, `error` or `silent`. */
  readonly level: string;
  /** Where the lines go; standard output unless a test reads them. */
  readonly destination?: DestinationStream;
}

/**
 * Logs as JSON lines: `level` in words, `time` in ISO 8601, then `role`, `region` and `edge` of the process. An
 * error is given as `error` or `err` and written with its message, stack and cause.
 */
export function createLogger({ role, region, edge, level, destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: { pid: process.pid, role, ...(region ? { region } : {}), ...(edge ? { edge } : {}) },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: pino.stdSerializers.err, error: pino.stdSerializers.err },
  };
  // Synchronous: the last lines before a crash are the ones that matter.
  return pino(options, destination ?? pino.destination({ fd: 1, sync: true }));
}
