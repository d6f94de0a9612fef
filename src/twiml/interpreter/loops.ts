import type { Diagnostic } from '../../core/diagnostic.ts';
import { diagnose } from '../../core/error-catalogue.ts';

/**
 * Our choice: documents that may follow each other without the caller hearing or waiting for anything. It ends
 * redirect loops; loops that play or gather go on for as long as the caller stays.
 */
export const MOST_SILENT_DOCUMENTS = 100;

/** Why a call that exceeds it is ended. */
export function tooManyDocuments(url: string): Diagnostic {
  const message =
    `${MOST_SILENT_DOCUMENTS} documents followed each other without the caller hearing anything; ` +
    'this looks like a redirect loop, so the call was ended. Let one of them say, play or gather something.';
  return diagnose(11215, message, { url });
}
