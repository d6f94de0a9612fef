import { invalid } from '../api-error.ts';
import type { Parameters } from '../parameters.ts';
import type { RegionOptions } from '../region-options.ts';
import { applicationOf } from './applications.ts';

/**
 * What a form says of the application that answers a number: undefined says nothing, null that there is none. Its SID
 * must be one of this account in this Region.
 *
 * @see https://www.twilio.com/docs/api/errors/21420
 * @throws ApiError 21420
 */
export async function voiceApplication(
  options: RegionOptions,
  accountSid: string,
  form: Parameters,
): Promise<string | null | undefined> {
  const sid = form.text('VoiceApplicationSid');
  if (sid === undefined || sid === '') return sid === '' ? null : undefined;
  if (await applicationOf(options, accountSid, sid)) return sid;
  throw invalid(
    21420,
    `VoiceApplicationSid ${sid} is not accessible: ${options.region.id} has no such application of this account.`,
  );
}
