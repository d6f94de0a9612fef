/**
 * The phrases that can be expected: those whose words all have a pronunciation, in lower case. A class token such as
 * `$OOV_CLASS_DIGIT_SEQUENCE` is none.
 */
export function knownPhrases(hints: readonly string[], words: ReadonlySet<string>): readonly string[] {
  const phrases = hints.map((hint) =>
    hint
      .toLowerCase()
      .split(/[^a-z']+/)
      .filter((word) => word !== '')
      .join(' '),
  );
  const known = phrases.filter(
    (phrase, i) =>
      phrase !== '' && !hints[i]?.includes('$') && phrase.split(' ').every((word) => words.has(word)),
  );
  return [...new Set(known)];
}

/**
 * A grammar of one or several of the phrases.
 * @see https://www.w3.org/TR/2000/NOTE-jsgf-20000605/
 */
export function grammarOf(phrases: readonly string[]): string {
  return `#JSGF V1.0;\ngrammar hints;\npublic <said> = ( ${phrases.join(' | ')} )+ ;\n`;
}

/** `word begin end probability`, as `-time yes` prints them behind each hypothesis. */
const WORD = /^(\S+) \d+\.\d+ \d+\.\d+ (\d\.\d+)$/;

/** Reads what `pocketsphinx_continuous -time yes` prints: for each stretch between pauses its words, then their times. */
export class HypothesisReader {
  readonly #onText: (text: string) => void;
  readonly #texts: string[] = [];
  #sum = 0;
  #words = 0;

  /** `onText` is told what has been understood so far. */
  constructor(onText: (text: string) => void) {
    this.#onText = onText;
  }

  line(line: string): void {
    const word = WORD.exec(line);
    if (word) return this.#word(word[1] ?? '', Number(word[2]));
    const text = line.trim();
    if (text === '') return;
    this.#texts.push(text);
    this.#onText(this.#texts.join(' '));
  }

  /** `confidence`: the mean probability of the words. */
  result(): { readonly text: string; readonly confidence: number | undefined } {
    const confidence = this.#words === 0 ? undefined : Math.round((this.#sum / this.#words) * 100) / 100;
    return { text: this.#texts.join(' '), confidence };
  }

  /** Silence, noise and the ends of a sentence are written in brackets. */
  #word(word: string, probability: number): void {
    if (/^[<([+]/.test(word)) return;
    this.#sum += probability;
    this.#words++;
  }
}
