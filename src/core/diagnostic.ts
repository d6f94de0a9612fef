/**
 * What Trunkline tells a customer about their application: data, collected and shown, never thrown.
 * `code` is Twilio's, see https://www.twilio.com/docs/api/errors
 */
export interface Diagnostic {
  readonly code: number;
  readonly level: 'error' | 'warning';
  /** One sentence: what was found, what was expected, what to do. */
  readonly message: string;
  /** The document or request concerned. */
  readonly url?: string;
  /** 1-based position in the document. */
  readonly line?: number;
  readonly column?: number;
  readonly actual?: string;
  readonly expected?: string;
  /** The document is right; what it asks for cannot be had here. Said of documents, not of calls. */
  readonly notHere?: true;
  readonly docs: string;
}

/** Where a code is explained. */
export function docsOf(code: number): string {
  return `https://www.twilio.com/docs/api/errors/${code}`;
}

type Details = Omit<Diagnostic, 'code' | 'level' | 'message' | 'docs'>;

export function warning(code: number, message: string, details: Details = {}): Diagnostic {
  return { code, level: 'warning', message, ...details, docs: docsOf(code) };
}

export function failure(code: number, message: string, details: Details = {}): Diagnostic {
  return { code, level: 'error', message, ...details, docs: docsOf(code) };
}
