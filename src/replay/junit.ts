import { XMLBuilder } from 'fast-xml-parser';
import type { FixtureVerdict } from './replay-all.ts';

/** What XML 1.0 cannot hold in any form. */
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

const seconds = (ms: number) => (ms / 1000).toFixed(3);

/** The verdicts as JUnit writes test results, the form that CI systems read. */
export function junitXml(verdicts: readonly FixtureVerdict[]): string {
  const cases = verdicts.map((verdict) => ({
    '@name': verdict.name,
    '@classname': 'replay',
    '@file': `${verdict.directory}/scenario.yaml`,
    '@time': seconds(verdict.ms),
    ...problem(verdict),
  }));
  const count = (...kinds: readonly FixtureVerdict['kind'][]) =>
    String(verdicts.filter(({ kind }) => kinds.includes(kind)).length);
  const totals = {
    '@tests': String(verdicts.length),
    '@failures': count('changed', 'unstable', 'stuck'),
    '@errors': count('failed'),
    '@time': seconds(verdicts.reduce((sum, { ms }) => sum + ms, 0)),
  };
  const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@', format: true });
  const body: string = builder.build({
    testsuites: { ...totals, testsuite: { '@name': 'trunkline replay', ...totals, testcase: cases } },
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n${body}`;
}

function problem(verdict: FixtureVerdict): Readonly<Record<string, unknown>> {
  if (!('details' in verdict)) return {};
  const { kind, details } = verdict;
  const text = details.join('\n').replace(NOT_XML, '\ufffd');
  const told = { '@type': kind, '@message': (text.split('\n')[0] ?? '').trim(), '#text': `\n${text}\n` };
  return kind === 'failed' ? { error: told } : { failure: told };
}
