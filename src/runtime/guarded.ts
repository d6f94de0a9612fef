import { failure } from '../core/diagnostic.ts';
import type { Logger } from '../core/logger.ts';
import type { CallEnd } from '../twiml/interpreter/world.ts';
import type { CallLedger } from './call-ledger.ts';

/**
 * Whatever goes wrong on our side ends a call with a reason instead of losing it: a programming error, or stores that
 * cannot be read. Loud, and the call is marked failed (DESIGN §5.6).
 */
export async function guarded(
  run: () => Promise<CallEnd>,
  ledger: CallLedger,
  log: Logger,
): Promise<CallEnd> {
  try {
    return await run();
  } catch (error) {
    log.error({ error }, 'the execution of a call failed');
    ledger.report(
      failure(12400, 'Trunkline failed while it executed this call: see the log for the CallSid'),
    );
    return { status: 'failed', cause: `internal error: ${error instanceof Error ? error.message : error}` };
  }
}
