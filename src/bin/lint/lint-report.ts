import type { LintDiagnostic } from '../../twiml/lint/lint-diagnostic.ts';

/** What a run of the linter found. */
export interface LintReport {
  readonly documents: readonly {
    /** As it was asked for: a path, a URL, or `stdin`. */
    readonly name: string;
    readonly text: string;
    readonly diagnostics: readonly LintDiagnostic[];
  }[];
  readonly unreadable: readonly { readonly name: string; readonly why: string }[];
}

export interface LintSummary {
  readonly documents: number;
  readonly unreadable: number;
  readonly errors: number;
  readonly warnings: number;
  readonly notes: number;
}

export function summaryOf({ documents, unreadable }: LintReport): LintSummary {
  const all = documents.flatMap(({ diagnostics }) => diagnostics);
  const count = (wanted: LintDiagnostic['level']) => all.filter(({ level }) => level === wanted).length;
  return {
    documents: documents.length,
    unreadable: unreadable.length,
    errors: count('error'),
    warnings: count('warning'),
    notes: count('note'),
  };
}
