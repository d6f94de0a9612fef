import type { LintDiagnostic } from '../../twiml/lint/lint-diagnostic.ts';
import type { LintReport } from './lint-report.ts';

/** @see https://docs.github.com/en/actions/writing-workflows/choosing-what-your-workflow-does/workflow-commands-for-github-actions */
const COMMANDS: Readonly<Record<LintDiagnostic['level'], string>> = {
  error: 'error',
  warning: 'warning',
  note: 'notice',
};

/** Workflow commands: annotations at the lines of a pull request. */
export function githubText({ documents, unreadable }: LintReport): string {
  const found = documents.flatMap(({ name, diagnostics }) =>
    diagnostics.map(({ level, line, column, code, message, docs }) => {
      const properties = { file: name, line: `${line}`, col: `${column}`, title: `TwiML ${code}` };
      return `::${COMMANDS[level]} ${written(properties)}::${escapeData(`${message} ${docs}`)}\n`;
    }),
  );
  const lost = unreadable.map(({ name, why }) => `::error ${written({ file: name })}::${escapeData(why)}\n`);
  return [...found, ...lost].join('');
}

const written = (properties: Readonly<Record<string, string>>) =>
  Object.entries(properties)
    .map(([name, value]) => `${name}=${escapeProperty(value)}`)
    .join(',');

/** The characters that end or divide a command; as GitHub's own toolkit writes them. */
function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
