import { titleOf } from '../../core/error-catalogue.ts';
import type { Attribute, Support } from '../verbs/attributes.ts';
import type { ElementSpec } from './element-spec.ts';
import { grammar } from './grammar.ts';

/** What becomes of an attribute: of one on a refused element, nothing. */
export function supportOf({ support }: ElementSpec, attribute: Attribute<unknown>): Support {
  return support === 'refused' ? 'refused' : attribute.support;
}

/** The whole grammar as a table in Markdown: what is executed, accepted and refused, with defaults and codes. */
export function compatibilityTable(): string {
  const elements = [...grammar.values()].toSorted((a, b) => order(a.key, b.key));
  return [INTRODUCTION, summary(elements), ...elements.map(section), ''].join('\n\n').replace(/\n+$/, '\n');
}

const INTRODUCTION = `# TwiML compatibility

Made from the data that documents are read with (\`src/twiml/grammar\`, \`src/twiml/verbs\`); do not edit it by hand.

* **executed**: it does what Twilio documents.
* **accepted**: it is checked, and changes nothing.
* **refused**: it is checked; when it runs, the code is reported and the call goes on.

A value that cannot be used raises its code and the default is used. Everything that the grammar does not have is 12200.`;

function order(a: string, b: string): number {
  const folded = a.toLowerCase().localeCompare(b.toLowerCase(), 'en');
  return folded === 0 ? a.localeCompare(b, 'en') : folded;
}

function summary(elements: readonly ElementSpec[]): string {
  const count = (support: Support) => {
    const own = elements.filter((spec) => spec.support === support).length;
    const attributes = elements.flatMap((spec) =>
      Object.values(spec.attributes).filter((attribute) => supportOf(spec, attribute) === support),
    ).length;
    return `| ${support} | ${own} | ${attributes} |`;
  };
  const rows = [count('executed'), count('accepted'), count('refused')];
  return ['| | elements | attributes |', '|---|---|---|', ...rows].join('\n');
}

function section(spec: ElementSpec): string {
  const { key, docs, support, refusal, children, invalidChild, text } = spec;
  const fate = refusal === undefined ? support : `${support} with ${refusal} (${titleOf(refusal)})`;
  const facts = [`**${fate}** · [documentation](${docs})`];
  if (children.length > 0)
    facts.push(`Takes ${children.map(tag).join(', ')}; anything else is ${invalidChild}.`);
  if (text)
    facts.push(`Text: ${text.expected}${text.required === undefined ? '' : `; none is ${text.required}`}.`);
  return [`## ${tag(key)}`, facts.join('  \n'), table(spec)].filter((part) => part !== '').join('\n\n');
}

/** `Stop>Stream` as `<Stop><Stream>`. */
function tag(key: string): string {
  return `\`${key
    .split('>')
    .map((name) => `<${name}>`)
    .join('')}\``;
}

function table(spec: ElementSpec): string {
  const rows = Object.entries(spec.attributes).map(([name, attribute]) => row(name, attribute, spec));
  if (rows.length === 0) return '';
  return ['| attribute | | value | default | wrong |', '|---|---|---|---|---|', ...rows].join('\n');
}

function row(name: string, attribute: Attribute<unknown>, spec: ElementSpec): string {
  const { expected, invalid, invalidIn = {}, required, notIn = [] } = attribute;
  const codes = [
    `${invalid}`,
    ...Object.entries(invalidIn).map(([parent, code]) => `${code} in ${tag(parent)}`),
  ];
  if (required !== undefined) codes.push(`${required} when missing`);
  for (const parent of notIn) codes.push(`12200 in ${tag(parent)}`);
  const cells = [`\`${name}\``, supportOf(spec, attribute), expected, standard(attribute), codes.join(', ')];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

/** The default as a document would write it. */
function standard({ default: value, unit, words = [] }: Attribute<unknown>): string {
  if (value === undefined || value === '' || value === Number.POSITIVE_INFINITY) return '';
  if (Array.isArray(value)) return value.join(words.length === 0 && value.every(isKey) ? '' : ' ');
  if (typeof value === 'number' && unit === 's') return `${value / 1000}`;
  return String(value);
}

const isKey = (value: unknown) => typeof value === 'string' && value.length === 1;
