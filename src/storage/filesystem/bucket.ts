import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { assertKey } from '../object-key.ts';
import { type Bucket, BucketError, type ObjectInfo } from '../ports.ts';

/** Where objects are written before they appear; keys cannot begin with a dot, so it is never listed. */
const INCOMING = '.incoming';

/** Failures that the same call may get past later: space, descriptors, a busy or failing device. */
const TRANSIENT: ReadonlySet<string> = new Set([
  'ENOSPC',
  'EDQUOT',
  'EMFILE',
  'ENFILE',
  'EAGAIN',
  'EBUSY',
  'EIO',
  'ENOMEM',
  'ETIMEDOUT',
  'ESTALE',
  'EROFS',
]);

/**
 * A bucket in a folder: the object with a key is the file `<root>/<name>/<key>`. A write goes to a temporary
 * file of the same file system, is synced, renamed, and the folder synced: an object that was reported stored
 * survives a power failure, and no reader sees a part of it.
 */
export function createFilesystemBucket(options: { readonly root: string; readonly name: string }): Bucket {
  assertKey(options.name);
  return new FilesystemBucket(resolve(options.root, options.name), options.name);
}

/** Distinguishes temporary files of one process; the process id distinguishes processes. */
let written = 0;

class FilesystemBucket implements Bucket {
  readonly name: string;
  readonly #folder: string;
  /** By folder: the sync under way, and the one that follows it. */
  readonly #syncs = new Map<string, Promise<void>>();
  readonly #nextSyncs = new Map<string, Promise<void>>();

  constructor(folder: string, name: string) {
    this.#folder = folder;
    this.name = name;
  }

  ensure(): Promise<void> {
    return this.#attempt('create the bucket', async () => {
      await mkdir(join(this.#folder, INCOMING), { recursive: true });
    });
  }

  async put(key: string, body: Buffer | string): Promise<void> {
    const path = this.#path(key);
    await this.#attempt(`put ${key}`, () => this.#write(path, (file) => file.writeFile(body)));
  }

  async putFile(key: string, path: string, _contentType: string, sha256: string): Promise<void> {
    const target = this.#path(key);
    await this.#attempt(`put ${key} from ${path}`, () =>
      this.#write(target, async (file) => {
        const hash = createHash('sha256');
        for await (const part of createReadStream(path)) {
          hash.update(part);
          await writeAll(file, part);
        }
        const actual = hash.digest('hex');
        if (actual !== sha256) {
          throw new BucketError(`${path} has SHA-256 ${actual}, expected ${sha256}`, true);
        }
      }),
    );
  }

  async get(key: string): Promise<Buffer | undefined> {
    const path = this.#path(key);
    return this.#attempt(`get ${key}`, () => existing(readFile(path)));
  }

  async stream(key: string, range?: { start: number; end?: number }) {
    const info = await this.stat(key);
    if (!info) return undefined;
    const total = info.bytes;
    const start = range?.start ?? 0;
    if (range && start >= total)
      throw new BucketError(`${key} has ${total} bytes, none from ${start}`, false);
    const end = Math.min(range?.end ?? total - 1, total - 1);
    const body = createReadStream(this.#path(key), total > 0 ? { start, end } : {});
    return { body, bytes: end - start + 1, total };
  }

  async stat(key: string): Promise<ObjectInfo | undefined> {
    const path = this.#path(key);
    const found = await this.#attempt(`look at ${key}`, () => existing(stat(path)));
    return found?.isFile() ? { key, bytes: found.size } : undefined;
  }

  list(prefix: string): AsyncIterable<ObjectInfo> {
    // The part of the prefix up to its last slash is a folder; nothing outside it can match.
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    if (folder !== '') assertKey(folder.slice(0, -1));
    return this.#walk(folder, prefix);
  }

  async delete(key: string): Promise<void> {
    const path = this.#path(key);
    await this.#attempt(`delete ${key}`, async () => {
      await rm(path, { force: true });
      await existing(syncFolder(dirname(path)));
    });
  }

  async close(): Promise<void> {}

  #path(key: string): string {
    assertKey(key);
    return join(this.#folder, key);
  }

  async #write(path: string, fill: (file: FileHandle) => Promise<void>): Promise<void> {
    const incoming = join(this.#folder, INCOMING);
    const temporary = join(incoming, `${process.pid}-${written++}`);
    try {
      const { result: file } = await withFolder(() => open(temporary, 'w'), incoming);
      try {
        await fill(file);
        await file.sync();
      } finally {
        await file.close();
      }
      const folder = dirname(path);
      const { created } = await withFolder(() => rename(temporary, path), folder);
      await this.#syncFolder(folder);
      if (created) await this.#syncAncestors(folder, dirname(created));
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  /** Writes into one folder share its syncs: one that has not begun yet covers everything renamed before it. */
  #syncFolder(folder: string): Promise<void> {
    const next = this.#nextSyncs.get(folder);
    if (next !== undefined) return next;
    const begin = () => {
      this.#nextSyncs.delete(folder);
      const sync = syncFolder(folder).finally(() => {
        if (this.#syncs.get(folder) === sync) this.#syncs.delete(folder);
      });
      this.#syncs.set(folder, sync);
      return sync;
    };
    const running = this.#syncs.get(folder);
    if (running === undefined) return begin();
    const mine = running.then(begin, begin);
    this.#nextSyncs.set(folder, mine);
    return mine;
  }

  /** New folders are entries of their parents: they are synced up to the one that existed before. */
  async #syncAncestors(folder: string, existed: string): Promise<void> {
    for (let at = dirname(folder); at.length >= existed.length; at = dirname(at)) {
      await syncFolder(at);
      if (at === dirname(at)) return;
    }
  }

  async *#walk(folder: string, prefix: string): AsyncGenerator<ObjectInfo> {
    const entries = await this.#attempt(`list ${prefix}`, () =>
      existing(readdir(join(this.#folder, folder), { withFileTypes: true })),
    );
    // A folder sorts as its objects do: with the slash that follows its name in their keys.
    const named = (entries ?? [])
      .filter((entry) => !entry.name.startsWith('.'))
      .map((entry) => Buffer.from(entry.isDirectory() ? `${entry.name}/` : entry.name))
      .sort(Buffer.compare);
    for (const name of named) {
      const path = folder + name.toString();
      if (path.endsWith('/')) {
        if (path.startsWith(prefix) || prefix.startsWith(path)) yield* this.#walk(path, prefix);
        continue;
      }
      if (!path.startsWith(prefix)) continue;
      const info = await this.stat(path);
      if (info) yield info;
    }
  }

  async #attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof BucketError) throw error;
      const code = codeOf(error);
      throw new BucketError(
        `bucket ${this.name} (${this.#folder}) cannot ${what}: ${code ?? String(error)}`,
        code !== undefined && TRANSIENT.has(code),
        { cause: error },
      );
    }
  }
}

/** Does `work` in a folder, which is made when it is missing; `created` is the first folder that had to be. */
async function withFolder<T>(
  work: () => Promise<T>,
  folder: string,
): Promise<{ readonly result: T; readonly created?: string | undefined }> {
  try {
    return { result: await work() };
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  const created = await mkdir(folder, { recursive: true });
  return { result: await work(), created };
}

/** What `reading` resolves to, or undefined when there is no such file or folder. */
async function existing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

async function writeAll(file: FileHandle, part: Buffer): Promise<void> {
  for (let written = 0; written < part.length; ) {
    written += (await file.write(part, written)).bytesWritten;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
