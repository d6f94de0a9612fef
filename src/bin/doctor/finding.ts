import type { EdgeId } from '../../region/edge.ts';
import type { RegionId } from '../../region/region.ts';

/** What the doctor says about one thing. Every text is a sentence for people; no secret is in any of them. */
export interface Finding {
  /** What was asked about, as it was understood. */
  readonly subject: string;
  readonly kind: 'rest-host' | 'sip' | 'number' | 'credential' | 'place' | 'unknown';
  /** Where packets enter or leave; null when that is not decided here. */
  readonly edge: { readonly id: EdgeId | null; readonly why: string };
  /** Where it is processed; null when that is not decided here. */
  readonly region: { readonly id: RegionId | null; readonly why: string };
  /** What is wrong, and what to do. */
  readonly problems: readonly string[];
  readonly notes: readonly string[];
}

const KINDS: Readonly<Record<Finding['kind'], string>> = {
  'rest-host': 'a host of the REST API',
  sip: 'a SIP address',
  number: 'a phone number',
  credential: 'a credential of the REST API',
  place: 'a name of a place',
  unknown: 'nothing that has an edge or a Region',
};

/** For a terminal: a heading and one line for each thing to be said. */
export function findingText({ subject, kind, edge, region, problems, notes }: Finding): string {
  const lines: [string, string][] = [
    ['edge', `${edge.id ?? 'none'}: ${edge.why}`],
    ['region', `${region.id ?? 'none'}: ${region.why}`],
    ...problems.map((text): [string, string] => ['wrong', text]),
    ...notes.map((text): [string, string] => ['note', text]),
  ];
  if (problems.length === 0) lines.push(['ok', 'nothing wrong was found']);
  const body = lines.map(([name, text]) => `  ${name.padEnd(6)}  ${printable(text)}\n`).join('');
  return `${printable(subject)}: ${KINDS[kind]}\n${body}`;
}

export function findingJson(finding: Finding): string {
  return `${JSON.stringify({ ok: finding.problems.length === 0, ...finding }, null, 2)}\n`;
}

/** Texts of others, a Region's answer for example, must not steer the terminal. */
function printable(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, ' ');
}
