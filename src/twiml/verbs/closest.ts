/** The known name a misspelt one most likely stands for: same letters in another case, or one or two edits away. */
export function closest(name: string, known: readonly string[]): string | undefined {
  if (name.length > LONGEST) return undefined;
  const answers = remembered(known);
  if (answers.has(name)) return answers.get(name);
  if (answers.size >= MOST_REMEMBERED) answers.clear();
  const found = search(name, known);
  answers.set(Buffer.from(name).toString(), found); // a copy: a slice would keep its whole document
  return found;
}

/** No name that there is comes near one of this length. */
const LONGEST = 60;

/** Our choice: a document misspells the same few names again and again. */
const MOST_REMEMBERED = 100;

const memory = new WeakMap<readonly string[], Map<string, string | undefined>>();

function remembered(known: readonly string[]): Map<string, string | undefined> {
  const answers = memory.get(known) ?? new Map<string, string | undefined>();
  memory.set(known, answers);
  return answers;
}

function search(name: string, known: readonly string[]): string | undefined {
  const folded = name.toLowerCase();
  const exact = known.find((candidate) => candidate.toLowerCase() === folded);
  if (exact) return exact;
  const allowed = name.length <= 4 ? 1 : 2;
  let best: string | undefined;
  let bestDistance = allowed + 1;
  for (const candidate of known) {
    const distance = editDistance(folded, candidate.toLowerCase(), allowed);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Levenshtein distance, or `most` + 1 when it is larger than `most`. */
function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return Math.min(row[b.length] ?? 0, most + 1);
}
