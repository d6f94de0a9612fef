import type { TwimlCode } from '../../core/error-catalogue.ts';
import type { DtmfKey } from '../../leg/port.ts';
import type { WebhookMethod } from '../../webhook/port.ts';

/** What becomes of an element or attribute: it works; it is checked and changes nothing; it is answered with a code. */
export type Support = 'executed' | 'accepted' | 'refused';

/** Limits of a number as it is written; both ends are allowed. */
export interface Range {
  readonly min?: number;
  readonly max?: number;
}

/** One attribute of an element, as data: what a validator, an editor schema or a table of compatibility reads. */
export interface Attribute<V> {
  readonly kind: 'url' | 'text' | 'enum' | 'list' | 'integer' | 'boolean' | 'method' | 'keys';
  /** The value when the attribute is absent or cannot be used. */
  readonly default: V;
  /** Raised for a value that cannot be used. */
  readonly invalid: TwimlCode;
  /** Raised instead when the element is nested in this one. */
  readonly invalidIn?: Readonly<Record<string, TwimlCode>>;
  /** Parents in which the attribute is not allowed: 12200, and ignored. */
  readonly notIn?: readonly string[];
  /** Raised when the attribute is not there. */
  readonly required?: TwimlCode;
  readonly support: Support;
  /** What a value looks like, for people. */
  readonly expected: string;
  /** The values of an enumeration, or the words of a list. */
  readonly values?: readonly string[];
  /** Other spellings of them, and words beside a number. */
  readonly words?: readonly string[];
  readonly range?: Range;
  /** What a number counts. */
  readonly unit?: 's' | 'ms';
  readonly pattern?: RegExp;
  /** The value, or undefined when the text cannot be used. */
  read(text: string): V | undefined;
}

export type AttributeTable = Readonly<Record<string, Attribute<unknown>>>;

/** The values a table yields. */
export type Values<T extends AttributeTable> = {
  readonly [K in keyof T]: T[K] extends Attribute<infer V> ? V : never;
};

/** What holds for every kind of attribute. */
interface Terms {
  readonly invalidIn?: Readonly<Record<string, TwimlCode>>;
  readonly notIn?: readonly string[];
  readonly required?: TwimlCode;
  /** Executed unless it says otherwise. */
  readonly support?: Support;
}

interface Rule<V> extends Terms {
  readonly default: V;
  readonly invalid: TwimlCode;
}

const EXECUTED = { support: 'executed' } as const;

/** A number as a document writes it, or undefined when it is none or out of its range. */
function integerIn(text: string, { min = 0, max = Number.MAX_SAFE_INTEGER }: Range): number | undefined {
  if (!/^\s*\d{1,15}\s*$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}

function describeRange(what: string, { min = 0, max }: Range): string {
  return max === undefined ? `${what}, at least ${min}` : `${what} from ${min} to ${max}`;
}

const rangeOf = ({ min, max }: Range): Range => ({
  ...(min !== undefined && { min }),
  ...(max !== undefined && { max }),
});

/**
 * A URL as written. One without a code of its own is judged when it is used, against the document's address (11100 or
 * 15004, fatal as the dictionary has it); one with a code is judged here and falls back like any other attribute.
 */
function url(rule: Terms & { readonly invalid?: TwimlCode } = {}): Attribute<string | undefined> {
  const expected = 'an absolute or relative URL';
  const judged = rule.invalid !== undefined;
  const read = (text: string) => {
    const reference = text.trim();
    return judged && !isUrl(reference) ? undefined : reference;
  };
  return { kind: 'url', ...EXECUTED, default: undefined, invalid: 11100, ...rule, expected, read };
}

/** Whether a reference can name something that is fetched over HTTP, whatever it is relative to. */
function isUrl(reference: string): boolean {
  if (!URL.canParse(reference, 'http://document.invalid/')) return false;
  return /^https?:$/.test(new URL(reference, 'http://document.invalid/').protocol);
}

function text<V extends string | undefined>(
  rule: Rule<V>,
  pattern?: RegExp,
  expected = 'text',
): Attribute<string | V> {
  const read = (value: string) => (pattern === undefined || pattern.test(value) ? value : undefined);
  return { kind: 'text', ...EXECUTED, ...rule, expected, ...(pattern && { pattern }), read };
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
  const read = (value: string) => spellings.get(value) ?? spellings.get(value.trim());
  const expected = [...spellings.keys()].join(', ');
  return { kind: 'enum', ...EXECUTED, ...rest, expected, values, words: Object.keys(words), read };
}

/** Several of `values`, separated by spaces. */
function listOf<const V extends string>(
  values: readonly V[],
  rule: Rule<readonly NoInfer<V>[]>,
): Attribute<readonly V[]> {
  const known: ReadonlyMap<string, readonly V[]> = new Map(values.map((value) => [value, [value]]));
  const read = (value: string) => {
    const single = known.get(value);
    if (single) return single;
    const words = value.split(/\s+/).filter((word) => word !== '');
    if (words.length === 0 || !words.every((word) => known.has(word))) return undefined;
    return values.filter((candidate) => words.includes(candidate));
  };
  const expected = `a space-separated list of ${values.join(', ')}`;
  return { kind: 'list', ...EXECUTED, ...rule, expected, values, read };
}

function integer<V extends number | undefined>(
  rule: Rule<V> & Range & { readonly unit?: 's' | 'ms' },
): Attribute<number | V> {
  const { min: _, max: __, ...rest } = rule;
  const range = rangeOf(rule);
  const expected = describeRange(rule.unit === 'ms' ? 'whole milliseconds' : 'a whole number', range);
  return { kind: 'integer', ...EXECUTED, ...rest, expected, range, read: (value) => integerIn(value, range) };
}

/** Whole seconds in the document, milliseconds here. `words` are values that are no numbers. */
function seconds<V extends number | undefined>(
  rule: Rule<V> & Range & { readonly words?: Readonly<Record<string, number>> },
): Attribute<number | V> {
  const { min: _, max: __, words = {}, ...rest } = rule;
  const range = rangeOf(rule);
  const named = Object.keys(words);
  const expected = [describeRange('whole seconds', range), ...named].join(', or ');
  const read = (value: string) => {
    const whole = integerIn(value, range);
    if (whole !== undefined) return whole * 1000;
    return named.includes(value.trim()) ? words[value.trim()] : undefined;
  };
  return { kind: 'integer', ...EXECUTED, ...rest, expected, range, unit: 's', words: named, read };
}

function boolean<V extends boolean | undefined>(rule: Rule<V>): Attribute<boolean | V> {
  const read = (value: string) => {
    const word = value.trim().toLowerCase();
    return word === 'true' ? true : word === 'false' ? false : undefined;
  };
  return { kind: 'boolean', ...EXECUTED, ...rule, expected: 'true or false', read };
}

function method(rule: Rule<WebhookMethod>): Attribute<WebhookMethod> {
  const read = (value: string): WebhookMethod | undefined => {
    const word = value.trim().toUpperCase();
    return word === 'GET' || word === 'POST' ? word : undefined;
  };
  return { kind: 'method', ...EXECUTED, ...rule, expected: 'GET or POST', read };
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
  return { kind: 'keys', ...EXECUTED, ...rest, default: pick(standard), expected, read };
}

/** The kinds of attributes there are. */
export const attr = { url, text, oneOf, listOf, integer, seconds, boolean, method, keys };
