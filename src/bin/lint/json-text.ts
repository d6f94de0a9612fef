import { type LintReport, summaryOf } from './lint-report.ts';

/** For programs: the diagnostics of every document as the library returns them, and how many of each level. */
export function jsonText(report: LintReport): string {
  const documents = report.documents.map(({ name, diagnostics }) => ({ name, diagnostics }));
  return `${JSON.stringify({ documents, unreadable: report.unreadable, summary: summaryOf(report) }, null, 2)}\n`;
}
