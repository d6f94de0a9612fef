/** How many lines of a difference are shown; a golden file that changed altogether needs no more. */
const MOST_LINES = 60;

/** The lines that differ, `-` expected and `+` found, or undefined when the texts are the same. */
export function differences(expected: string, found: string): readonly string[] | undefined {
  if (expected === found) return undefined;
  const before = expected.split('\n');
  const after = found.split('\n');
  const common = commonLengths(before, after);
  const changes: string[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      i++;
      j++;
    } else if (j >= after.length || (i < before.length && at(common, i + 1, j) >= at(common, i, j + 1))) {
      changes.push(`- ${before[i++]}`);
    } else {
      changes.push(`+ ${after[j++]}`);
    }
  }
  if (changes.length <= MOST_LINES) return changes;
  return [...changes.slice(0, MOST_LINES), `  … and ${changes.length - MOST_LINES} more lines`];
}

/** Lengths of the longest common subsequence of every pair of suffixes. */
function commonLengths(before: readonly string[], after: readonly string[]): readonly number[][] {
  const table = Array.from({ length: before.length + 1 }, () => new Array<number>(after.length + 1).fill(0));
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

const at = (table: readonly number[][], i: number, j: number) => table[i]?.[j] ?? 0;
