import type { TwimlCode } from '../../core/error-catalogue.ts';
import type { DtmfKey } from '../../leg/port.ts';
import type { WebhookMethod } from '../../webhook/port.ts';

/** One attribute of a verb, as data: what a validator, an editor schema or a table of compatibility reads. */
export interface Attribute<V> {
  readonly kind: 'url' | 'text' | 'enum' | 'list' | 'integer' | 'boolean' | 'method' | 'keys';
  /** The value when the attribute is absent or cannot be used. */
  readonly default: V;
  /** Raised for a value that cannot be used. */
  readonly invalid: TwimlCode;
  /** Raised instead when the verb is nested in this element. */
  readonly invalidIn?: Readonly<Record<string, TwimlCode>>;
  /** Parents in which the attribute is not allowed: 12200, and ignored. */
  readonly notIn?: readonly string[];
  /** What a value looks like, for people. */
  readonly expected: string;
  /** The value, or undefined when the text cannot be used. */
  read(text: string): V | undefined;
}

export type AttributeTable = Readonly<Record<string, Attribute<unknown>>>;

/** The values a table yields. */
export type Values<T extends AttributeTable> = {
  readonly [K in keyof T]: T[K] extends Attribute<infer V> ? V : never;
};

interface Rule<V> {
  readonly default: V;
  readonly invalid: TwimlCode;
  readonly invalidIn?: Readonly<Record<string, TwimlCode>>;
  readonly notIn?: readonly string[];
}

interface Range {
  readonly min?: number;
  readonly max?: number;
}

function integerIn(text: string, { min = 0, max = Number.MAX_SAFE_INTEGER }: Range): number | undefined {
  if (!/^\s*\d{1,15}\s*$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}

function describeRange(what: string, { min = 0, max }: Range): string {
  return max === undefined ? `${what}, at least ${min}` : `${what} from ${min} to ${max}`;
}

/** A URL as written; it is resolved against the document's when it is used (11100 when it cannot be). */
function url(): Attribute<string | undefined> {
  const expected = 'an absolute or relative URL';
  return { kind: 'url', default: undefined, invalid: 11100, expected, read: (text) => text.trim() };
}

function text<V extends string | undefined>(
  rule: Rule<V>,
  pattern = /^/,
  expected = 'text',
): Attribute<string | V> {
  const read = (value: string) => (pattern.test(value) ? value : undefined);
  return { kind: 'text', ...rule, expected, read };
}

/** One of `values`. `words` are other spellings of them. */
function oneOf<const V extends string, D extends string | undefined = V>(
  values: readonly V[],
  rule: Rule<NoInfer<V> | D> & { readonly words?: Readonly<Record<string, NoInfer<V>>> },
): Attribute<V | D> {
  const { words = {}, ...rest } = rule;
  const spellings: ReadonlyMap<string, V> = new Map([
    ...values.map((value) => [value, value] as const),
    ...Object.entries(words),
  ]);
  const read = (value: string) => spellings.get(value.trim());
  return { kind: 'enum', ...rest, expected: [...spellings.keys()].join(', '), read };
}

/** Several of `values`, separated by spaces. */
function listOf<const V extends string>(
  values: readonly V[],
  rule: Rule<readonly NoInfer<V>[]>,
): Attribute<readonly V[]> {
  const read = (value: string) => {
    const words = value.split(/\s+/).filter((word) => word !== '');
    const known = values.filter((candidate) => words.includes(candidate));
    return known.length > 0 && words.every((word) => known.some((k) => k === word)) ? known : undefined;
  };
  return { kind: 'list', ...rule, expected: `a space-separated list of ${values.join(', ')}`, read };
}

function integer<V extends number | undefined>(rule: Rule<V> & Range): Attribute<number | V> {
  const { min, max, ...rest } = rule;
  const range: Range = { ...(min !== undefined && { min }), ...(max !== undefined && { max }) };
  const expected = describeRange('a whole number', range);
  return { kind: 'integer', ...rest, expected, read: (value) => integerIn(value, range) };
}

/** Whole seconds in the document, milliseconds here. `words` are values that are no numbers. */
function seconds<V extends number | undefined>(
  rule: Rule<V> & Range & { readonly words?: Readonly<Record<string, number>> },
): Attribute<number | V> {
  const { min, max, words = {}, ...rest } = rule;
  const range: Range = { ...(min !== undefined && { min }), ...(max !== undefined && { max }) };
  const named = Object.keys(words);
  const expected = [describeRange('whole seconds', range), ...named].join(', or ');
  const read = (value: string) => {
    const word = named.includes(value.trim()) ? words[value.trim()] : undefined;
    if (word !== undefined) return word;
    const whole = integerIn(value, range);
    return whole === undefined ? undefined : whole * 1000;
  };
  return { kind: 'integer', ...rest, expected, read };
}

function boolean(rule: Rule<boolean>): Attribute<boolean> {
  const read = (value: string) => {
    const word = value.trim().toLowerCase();
    return word === 'true' ? true : word === 'false' ? false : undefined;
  };
  return { kind: 'boolean', ...rule, expected: 'true or false', read };
}

function method(rule: Rule<WebhookMethod>): Attribute<WebhookMethod> {
  const read = (value: string): WebhookMethod | undefined => {
    const word = value.trim().toUpperCase();
    return word === 'GET' || word === 'POST' ? word : undefined;
  };
  return { kind: 'method', ...rule, expected: 'GET or POST', read };
}

const FINISHING: readonly DtmfKey[] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#'];

/** Keys that end something; none when empty. `most` limits how many there may be. */
function keys(rule: Rule<string> & { readonly most: number }): Attribute<readonly DtmfKey[]> {
  const { most, default: standard, ...rest } = rule;
  const pick = (value: string) => FINISHING.filter((key) => value.includes(key));
  const read = (value: string) => {
    const fits = value.length <= most && [...value].every((key) => FINISHING.some((k) => k === key));
    return fits ? pick(value) : undefined;
  };
  const expected = most === 1 ? 'one of 0-9 # *, or nothing' : 'any of 0-9 # *, or nothing';
  return { kind: 'keys', ...rest, default: pick(standard), expected, read };
}

/** The kinds of attributes there are. */
export const attr = { url, text, oneOf, listOf, integer, seconds, boolean, method, keys };
