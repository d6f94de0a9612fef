import type { Diagnostic } from '../../core/diagnostic.ts';

/** `note`: right as it stands, and worth knowing. */
export type LintLevel = Diagnostic['level'] | 'note';

/**
 * What is wrong with a document, or worth knowing about it: a diagnostic that always has a place. The message says
 * what was found, what was expected and what to do.
 */
export interface LintDiagnostic extends Omit<Diagnostic, 'code' | 'level' | 'line' | 'column' | 'notHere'> {
  /** Twilio's where it has one, else the name of our rule, such as `unreachable-verb`. */
  readonly code: number | string;
  readonly level: LintLevel;
  /** 1-based; 1:1 where the whole document is meant. */
  readonly line: number;
  /** 1-based, in UTF-16 units, of the attribute, element or text concerned. */
  readonly column: number;
}

/** What is known about the document beside its text. */
export interface LintOptions {
  /** Where it is served: the base of its relative URLs, and its name in diagnostics. */
  readonly url?: string;
  /** It is handed over as text, in the `Twiml` parameter of the API: it has no address, ever. */
  readonly inline?: boolean;
  /** The Region that will execute it: `us1`, `ie1` or `au1`. */
  readonly region?: string;
  /** The installation's base domain (default `trunkline.localhost`); `twilio.com` is understood in its place. */
  readonly domain?: string;
}
