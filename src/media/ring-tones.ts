import { samplesOfMs } from './frame.ts';
import { modulatedTone, tone } from './tones.ts';

/** The values of `<Dial ringTone>`. @see https://www.twilio.com/docs/voice/twiml/dial#ringtone */
export const RING_TONE_COUNTRIES = [
  ...(['at', 'au', 'be', 'bg', 'br', 'ch', 'cl', 'cn', 'cz', 'de', 'dk', 'ee', 'es', 'fi', 'fr'] as const),
  ...(['gr', 'hu', 'il', 'in', 'it', 'jp', 'lt', 'mx', 'my', 'nl', 'no', 'nz', 'ph', 'pl', 'pt'] as const),
  ...(['ru', 'se', 'sg', 'th', 'tw', 'uk', 'us', 'us-old', 've', 'za'] as const),
] as const;

export type RingToneCountry = (typeof RING_TONE_COUNTRIES)[number];

/** What a caller hears while the telephone rings. */
export interface RingTone {
  /** Names the audio, as an {@link AudioClip}'s id does. */
  readonly id: string;
  /** One whole cadence, 8 kHz: to be repeated without a gap. */
  readonly pcm: Int16Array;
}

/** How a country's ringing sounds. */
export interface Ringing {
  /** Sounding together, in Hz. */
  readonly frequencies: readonly number[];
  /** The single frequency is modulated by this one, in Hz: written f1×f2 in E.180. */
  readonly modulatedBy?: number;
  /** Milliseconds of tone, silence, tone, silence … */
  readonly cadence: readonly number[];
}

const plain = (frequency: number, on: number, off: number): Ringing => ({
  frequencies: [frequency],
  cadence: [on, off],
});

/** The double ring of the United Kingdom and of the networks it built or advised. */
const DOUBLE = [400, 200, 400, 2_000];

/**
 * Frequencies and cadences by country: "Various tones used in national networks", ITU-T E.180 Supplement 2 as
 * updated by the annex to ITU Operational Bulletin 781 (2003). Other sources, and choices where sources differ, stand
 * beside their row.
 * @see https://www.itu.int/ITU-T/inr/forms/files/tones-0203.pdf
 */
export const RINGING: Readonly<Record<RingToneCountry, Ringing>> = {
  at: plain(420, 1_000, 5_000),
  au: { frequencies: [413, 438], cadence: DOUBLE }, // ACIF S002:2001; E.180 also lists 400+450
  be: plain(425, 1_000, 3_000),
  bg: plain(425, 1_000, 4_000),
  br: plain(425, 1_000, 4_000),
  ch: plain(425, 1_000, 4_000),
  cl: plain(400, 1_000, 3_000),
  cn: plain(450, 1_000, 4_000),
  cz: plain(425, 1_000, 4_000),
  de: plain(425, 1_000, 4_000),
  dk: plain(425, 1_000, 4_000),
  ee: plain(425, 1_000, 4_000),
  es: plain(425, 1_500, 3_000),
  fi: plain(425, 1_000, 4_000),
  fr: plain(440, 1_500, 3_500),
  gr: plain(425, 1_000, 4_000),
  hu: plain(425, 1_250, 3_750),
  il: plain(400, 1_000, 3_000), // our choice: some equipment is set to 414 Hz instead
  in: { frequencies: [400], modulatedBy: 25, cadence: DOUBLE },
  it: plain(425, 1_000, 4_000),
  jp: { frequencies: [400], modulatedBy: 16, cadence: [1_000, 2_000] }, // our choice of the 15 to 20 Hz in use
  lt: plain(425, 1_000, 4_000),
  mx: plain(425, 1_000, 4_000),
  my: { frequencies: [425], cadence: DOUBLE }, // our choice: sources differ
  nl: plain(425, 1_000, 4_000),
  no: plain(425, 1_000, 4_000),
  nz: { frequencies: [400, 450], cadence: DOUBLE }, // Telecom New Zealand TNA 102
  ph: { frequencies: [425, 480], cadence: [1_000, 4_000] },
  pl: plain(425, 1_000, 4_000),
  pt: plain(425, 1_000, 5_000),
  ru: plain(425, 800, 3_200), // our choice: 1.0 and 4.0 s are found too, after GOST 45.223-2001
  se: plain(425, 1_000, 5_000),
  sg: { frequencies: [425], modulatedBy: 24, cadence: DOUBLE }, // IDA TS PSTN 1
  th: plain(400, 1_000, 4_000), // our choice: 420 Hz, 1.0 and 5.0 s are found too
  tw: { frequencies: [440, 480], cadence: [1_000, 2_000] },
  uk: { frequencies: [400, 450], cadence: DOUBLE }, // BT SIN 350
  us: { frequencies: [440, 480], cadence: [2_000, 4_000] }, // the Precise Tone Plan
  'us-old': { frequencies: [420], modulatedBy: 40, cadence: [2_000, 4_000] }, // the city ring before that plan
  ve: plain(425, 1_000, 4_000),
  za: { frequencies: [400], modulatedBy: 33, cadence: DOUBLE },
};

/** RMS while it sounds: −20 dB of full scale, about −14 dBm0. Our choice: as loud as speech. */
const RING_RMS = 3_277;

const made = new Map<RingToneCountry, RingTone>();

/** Ringing as in `country`. The same object for every call. */
export function ringTone(country: RingToneCountry): RingTone {
  const known = made.get(country) ?? { id: `ring-tone ${country}`, pcm: cadenceOf(RINGING[country]) };
  made.set(country, known);
  return known;
}

export function isRingToneCountry(value: string): value is RingToneCountry {
  return RING_TONE_COUNTRIES.some((country) => country === value);
}

function cadenceOf(ringing: Ringing): Int16Array {
  const pcm = new Int16Array(samplesOfMs(ringing.cadence.reduce((sum, ms) => sum + ms, 0)));
  let at = 0;
  for (const [index, ms] of ringing.cadence.entries()) {
    if (index % 2 === 0) pcm.set(sound(ringing, ms), at);
    at += samplesOfMs(ms);
  }
  return pcm;
}

function sound({ frequencies, modulatedBy }: Ringing, ms: number): Int16Array {
  const [carrier = 0] = frequencies;
  return modulatedBy === undefined
    ? tone(frequencies, ms, RING_RMS * Math.sqrt(2 / frequencies.length))
    : modulatedTone(carrier, modulatedBy, ms, RING_RMS * Math.sqrt(4 / 3)); // (1 + sin)² is 3/2 on average
}
