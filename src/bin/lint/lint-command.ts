import type { Readable } from 'node:stream';
import type { RegionId } from '../../region/region.ts';
import { lint } from '../../twiml/lint/lint.ts';
import type { LintDiagnostic } from '../../twiml/lint/lint-diagnostic.ts';
import type { WebhookMethod } from '../../webhook/port.ts';
import { githubText } from './github-text.ts';
import { readInputs } from './inputs.ts';
import { jsonText } from './json-text.ts';
import { type LintReport, summaryOf } from './lint-report.ts';
import { plain, reportText } from './report-text.ts';
import { sarifText } from './sarif-text.ts';

export interface LintCommandOptions {
  readonly format: 'text' | 'json' | 'sarif' | 'github';
  readonly region?: RegionId;
  readonly url?: string;
  readonly inline: boolean;
  readonly method: WebhookMethod;
  readonly domain: string;
}

export interface LintIo {
  readonly stdin: Readable;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  /** Whether stdout shows colours. */
  readonly color: boolean;
}

/**
 * `trunkline lint`: prints what is wrong with the documents of its inputs.
 *
 * @returns the exit code: 0 nothing or notes only, 1 warnings, 2 errors, 3 something could not be read
 */
export async function lintCommand(
  inputs: readonly string[],
  options: LintCommandOptions,
  io: LintIo,
): Promise<number> {
  const report: {
    documents: LintReport['documents'][number][];
    unreadable: LintReport['unreadable'][number][];
  } = {
    documents: [],
    unreadable: [],
  };
  for await (const input of readInputs(inputs, { stdin: io.stdin, method: options.method })) {
    if ('why' in input) {
      io.stderr.write(`error: ${plain(input.name)}: ${plain(input.why)}\n`);
      report.unreadable.push(input);
    } else {
      const { name, text, fault, sent = [] } = input;
      const diagnostics = fault ?? [...sent, ...judge(text, input.url, options)];
      report.documents.push({ name, text, diagnostics });
    }
  }
  io.stdout.write(FORMATS[options.format](report, io.color));
  return exitCode(report);
}

function judge(
  text: string,
  served: string | undefined,
  { url: given, region, inline, domain }: LintCommandOptions,
): readonly LintDiagnostic[] {
  const url = served ?? given;
  return lint(text, {
    domain,
    inline: inline && served === undefined,
    ...(url !== undefined && { url }),
    ...(region !== undefined && { region }),
  });
}

const FORMATS: Readonly<
  Record<LintCommandOptions['format'], (report: LintReport, color: boolean) => string>
> = {
  text: reportText,
  json: jsonText,
  sarif: sarifText,
  github: githubText,
};

function exitCode(report: LintReport): number {
  const { unreadable, errors, warnings } = summaryOf(report);
  if (unreadable > 0) return 3;
  return errors > 0 ? 2 : warnings > 0 ? 1 : 0;
}
