/** How many lines of a difference are shown; a golden file that changed altogether needs no more. */
const MOST_LINES = 60;
/** Lines around a change that stayed the same. */
const CONTEXT = 2;
/** Pairs of lines that are compared to find the shortest difference; beyond, everything between counts as changed. */
const MOST_PAIRS = 4_000_000;

interface Line {
  /** `~`: an event of the same kind, in which some fields changed. */
  readonly sign: ' ' | '-' | '+' | '~';
  /** Its number, from 1, in the text that it is in; in what was found when it is in both. */
  readonly number: number;
  readonly text: string;
  /** Of `~`: the fields and how they changed, a line each. */
  readonly fields?: readonly string[];
}

/**
 * What changed: `-` expected, `+` found, `~` found with fields that changed; each with its line number and the lines
 * around it. Undefined when the texts are the same.
 */
export function differences(expected: string, found: string): readonly string[] | undefined {
  if (expected === found) return undefined;
  const lines = paired(compared(linesOf(expected), linesOf(found)));
  const near = lines.map((_, i) =>
    lines.slice(Math.max(0, i - CONTEXT), i + CONTEXT + 1).some(({ sign }) => sign !== ' '),
  );
  const shown: string[] = [];
  for (const [i, { sign, number, text, fields = [] }] of lines.entries()) {
    if (!near[i]) continue;
    if (i > 0 && !near[i - 1] && shown.length > 0) shown.push('  ⋮');
    shown.push(`${sign} ${String(number).padStart(4)} ${text}`);
    shown.push(...fields.map((field) => `       ${field}`));
  }
  if (shown.length <= MOST_LINES) return shown;
  return [...shown.slice(0, MOST_LINES), `  … and ${shown.length - MOST_LINES} more lines`];
}

/** A text that ends with a line break has no empty line after it. */
function linesOf(text: string): readonly string[] {
  const lines = text.split('\n');
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

/** Lines with events in place of others of the same kind are shown as one event whose fields changed. */
function paired(lines: readonly Line[]): readonly Line[] {
  const result: Line[] = [];
  for (let i = 0; i < lines.length; ) {
    const gone = signed(lines, i, '-');
    const come = signed(lines, i + gone.length, '+');
    const fields = gone.map(({ text }, index) => fieldsThatDiffer(text, come[index]?.text ?? ''));
    if (gone.length > 0 && gone.length === come.length && fields.every((found) => found !== undefined)) {
      for (const [index, line] of come.entries()) {
        result.push({ ...line, sign: '~', fields: fields[index] ?? [] });
      }
      i += gone.length + come.length;
    } else {
      const line = lines[i++];
      if (line) result.push(line);
    }
  }
  return result;
}

/** The lines with this sign from there on. */
function signed(lines: readonly Line[], from: number, sign: Line['sign']): readonly Line[] {
  let end = from;
  while (lines[end]?.sign === sign) end++;
  return lines.slice(from, end);
}

/** Of two events of the same kind: what of them is not the same; undefined when they are none. */
function fieldsThatDiffer(before: string, after: string): readonly string[] | undefined {
  const [one, other] = [objectOf(before), objectOf(after)];
  if (!one || !other || one['type'] !== other['type']) return undefined;
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return names
    .map((name) => [name, JSON.stringify(one[name]), JSON.stringify(other[name])] as const)
    .filter(([, was, is]) => was !== is)
    .map(([name, was = 'absent', is = 'absent']) => `${name}: ${was} → ${is}`);
}

function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function compared(before: readonly string[], after: readonly string[]): readonly Line[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  while (
    end < Math.min(before.length, after.length) - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  ) {
    end++;
  }
  const same = (text: string, index: number): Line => ({ sign: ' ', number: index + 1, text });
  const middle = changed(
    before.slice(start, before.length - end),
    after.slice(start, after.length - end),
    start,
  );
  const tail = after.length - end;
  return [
    ...after.slice(0, start).map(same),
    ...middle,
    ...after.slice(tail).map((text, index) => same(text, tail + index)),
  ];
}

function changed(before: readonly string[], after: readonly string[], offset: number): readonly Line[] {
  const common = before.length * after.length <= MOST_PAIRS ? commonLengths(before, after) : [];
  const lines: Line[] = [];
  let i = 0;
  let j = 0;
  const push = (sign: Line['sign'], index: number, text: string | undefined) =>
    lines.push({ sign, number: offset + index + 1, text: text ?? '' });
  while (i < before.length || j < after.length) {
    if (common.length > 0 && i < before.length && j < after.length && before[i] === after[j]) {
      push(' ', j, after[j]);
      i++;
      j++;
    } else if (j >= after.length || (i < before.length && at(common, i + 1, j) >= at(common, i, j + 1))) {
      push('-', i, before[i]);
      i++;
    } else {
      push('+', j, after[j]);
      j++;
    }
  }
  return lines;
}

/** Lengths of the longest common subsequence of every pair of suffixes. */
function commonLengths(before: readonly string[], after: readonly string[]): readonly Uint32Array[] {
  const table = Array.from({ length: before.length + 1 }, () => new Uint32Array(after.length + 1));
  for (let i = before.length - 1; i >= 0; i--) {
    const row = table[i];
    for (let j = after.length - 1; row && j >= 0; j--) {
      row[j] =
        before[i] === after[j]
          ? at(table, i + 1, j + 1) + 1
          : Math.max(at(table, i + 1, j), at(table, i, j + 1));
    }
  }
  return table;
}

const at = (table: readonly Uint32Array[], i: number, j: number) => table[i]?.[j] ?? 0;
