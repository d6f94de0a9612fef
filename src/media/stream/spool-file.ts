import { constants } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** A file being written. Every method rejects with the operating system's error. */
export interface SpoolFile {
  readonly path: string;
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Cuts it to `length` bytes. */
  truncate(length: number): Promise<void>;
  /** Makes what was written durable and closes it. */
  close(): Promise<void>;
  /** Closes and removes it. */
  discard(): Promise<void>;
}

export type OpenSpoolFile = (recordingSid: string) => Promise<SpoolFile>;

const MOST_PARTS = 100; // a recording continued by another worker on this machine is a further part

/** Opens `<directory>/<recordingSid>.wav`, or `<recordingSid>-2.wav` and so on when an earlier part is there. */
export function spoolIn(directory: string): OpenSpoolFile {
  return async (recordingSid) => {
    for (let part = 1; part <= MOST_PARTS; part++) {
      const path = join(directory, `${recordingSid}${part === 1 ? '' : `-${part}`}.wav`);
      try {
        return spoolFile(
          path,
          await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600),
        );
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      }
    }
    throw new Error(`${directory} already holds ${MOST_PARTS} parts of ${recordingSid}`);
  };
}

function spoolFile(path: string, handle: FileHandle): SpoolFile {
  return {
    path,
    async write(bytes, position) {
      let written = 0;
      while (written < bytes.length) {
        const { bytesWritten } = await handle.write(
          bytes,
          written,
          bytes.length - written,
          position + written,
        );
        written += bytesWritten;
      }
    },
    truncate: (length) => handle.truncate(length),
    async close() {
      try {
        await handle.datasync();
      } finally {
        await handle.close();
      }
    },
    async discard() {
      await handle.close();
      await unlink(path);
    },
  };
}
