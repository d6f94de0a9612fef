import { SAMPLE_RATE } from './frame.ts';

const ZERO_CROSSINGS = 24; // our choice: on each side; the pass band reaches 3.6 kHz, images stay 70 dB below
const STEPS = 512; // table entries per zero crossing; in between it is interpolated
const KAISER_BETA = 8; // about 80 dB of stop-band attenuation
const PASS = 0.92; // where the transition starts, as a part of the Nyquist frequency

/** Zeroth-order modified Bessel function of the first kind, by its power series. */
function bessel(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > 1e-12 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

const KERNEL = Float64Array.from({ length: ZERO_CROSSINGS * STEPS + 2 }, (_, index) => {
  const x = index / STEPS;
  if (x >= ZERO_CROSSINGS) return 0;
  const window = bessel(KAISER_BETA * Math.sqrt(1 - (x / ZERO_CROSSINGS) ** 2)) / bessel(KAISER_BETA);
  return window * (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
});

/**
 * `samples` taken at `rate` Hz, as PCM at 8 kHz: band-limited (windowed sinc), so nothing above 4 kHz folds back.
 * At 8 kHz they are only rounded and clipped.
 */
export function to8k(samples: Float32Array | Int16Array, rate: number): Int16Array {
  const out = new Int16Array(Math.round((samples.length * SAMPLE_RATE) / rate));
  if (rate === SAMPLE_RATE) {
    // Int16Array.from gathers every sample in a list first: 50 bytes and more each.
    for (let n = 0; n < out.length; n++) out[n] = clip(samples[n] ?? 0);
    return out;
  }
  const step = rate / SAMPLE_RATE;
  const cutoff = Math.min(1, 1 / step) * PASS; // of the input's Nyquist frequency
  const reach = ZERO_CROSSINGS / cutoff;
  for (let n = 0; n < out.length; n++) {
    const centre = n * step;
    const last = Math.min(samples.length - 1, Math.floor(centre + reach));
    let sum = 0;
    for (let i = Math.max(0, Math.ceil(centre - reach)); i <= last; i++) {
      const at = Math.abs(i - centre) * cutoff * STEPS;
      const index = at | 0;
      const low = KERNEL[index] ?? 0;
      sum += (samples[i] ?? 0) * (low + ((KERNEL[index + 1] ?? 0) - low) * (at - index));
    }
    out[n] = clip(sum * cutoff);
  }
  return out;
}

function clip(value: number): number {
  return Math.max(-32_768, Math.min(32_767, Math.round(value)));
}
