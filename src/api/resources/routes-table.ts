import type { Request } from 'express';
import { TooManyRouteChanges } from '../../routing/port.ts';
import { ApiError } from '../api-error.ts';
import type { RegionOptions } from '../region-options.ts';

/**
 * What was asked of the global tables. When they cannot be read or written, or hold something damaged, the answer is
 * 503 and never a guess.
 *
 * @throws ApiError 429 with `Retry-After` when the installation changes more routes than it may, 503
 */
export async function fromTable<T>(
  { logger, region }: RegionOptions,
  req: Request,
  answer: Promise<T>,
): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiError) throw error;
    if (error instanceof TooManyRouteChanges) {
      const seconds = Math.max(1, Math.ceil(error.retryAfterMs / 1_000));
      const message = `Too many requests: ${error.message}, of all Regions together. Try again in ${seconds} s.`;
      throw new ApiError(429, 20429, message, { 'Retry-After': String(seconds) });
    }
    logger.error(
      { err: error, region: region.id, method: req.method, path: req.path },
      'the route table failed',
    );
    const message =
      'The route table cannot be used at the moment. Read the route to see what it says, and try again.';
    throw new ApiError(503, 20503, message, { 'Retry-After': '1' });
  }
}
