import { readFileSync } from 'node:fs';

const ACCOUNT_TYPES = new URL('../../../../node_modules/twilio/lib/rest/api/v2010/account/', import.meta.url);

/** What the official client says it is answered: field by type, as its declarations write both. */
export interface Payload {
  readonly fields: ReadonlyMap<string, string>;
  /** The texts that a named type allows, where it names texts. */
  readonly values: ReadonlyMap<string, readonly string[]>;
}

/** Reads the declaration of what one resource's answers hold: `application` for `…/account/application.d.ts`. */
export function payloadOf(file: string): Payload {
  const source = readFileSync(new URL(`${file}.d.ts`, ACCOUNT_TYPES), 'utf8');
  const [, body] = /^interface \w+Resource \{\n(.*?)^\}/ms.exec(source) ?? [];
  if (body === undefined) throw new Error(`${file}.d.ts declares no Resource`);
  const fields = [...body.matchAll(/^ +(\w+): (.+);$/gm)].map(
    ([, name = '', type = '']) => [name, type] as const,
  );
  const values = [...source.matchAll(/^export type (\w+) = ((?:"[^"]*"(?: \| )?)+);$/gm)].map(
    ([, name = '', texts = '']) =>
      [name, [...texts.matchAll(/"([^"]*)"/g)].map(([, text = '']) => text)] as const,
  );
  return { fields: new Map(fields), values: new Map(values) };
}

/** Never null where they are declared: without them a resource cannot be told from others. */
const ALWAYS: ReadonlySet<string> = new Set(['sid', 'account_sid', 'uri', 'date_created', 'date_updated']);

const RFC_2822 = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000$/;

/**
 * What is wrong with an answer, one line for each field that is missing or of another type.
 *
 * @param without fields that this answer does not have by design
 */
export function faultsOf(answer: object, payload: Payload, without: readonly string[] = []): string[] {
  const found = new Map<string, unknown>(Object.entries(answer));
  return [...payload.fields].flatMap(([name, type]) => {
    if (without.includes(name)) return found.has(name) ? [`${name} is there`] : [];
    if (!found.has(name)) return [`${name} is missing`];
    const value = found.get(name);
    if (value === null) return ALWAYS.has(name) ? [`${name} is null`] : [];
    return fits(value, type, payload) ? [] : [`${name} is ${JSON.stringify(value)}, not ${type}`];
  });
}

function fits(value: unknown, type: string, { values }: Payload): boolean {
  const texts = values.get(type);
  if (texts) return typeof value === 'string' && texts.includes(value);
  switch (type) {
    case 'any':
      return true;
    case 'Date':
      return typeof value === 'string' && RFC_2822.test(value);
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === type;
    default: // records and the client's own objects
      return typeof value === 'object';
  }
}
