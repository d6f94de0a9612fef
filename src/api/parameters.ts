import type { Request } from 'express';
import type { HttpMethod } from '../config/port.ts';
import { invalid } from './api-error.ts';

/**
 * The parameters of one request, from its query or its form. Names are Twilio's (`VoiceUrl`); of a parameter
 * that takes one value the last one given counts.
 */
export class Parameters {
  readonly #values: URLSearchParams;

  constructor(encoded: string) {
    this.#values = new URLSearchParams(encoded);
  }

  /** As given, possibly empty; undefined when absent. */
  text(name: string): string | undefined {
    return this.#values.getAll(name).at(-1);
  }

  /** Undefined when absent or empty: an empty filter filters nothing. */
  filled(name: string): string | undefined {
    return this.text(name) || undefined;
  }

  /** Every value of a parameter that may be repeated; a client may also send them as one, separated by spaces. */
  list(name: string): readonly string[] {
    return this.#values.getAll(name).flatMap((value) => value.split(/\s+/).filter((word) => word !== ''));
  }

  /** A whole number between two limits. @throws ApiError with `code` */
  integer(
    name: string,
    code: number,
    { min, max }: { readonly min: number; readonly max: number },
  ): number | undefined {
    const value = this.filled(name);
    if (value === undefined) return undefined;
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw invalid(code, `${name} is '${value}'; it must be a whole number from ${min} to ${max}.`);
  }

  /** An absolute http or https URL, or empty to clear it. @throws ApiError with `code` */
  url(name: string, code: number): string | undefined {
    const value = this.text(name)?.trim();
    if (!value) return value;
    const parsed = URL.canParse(value) ? new URL(value) : undefined;
    if (!parsed || !/^https?:$/.test(parsed.protocol) || /\s/.test(value)) {
      throw invalid(code, `${name} is not a valid URL: '${value}'. Give an absolute http or https URL.`);
    }
    return value;
  }

  /** A URL that is called back; its host holds no underscore. @throws ApiError with `code` */
  callback(name: string, code: number): string | undefined {
    const value = this.url(name, code);
    if (!value || !new URL(value).hostname.includes('_')) return value;
    throw invalid(code, `${name} is not a valid URL: '${value}'. A host name holds no underscore.`);
  }

  /** GET or POST in any case. @throws ApiError with `code` */
  method(name: string, code: number): HttpMethod | undefined {
    const value = this.filled(name);
    if (value === undefined) return undefined;
    const upper = value.toUpperCase();
    if (upper === 'GET' || upper === 'POST') return upper;
    throw invalid(code, `${name} is '${value}'; it must be GET or POST.`);
  }

  boolean(name: string): boolean | undefined {
    const value = this.filled(name);
    if (value === undefined) return undefined;
    if (/^(true|false)$/i.test(value)) return value.toLowerCase() === 'true';
    throw invalid(20001, `${name} is '${value}'; it must be true or false.`);
  }

  /** One of `allowed`. */
  oneOf<T extends string>(name: string, allowed: readonly T[]): T | undefined {
    const value = this.filled(name);
    if (value === undefined) return undefined;
    const found = allowed.find((one) => one === value);
    if (found) return found;
    throw invalid(20001, `${name} is '${value}'; it must be one of ${allowed.join(', ')}.`);
  }

  /** The query of another page of the same list: everything that was asked, with some values replaced. */
  withChanges(changes: Readonly<Record<string, string | undefined>>): string {
    const copy = new URLSearchParams(this.#values);
    for (const [name, value] of Object.entries(changes)) {
      copy.delete(name);
      if (value !== undefined) copy.set(name, value);
    }
    return copy.toString();
  }
}

export function queryOf(req: Request): Parameters {
  const start = req.url.indexOf('?');
  return new Parameters(start < 0 ? '' : req.url.slice(start + 1));
}

/** The form of a POST. The body parser left its text, or nothing when there was no body. */
export function formOf(req: Request): Parameters {
  const body: unknown = req.body;
  if (typeof body !== 'string') {
    if (req.is('application/x-www-form-urlencoded') === false) {
      const found = req.headers['content-type'] ?? 'none';
      throw invalid(20001, `Content-Type is ${found}; send application/x-www-form-urlencoded.`);
    }
    return new Parameters('');
  }
  try {
    decodeURIComponent(body);
  } catch {
    throw invalid(20001, 'The form is not valid: a % is not followed by two digits that encode UTF-8.');
  }
  return new Parameters(body);
}
