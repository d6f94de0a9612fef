import type { Credentials } from '../../sip/digest/digest.ts';
import { isToken } from '../../sip/message/grammar.ts';
import { reasonPhrase } from '../../sip/message/reason-phrases.ts';
import { UnusableArgument } from '../phone/arguments.ts';
import type { Action } from '../phone/script.ts';

/** What becomes of calls: everything on the command line checked. */
export interface AnswerPlan {
  /** The host may be a name. */
  readonly at: { readonly host: string; readonly port: number };
  readonly transports: readonly ('udp' | 'tcp')[];
  /** How long it rings. */
  readonly ringMs: number;
  /** Audio and actions begin while it rings. */
  readonly early: boolean;
  /** Refuses with it, once it has rung. */
  readonly status: number | undefined;
  readonly actions: readonly Action[];
  /** Where to save what was heard. */
  readonly hear: string | undefined;
  /** Callers must know them. */
  readonly credentials: Credentials | undefined;
  /** Of every response with something to say. */
  readonly headers: Readonly<Record<string, string>>;
  readonly maxMs: number;
  /** How many calls; then the command ends. */
  readonly calls: number;
}

export function readStatus(text: string): number {
  const status = /^\d{3}$/.test(text) ? Number(text) : 0;
  if (status >= 300 && status <= 699) return status;
  throw new UnusableArgument(
    `"${text}" refuses no call: expected a SIP status from 300 to 699, such as 486 (${reasonPhrase(486)})`,
  );
}

export function readTransport(text: string): 'udp' | 'tcp' {
  if (text === 'udp' || text === 'tcp') return text;
  throw new UnusableArgument(`"${text}" is not a transport: expected udp or tcp`);
}

export function readCount(text: string): number {
  const count = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (count > 0) return count;
  throw new UnusableArgument(`"${text}" is not a number of calls: expected 1 or more`);
}

/** `X-Name=value`, added to the ones before it. */
export function readHeader(text: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const [, name = '', value = ''] = /^([^=:]*)[=:]\s*(.*)$/s.exec(text) ?? [];
  if (!isToken(name) || /[\r\n\0]/.test(value)) {
    throw new UnusableArgument(
      `${JSON.stringify(text)} is not a header: expected a name and a value such as X-Desk=7`,
    );
  }
  if (/^(via|v|from|f|to|t|call-id|i|cseq|content-length|l|content-type|c)$/i.test(name)) {
    throw new UnusableArgument(
      `the header ${name} belongs to the call itself: expected another such as X-Desk=7`,
    );
  }
  return { ...before, [name]: value };
}

/** Both or none. */
export function readCredentials(
  user: string | undefined,
  password: string | undefined,
): Credentials | undefined {
  if (user === undefined && password === undefined) return undefined;
  if (user === undefined || password === undefined || user === '') {
    const missing = user ? '--password' : '--user';
    throw new UnusableArgument(`callers are asked for a user and a password: give ${missing}, too`);
  }
  return { username: user, password };
}
