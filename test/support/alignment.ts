import { loudness, RATE } from './wav-compare.ts';

const BLOCK = RATE / 100; // 10 ms
const PROBE = 4 * BLOCK; // what is looked for after an interruption
const SAME_BLOCK = 0.9;
const SAME_PROBE = 0.95;
const QUIET = 60; // RMS; below it everything resembles everything
const FULL = 0.7; // of the loudness of what was said: a concealed loss repeats sound at half of it or less

/** How what was heard lies along what was said. Times are milliseconds of what was said. */
export interface Alignment {
  /** Where in it the first and the last sound lie that were heard. */
  readonly from: number;
  readonly to: number;
  /** Sound between the two that was heard, in order, and that was not. */
  readonly found: number;
  readonly missing: number;
  /** The longest part of it without a break. */
  readonly longest: number;
  /** What was heard between the first and the last of it over and above what was found: pauses, mostly. */
  readonly inserted: number;
  /** What was heard in between, as loud as what was said and in place of nothing that is missing: heard twice, or foreign. */
  readonly foreign: number;
}

/**
 * Follows `said` through `heard`. A machine that is busy lets a sender or a thread stand still at any time, for any
 * time; then silence is heard, and afterwards what was said next. So this accepts pauses anywhere, and counts what
 * no pause explains. Signals that differ from moment to moment, as speech and `noise` do, have one alignment only.
 */
export function align(said: Int16Array, heard: Int16Array): Alignment {
  const match = matcher(said, heard);
  const full = FULL * loudness(said);
  let [lag, end]: [number | undefined, number] = [undefined, 0];
  let [from, to, found, missing, since, foreign, inserted, longest] = [-1, -1, 0, 0, 0, 0, 0, 0];
  for (let at = 0; at + BLOCK <= said.length; at += BLOCK) {
    if (loudness(said.subarray(at, at + BLOCK)) < QUIET) continue;
    const follows = lag !== undefined && at + lag >= end && match(at, at + lag, BLOCK) >= SAME_BLOCK;
    if (!follows) {
      const place = search(match, at, end, said.length, heard.length);
      if (place === undefined) {
        since += BLOCK;
        continue;
      }
      lag = place - at;
    }
    const place = at + (lag ?? 0);
    if (from < 0) [from, since] = [at, 0];
    missing += since;
    longest = Math.max(longest, since);
    // What stands where something is missing counts once.
    if (found > 0) inserted += Math.max(0, place - end - since);
    if (found > 0) foreign += Math.max(0, loudBlocks(heard.subarray(end, place), full) - since);
    [since, found, to, end] = [0, found + BLOCK, at + BLOCK, place + BLOCK];
  }
  const ms = (samples: number) => (samples * 1_000) / RATE;
  return {
    from: ms(Math.max(0, from)),
    to: ms(Math.max(0, to)),
    ...{
      found: ms(found),
      missing: ms(missing),
      longest: ms(longest),
      inserted: ms(inserted),
      foreign: ms(foreign),
    },
  };
}

/** The part of the sound of `said` that was heard, in order: 1 when all of it was, near 0 for another sound. */
export function share(said: Int16Array, heard: Int16Array): number {
  let loud = 0;
  for (let at = 0; at + BLOCK <= said.length; at += BLOCK)
    if (loudness(said.subarray(at, at + BLOCK)) >= QUIET) loud += 1_000 / 100;
  return loud === 0 ? 0 : align(said, heard).found / loud;
}

/** White noise, the same for the same `seed`: no piece of it resembles another. */
export function noise(seconds: number, seed = 1, amplitude = 8_000): Int16Array {
  const pcm = new Int16Array(Math.round(seconds * RATE));
  let state = seed >>> 0 || 1;
  for (let i = 0; i < pcm.length; i++) {
    state ^= state << 13; // xorshift32
    state ^= state >>> 17;
    state ^= state << 5;
    pcm[i] = Math.round((state / 2 ** 31) * amplitude);
  }
  return pcm;
}

type Match = (at: number, place: number, length: number) => number;

/** Where in `heard`, not before `end`, the sound at `at` is heard. */
function search(match: Match, at: number, end: number, said: number, heard: number): number | undefined {
  const length = Math.min(PROBE, said - at);
  let best: { place: number; likeness: number } | undefined;
  for (let place = end; place + length <= heard; place++) {
    if (match(at, place, Math.min(BLOCK, length)) < SAME_BLOCK) continue; // saves most of the work
    const likeness = match(at, place, length);
    if (likeness >= SAME_PROBE && likeness > (best?.likeness ?? 0)) best = { place, likeness };
  }
  return best?.place;
}

/** The normalised correlation of two pieces: 1 is the same sound at any volume. */
function matcher(said: Int16Array, heard: Int16Array): Match {
  const energies = (pcm: Int16Array) => {
    const sums = new Float64Array(pcm.length + 1);
    for (let i = 0; i < pcm.length; i++) sums[i + 1] = (sums[i] ?? 0) + (pcm[i] ?? 0) ** 2;
    return (from: number, length: number) =>
      (sums[Math.min(pcm.length, from + length)] ?? 0) - (sums[from] ?? 0);
  };
  const [ofSaid, ofHeard] = [energies(said), energies(heard)];
  return (at, place, length) => {
    const energy = ofSaid(at, length) * ofHeard(place, length);
    if (energy <= 0) return 0;
    let product = 0;
    for (let i = 0; i < length; i++) product += (said[at + i] ?? 0) * (heard[place + i] ?? 0);
    return product / Math.sqrt(energy);
  };
}

function loudBlocks(pcm: Int16Array, least: number): number {
  let samples = 0;
  for (let at = 0; at + BLOCK <= pcm.length; at += BLOCK)
    if (loudness(pcm.subarray(at, at + BLOCK)) >= least) samples += BLOCK;
  return samples;
}
