import type { AudioClip } from '../../leg/port.ts';

interface Entry {
  readonly bytes: number;
  players: number;
}

/**
 * Which clips the media thread holds. A clip crosses once, as shared memory, and stays until `limit` bytes are
 * exceeded; then the least recently played goes, but never one that is playing.
 */
export class ClipCache {
  readonly #entries = new Map<string, Entry>(); // least recently played first
  readonly #limit: number;
  readonly #send: (id: string, pcm: Int16Array<SharedArrayBuffer>) => void;
  readonly #drop: (id: string) => void;
  #bytes = 0;

  constructor(
    limit: number,
    send: (id: string, pcm: Int16Array<SharedArrayBuffer>) => void,
    drop: (id: string) => void,
  ) {
    this.#limit = limit;
    this.#send = send;
    this.#drop = drop;
  }

  /** Makes sure the thread has `clip`, and keeps it there until the returned function is called. */
  hold(clip: AudioClip): () => void {
    const entry = this.#entries.get(clip.id) ?? this.#add(clip);
    this.#entries.delete(clip.id);
    this.#entries.set(clip.id, entry);
    entry.players++;
    let held = true;
    return () => {
      if (held) entry.players--;
      held = false;
      this.#evict();
    };
  }

  #add(clip: AudioClip): Entry {
    const shared = new Int16Array(new SharedArrayBuffer(clip.pcm.byteLength));
    shared.set(clip.pcm);
    this.#send(clip.id, shared);
    this.#bytes += shared.byteLength;
    return { bytes: shared.byteLength, players: 0 };
  }

  #evict(): void {
    for (const [id, entry] of this.#entries) {
      if (this.#bytes <= this.#limit) return;
      if (entry.players > 0) continue;
      this.#entries.delete(id);
      this.#bytes -= entry.bytes;
      this.#drop(id);
    }
  }
}
