import type { Diagnostic } from '../../core/diagnostic.ts';
import { diagnose, type TwimlCode } from '../../core/error-catalogue.ts';
import type { TwimlElement } from '../document/element.ts';
import type { CallScope } from './call-scope.ts';

/**
 * What the customer is told when something runs that is not available here. It is told then and not when the document
 * is read: there is nothing wrong with the document.
 *
 * @param what says what happened and how the call goes on
 */
export function unavailable(
  code: TwimlCode,
  { name, position: { line, column } }: TwimlElement,
  call: Pick<CallScope, 'baseUrl'>,
  what: string,
): Diagnostic {
  const message = `line ${line}, column ${column}: ${what}`;
  return diagnose(code, message, { url: call.baseUrl, line, column, actual: name });
}

/** Of what will be executed one day. */
export function notYet(element: TwimlElement, call: Pick<CallScope, 'baseUrl'>): Diagnostic {
  const what = `<${element.name}> is not available here yet; the call continues with the next verb.`;
  return unavailable(13750, element, call, what);
}
