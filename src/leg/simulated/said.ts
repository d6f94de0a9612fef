/** What a stretch of simulated audio says. */
export interface Said {
  readonly text: string;
  /** How sure a recogniser is of it, 0–1; undefined: it does not say. */
  readonly confidence: number | undefined;
}

const SAMPLES_PER_MS = 8;

/** Simulated audio holds no sound: what it says is known by the array itself. */
const said = new WeakMap<Int16Array, Said>();

/** Audio of this length that says so. */
export function voiceOf(ms: number, says?: Said): Int16Array {
  const pcm = new Int16Array(Math.round(ms * SAMPLES_PER_MS));
  if (says) said.set(pcm, says);
  return pcm;
}

/** What a piece of audio says; undefined: nothing that can be understood. */
export function saidIn(pcm: Int16Array): Said | undefined {
  return said.get(pcm);
}

/** A piece of speech and how long it takes. */
export interface Word {
  readonly ms: number;
  readonly said?: Said;
}

/** The words of a text, each as long as its share of the characters, in whole milliseconds. */
export function wordsOf(text: string, ms: number, confidence: number | undefined): readonly Word[] {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const characters = words.join('').length;
  let before = 0;
  let begun = 0;
  return words.map((word) => {
    before += word.length;
    const ended = Math.round((ms * before) / characters);
    const length = ended - begun;
    begun = ended;
    return { ms: length, said: { text: word, confidence } };
  });
}
