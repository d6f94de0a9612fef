import { isAbsolute, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { knownTitle } from '../../core/error-catalogue.ts';
import type { LintDiagnostic } from '../../twiml/lint/lint-diagnostic.ts';
import { rules } from '../../twiml/lint/rules.ts';
import type { LintReport } from './lint-report.ts';

const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json';

/**
 * SARIF 2.1.0, for code scanning and editors.
 *
 * @see https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 */
export function sarifText({ documents, unreadable }: LintReport): string {
  const all = documents.flatMap(({ diagnostics }) => diagnostics);
  const ids = [...new Set(all.map(({ code }) => `${code}`))];
  const run = {
    tool: { driver: { name: 'Trunkline', rules: ids.map((id) => descriptor(id, all)) } },
    columnKind: 'utf16CodeUnits',
    invocations: [
      {
        executionSuccessful: unreadable.length === 0,
        toolExecutionNotifications: unreadable.map(({ name, why }) => ({
          level: 'error',
          message: { text: why },
          locations: [{ physicalLocation: { artifactLocation: { uri: uriOf(name) } } }],
        })),
      },
    ],
    results: documents.flatMap(({ name, diagnostics }) =>
      diagnostics.map((found) => result(name, found, ids.indexOf(`${found.code}`))),
    ),
  };
  return `${JSON.stringify({ $schema: SCHEMA, version: '2.1.0', runs: [run] }, null, 2)}\n`;
}

/** §3.49 */
function descriptor(id: string, all: readonly LintDiagnostic[]) {
  const example = all.find(({ code }) => `${code}` === id);
  const title = knownTitle(Number(id)) ?? rules.find((rule) => rule.id === id)?.title;
  return {
    id,
    ...(title !== undefined && { shortDescription: { text: title } }),
    ...(example && { helpUri: example.docs }),
  };
}

/** §3.27 */
function result(name: string, { code, level, message, line, column }: LintDiagnostic, ruleIndex: number) {
  return {
    ruleId: `${code}`,
    ruleIndex,
    level,
    message: { text: message },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(name) },
          region: { startLine: line, startColumn: column },
        },
      },
    ],
  };
}

/** A path as a URI reference, relative where it is: §3.4.3 */
function uriOf(name: string): string {
  if (/^https?:\/\//i.test(name)) return name;
  if (isAbsolute(name)) return pathToFileURL(name).href;
  return name.split(sep).map(encodeURIComponent).join('/');
}
