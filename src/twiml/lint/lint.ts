import { type Diagnostic, docsOf } from '../../core/diagnostic.ts';
import { isRegionId } from '../../region/region.ts';
import { isElement, type TwimlElement } from '../document/element.ts';
import { parseDocument } from '../document/parse.ts';
import { textGiven } from '../document/text-given.ts';
import { readVerbs } from '../verbs/registry.ts';
import { elementsIn, isTemplate } from './element-text.ts';
import type { LintDiagnostic, LintOptions } from './lint-diagnostic.ts';
import type { LintedDocument, Report } from './rule.ts';
import { rules } from './rules.ts';
import { urlsIn } from './written-urls.ts';

/** The base domain of an installation that has not been given another. */
const STANDARD_DOMAIN = 'trunkline.localhost';

/**
 * Everything that is wrong with a TwiML document or worth knowing about it, in document order: what makes it unusable
 * as a whole (then nothing else), what a live call would report about its verbs and attributes, and what bites people
 * beyond the grammar. Asks nobody and reads nothing but its arguments.
 *
 * @throws RangeError for a Region that does not exist, TypeError for a document that is no text
 */
export function lint(text: string, options: LintOptions = {}): readonly LintDiagnostic[] {
  const { url = '', region } = options;
  textGiven(text);
  if (region !== undefined && !isRegionId(region)) throw new RangeError(`"${region}" is no Region`);
  const parsed = parseDocument(text, url);
  if (!parsed.ok) return [placed(parsed.diagnostic)];
  const read = readVerbs(parsed.root, url);
  const found = [...parsed.diagnostics, ...read.diagnostics].filter(({ actual = '' }) => !isTemplate(actual));
  return [...found.map(placed), ...beyondGrammar(text, parsed.root, options)].sort(byPosition);
}

function beyondGrammar(text: string, root: TwimlElement, options: LintOptions): readonly LintDiagnostic[] {
  const { url, inline = false, region, domain = STANDARD_DOMAIN } = options;
  const known = !inline && url !== undefined && URL.canParse(url);
  const elements = elementsIn(root);
  const document: LintedDocument = {
    text,
    root,
    verbs: root.children.filter(isElement),
    elements,
    urls: urlsIn(elements),
    url: known ? url : undefined,
    inline,
    region: region !== undefined && isRegionId(region) ? region : undefined,
    domain,
  };
  const found: LintDiagnostic[] = [];
  for (const rule of rules) {
    const report: Report = ({ line, column }, { message, code, level = rule.level, actual, expected }) => {
      found.push({
        code: code ?? rule.id,
        level,
        message,
        ...(url !== undefined && { url }),
        line,
        column,
        ...(actual !== undefined && { actual }),
        ...(expected !== undefined && { expected }),
        docs: code === undefined ? rule.docs : docsOf(code),
      });
    };
    rule.check(document, report);
  }
  return found;
}

/** A diagnostic of a call as one of a document: its place is told beside its message, not in it. */
function placed({ url, notHere, ...found }: Diagnostic): LintDiagnostic {
  const { line = 1, column = 1 } = found;
  const message = found.message.replace(/^line \d+, column \d+: /, '');
  const level = notHere ? 'note' : found.level;
  return { ...found, level, message, line, column, ...(url && { url }) };
}

function byPosition(a: LintDiagnostic, b: LintDiagnostic): number {
  return a.line - b.line || a.column - b.column;
}
