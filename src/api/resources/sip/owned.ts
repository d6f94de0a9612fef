import type { Request } from 'express';
import type { KeptRecord, Records } from '../../../config/records/port.ts';
import { accountOf } from '../../account-of.ts';
import { missing } from '../../api-error.ts';
import type { RegionOptions } from '../../region-options.ts';

/** The record that a path parameter names, when the account has it in this Region. @throws ApiError 404 */
export async function ownedBy<T extends KeptRecord & { readonly accountSid: string }>(
  options: RegionOptions,
  req: Request,
  records: Pick<Records<T>, 'fetch'>,
  parameter: string,
): Promise<T> {
  const found = await records.fetch(String(req.params[parameter]));
  if (found?.accountSid === accountOf(req)) return found;
  throw absent(options, req);
}

/** What the path names is not here, or no longer. */
export function absent({ region }: RegionOptions, req: Request): Error {
  return missing(req.originalUrl.split('?')[0] ?? '', region.id);
}
