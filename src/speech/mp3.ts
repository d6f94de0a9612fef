import { MPEGDecoder } from 'mpg123-decoder';
import { to8k } from '../media/resample.ts';
import type { DecodedAudio } from './port.ts';

/** Decodes MPEG audio, layers I to III, any rate and channels. Blocks: for worker threads. */
export async function decodeMp3(body: Uint8Array): Promise<DecodedAudio> {
  const decoder = new MPEGDecoder();
  await decoder.ready;
  try {
    const { channelData, samplesDecoded, sampleRate } = decoder.decode(body);
    if (samplesDecoded === 0) return { problem: 'this is no MP3 file: it holds no MPEG audio frame' };
    return { pcm: to8k(mixed(channelData, samplesDecoded), sampleRate) };
  } finally {
    decoder.free();
  }
}

/** The channels' mean, from ±1 to 16 bit. */
function mixed(channels: readonly Float32Array[], samples: number): Float32Array {
  const mono = new Float32Array(samples);
  const gain = 32_767 / Math.max(1, channels.length);
  for (const channel of channels)
    for (let i = 0; i < samples; i += 1) mono[i] = (mono[i] ?? 0) + (channel[i] ?? 0) * gain;
  return mono;
}
