import { styleText } from 'node:util';
import { codeFrame } from '../../twiml/document/code-frame.ts';
import type { LintDiagnostic } from '../../twiml/lint/lint-diagnostic.ts';
import { type LintReport, summaryOf } from './lint-report.ts';

type Style = Parameters<typeof styleText>[0];
type Paint = (style: Style, text: string) => string;

const LEVEL: Readonly<Record<LintDiagnostic['level'], Style>> = {
  error: ['bold', 'red'],
  warning: ['bold', 'yellow'],
  note: ['bold', 'cyan'],
};

/** For people: `file:line:column level code message`, the line concerned, what was found, where it is explained. */
export function reportText(report: LintReport, color: boolean): string {
  const paint: Paint = color
    ? (style, text) => styleText(style, text, { validateStream: false })
    : (_, text) => text;
  const findings = report.documents.flatMap(({ name, text, diagnostics }) =>
    diagnostics.map((found) => findingText(name, text, found, paint)),
  );
  return [...findings, `${summaryText(report)}\n`].join('\n');
}

function findingText(name: string, text: string, found: LintDiagnostic, paint: Paint): string {
  const { line, column, level, code, message, actual, expected, docs } = found;
  const place = paint('bold', `${plain(name)}:${line}:${column}`);
  const lines = [`${place} ${paint(LEVEL[level], level)} ${code} ${plain(message)}`];
  const frame = codeFrame(text, line, column);
  if (frame) {
    const gutter = ' '.repeat(`${line}`.length);
    lines.push(`  ${paint('dim', `${line} |`)} ${plain(frame.line)}`);
    lines.push(`  ${paint('dim', `${gutter} |`)} ${frame.indent}${paint(LEVEL[level], frame.carets)}`);
  }
  if (actual !== undefined) lines.push(`  found:    ${plain(actual) || '""'}`);
  if (expected !== undefined) lines.push(`  expected: ${plain(expected)}`);
  lines.push(`  ${paint('dim', docs)}\n`);
  return lines.join('\n');
}

/** What a document brings along must not reach a terminal as control characters. */
export function plain(text: string): string {
  return text.replaceAll(/[\x00-\x08\x0a-\x1f\x7f-\x9f]/g, '�');
}

/** The last line: `3 documents: 1 error, 2 warnings, 1 note; 1 could not be read`. */
function summaryText(report: LintReport): string {
  const { documents, unreadable, errors, warnings, notes } = summaryOf(report);
  if (documents === 0) return `${unreadable} could not be read`;
  const many = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;
  const counts = (
    [
      [errors, 'error'],
      [warnings, 'warning'],
      [notes, 'note'],
    ] as const
  ).flatMap(([count, what]) => (count > 0 ? [many(count, what)] : []));
  const found = counts.length > 0 ? counts.join(', ') : 'nothing to report';
  return `${many(documents, 'document')}: ${found}${unreadable > 0 ? `; ${unreadable} could not be read` : ''}`;
}
