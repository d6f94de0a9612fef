import fc from 'fast-check';
import type { ElementSpec } from '../../../src/twiml/grammar/element-spec.ts';
import { grammar } from '../../../src/twiml/grammar/grammar.ts';

/** The pieces that parsers stumble over. */
const PIECES = [
  '<',
  '>',
  '/>',
  '</',
  '"',
  "'",
  '=',
  '&',
  '&amp;',
  '&#0;',
  '&#x1F600;',
  '&nbsp;',
  '<!--',
  '-->',
  '<![CDATA[',
  ']]>',
  '<?x ?>',
  '<!DOCTYPE r>',
  '\u0000',
  '\uD800',
  '\uFEFF',
  '\u2028',
  '\r',
  '\u{10000}',
  '<Response>',
  '</Response>',
] as const;

/** Values that mean something to one attribute or another, and some that mean nothing to any. */
const VALUES = [
  '',
  ' ',
  '0',
  '1',
  '-1',
  '1.5',
  '999999999999999999999',
  'true',
  'false',
  'dtmf speech',
  'speech',
  '/next?a=1&amp;b=2',
  'http://app.test/other#rc=5&amp;rp=all',
  'https://app.test:99999/',
  'ftp://app.test/',
  'http://',
  'next.xml',
  '?',
  '#',
  '*#0',
  'wwww1',
  '+15005550009',
  'sip:a@b.example;transport=tls?X-A=1',
  'sip:a@office.sip.test',
  `AP${'a'.repeat(32)}`,
  'completed answered ringing initiated',
  'record-from-answer-dual',
  'en-GB',
  'Polly.Amy',
  '__proto__',
  'constructor',
  '\u{1F600}',
  '&#x202E;',
  'a'.repeat(5_000),
  ' '.repeat(5_000),
  '1 '.repeat(500),
  '{{url}}',
] as const;

const names = [
  ...new Set([...grammar.values()].map(({ name }) => name)),
  'Sya',
  'x',
  '__proto__',
  'toString',
];
const written = [...grammar.values()].flatMap(({ attributes }: ElementSpec) =>
  Object.entries(attributes).map(([name, { values = [] }]) => ({ name, values })),
);

const element = fc.constantFrom(...names);
const text = fc.oneof(
  fc.constantFrom<string>(...VALUES, ...PIECES),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
);
const attribute = fc
  .constantFrom(...written)
  .chain(({ name, values }) =>
    fc.tuple(fc.constant(name), fc.oneof(fc.constantFrom<string>(...VALUES, ...values), text)),
  );

/** Where, in ten-thousandths of whatever there is. */
const place = fc.nat(9_999);

/** One change of a document. */
type Mutation =
  | { readonly kind: 'characters'; readonly at: number; readonly remove: number; readonly insert: string }
  | { readonly kind: 'attribute'; readonly at: number; readonly written: readonly [string, string] }
  | { readonly kind: 'insert'; readonly at: number; readonly name: string; readonly text: string }
  | { readonly kind: 'nest'; readonly at: number; readonly name: string; readonly levels: number }
  | { readonly kind: 'repeat'; readonly at: number; readonly times: number }
  | { readonly kind: 'splice'; readonly at: number; readonly from: string; readonly of: number }
  | { readonly kind: 'move'; readonly at: number; readonly to: number }
  | { readonly kind: 'remove'; readonly at: number }
  | { readonly kind: 'rename'; readonly at: number; readonly name: string };

function mutation(corpus: readonly string[]): fc.Arbitrary<Mutation> {
  const of = <K extends Mutation['kind']>(kind: K) => fc.constant(kind);
  return fc.oneof(
    fc.record({ kind: of('characters'), at: place, remove: fc.nat(4), insert: text }),
    { weight: 4, arbitrary: fc.record({ kind: of('attribute'), at: place, written: attribute }) },
    { weight: 3, arbitrary: fc.record({ kind: of('insert'), at: place, name: element, text }) },
    fc.record({
      kind: of('nest'),
      at: place,
      name: element,
      levels: fc.constantFrom(1, 2, 3, 98, 120, 4_000),
    }),
    fc.record({ kind: of('repeat'), at: place, times: fc.constantFrom(2, 3, 10, 100, 1_000, 10_000) }),
    {
      weight: 3,
      arbitrary: fc.record({ kind: of('splice'), at: place, from: fc.constantFrom(...corpus), of: place }),
    },
    fc.record({ kind: of('move'), at: place, to: place }),
    fc.record({ kind: of('remove'), at: place }),
    fc.record({ kind: of('rename'), at: place, name: element }),
  );
}

/** Documents of the corpus, changed here and there; most of them can still be read. */
export function mutated(corpus: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...corpus), fc.array(mutation(corpus), { maxLength: 6 }))
    .map(([document, mutations]) => mutations.reduce(change, document));
}

/** Beyond what a document may have: longer ones are refused before anything is read. */
const LONGEST = 70_000;

function change(document: string, wanted: Mutation): string {
  const at = (length: number) => Math.floor((wanted.at / 10_000) * length);
  if (wanted.kind === 'characters') {
    const from = at(document.length);
    return document.slice(0, from) + wanted.insert + document.slice(from + wanted.remove);
  }
  const tokens = document.match(TOKEN) ?? [];
  const elements = elementsOf(tokens);
  const [first, last] = elements[at(elements.length)] ?? [0, tokens.length];
  const put = (from: number, to: number, ...parts: readonly string[]) =>
    [...tokens.slice(0, from), ...parts, ...tokens.slice(to)].join('');
  const whole = tokens.slice(first, last).join('');
  const start = tokens[first] ?? '';
  switch (wanted.kind) {
    case 'attribute': {
      const [name, value] = wanted.written;
      const quoted = ` ${name}="${value.replaceAll('"', '&quot;')}"`;
      const present = new RegExp(` ${name}="[^"]*"`);
      // A function: what is put in has dollar signs of its own.
      const changed = present.test(start)
        ? start.replace(present, () => quoted)
        : start.replace(/\s*\/?>$/, (end) => quoted + end);
      return put(first, first + 1, changed);
    }
    case 'insert':
      return put(first + 1, first + 1, `<${wanted.name}>${wanted.text}</${wanted.name}>`);
    case 'nest': {
      const levels = Math.min(wanted.levels, Math.floor(LONGEST / (2 * wanted.name.length + 5)));
      return put(first, last, `<${wanted.name}>`.repeat(levels), whole, `</${wanted.name}>`.repeat(levels));
    }
    case 'repeat':
      return put(first, last, whole.repeat(Math.min(wanted.times, Math.ceil(LONGEST / (whole.length + 1)))));
    case 'splice': {
      const others = wanted.from.match(TOKEN) ?? [];
      const pieces = elementsOf(others);
      const [from, to] = pieces[Math.floor((wanted.of / 10_000) * pieces.length)] ?? [0, 0];
      return put(last, last, ...others.slice(from, to));
    }
    case 'move': {
      const rest = [...tokens.slice(0, first), ...tokens.slice(last)];
      const to = Math.floor((wanted.to / 10_000) * rest.length);
      return [...rest.slice(0, to), whole, ...rest.slice(to)].join('');
    }
    case 'remove':
      return put(first, last);
    case 'rename': {
      const rename = (tag: string) => tag.replace(/^(<\/?)[^\s/>]+/, (_, open) => open + wanted.name);
      if (last - first < 2) return put(first, last, rename(start));
      return put(
        first,
        last,
        rename(start),
        ...tokens.slice(first + 1, last - 1),
        rename(tokens[last - 1] ?? ''),
      );
    }
  }
}

/** Comments, CDATA sections and tags as one piece each, and the text between them. */
const TOKEN = /<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<[^<>]*>|[^<]+|</g;

/** From where to where the elements in a document reach, but the first one: as far as they are closed. */
function elementsOf(tokens: readonly string[]): readonly (readonly [number, number])[] {
  const found: (readonly [number, number])[] = [];
  const open: number[] = [];
  for (const [index, token] of tokens.entries()) {
    if (!/^<[^!?]/.test(token)) continue;
    if (token.endsWith('/>')) found.push([index, index + 1]);
    else if (!token.startsWith('</')) open.push(index);
    else {
      const begun = open.pop();
      if (begun !== undefined && open.length > 0) found.push([begun, index + 1]);
    }
  }
  return found;
}
