import type { Diagnostic } from '../../core/diagnostic.ts';
import { diagnose } from '../../core/error-catalogue.ts';
import type { CallScopeOf } from './scope.ts';

/** Why a call is ended whose documents follow each other and let the caller hear nothing. */
export function tooManyDocuments({ baseUrl, world }: CallScopeOf): Diagnostic {
  const message =
    `${world.choices.silentDocuments} documents followed each other without the caller hearing anything; ` +
    'this looks like a redirect loop, so the call was ended. Let one of them say, play or gather something.';
  return diagnose(11215, message, { url: baseUrl });
}
