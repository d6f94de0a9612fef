/** What a command left behind. */
export interface CommandResult {
  readonly exitCode: number;
  /** What it wrote to the output file, and to standard error. */
  readonly output: Buffer;
  readonly errors: string;
}

/** WASI preview 1 error numbers: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#errno */
const ERRNO = { success: 0, badf: 8, inval: 28, notSupported: 58 } as const;
const FILE_TYPE = { directory: 3, regularFile: 4, characterDevice: 2 } as const;
const STDERR = 2;
const ROOT = 3; // the one directory it may open files in
const OUTPUT = 4; // the one file it may write

class Exit extends Error {
  constructor(readonly code: number) {
    super(`exit ${code}`);
  }
}

/**
 * Runs a WASI command in memory: arguments in, one output file out, no other file, environment or socket. Node's
 * own `node:wasi` announces itself as experimental in every process and gives the module a real directory.
 *
 * The command may open any path: whatever it opens for writing is the output.
 */
export async function runCommand(
  module: WebAssembly.Module,
  args: readonly string[],
): Promise<CommandResult> {
  const host = new CommandHost(args);
  const instance = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: host.imports() });
  const { memory, _start: start } = instance.exports;
  if (!(memory instanceof WebAssembly.Memory) || typeof start !== 'function')
    throw new Error('the module is no WASI command: it exports no memory or no _start');
  host.memory = memory;
  let exitCode = 0;
  try {
    start();
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    exitCode = error.code;
  }
  return { exitCode, output: host.output.bytes(), errors: host.errors.bytes().toString('utf8') };
}

/** A file that grows as it is written. */
class MemoryFile {
  #buffer = Buffer.alloc(64 * 1024);
  #size = 0;
  position = 0;

  get size(): number {
    return this.#size;
  }

  write(bytes: Uint8Array): void {
    const end = this.position + bytes.length;
    if (end > this.#buffer.length) {
      const larger = Buffer.alloc(Math.max(end, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, this.#size);
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.position);
    this.position = end;
    this.#size = Math.max(this.#size, end);
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#size);
  }
}

class CommandHost {
  readonly output = new MemoryFile();
  readonly errors = new MemoryFile();
  memory = new WebAssembly.Memory({ initial: 0 });
  readonly #args: readonly Buffer[];

  constructor(args: readonly string[]) {
    this.#args = args.map((arg) => Buffer.from(`${arg.replaceAll('\0', ' ')}\0`, 'utf8'));
  }

  /** The functions of wasi_snapshot_preview1 that a compiled C program without sockets imports. */
  imports(): Record<string, (...args: never[]) => number> {
    return {
      args_sizes_get: (count: number, bytes: number) => {
        this.#setUint32(count, this.#args.length);
        this.#setUint32(bytes, Buffer.concat(this.#args).length);
        return ERRNO.success;
      },
      args_get: (pointers: number, strings: number) => {
        let at = strings;
        for (const [index, arg] of this.#args.entries()) {
          this.#setUint32(pointers + 4 * index, at);
          this.#bytes(at, arg.length).set(arg);
          at += arg.length;
        }
        return ERRNO.success;
      },
      clock_time_get: (_id: number, _precision: bigint, at: number) => {
        this.#view().setBigUint64(at, 0n, true); // time stands still: the same input gives the same output
        return ERRNO.success;
      },
      fd_close: () => ERRNO.success,
      fd_fdstat_get: (fd: number, at: number) => this.#describe(fd, at),
      fd_fdstat_set_flags: () => ERRNO.success,
      fd_prestat_get: (fd: number, at: number) => {
        if (fd !== ROOT) return ERRNO.badf;
        this.#setUint32(at, 0); // a directory
        this.#setUint32(at + 4, 1); // whose name, "/", has one byte
        return ERRNO.success;
      },
      fd_prestat_dir_name: (fd: number, at: number, length: number) => {
        if (fd !== ROOT || length < 1) return ERRNO.inval;
        this.#bytes(at, 1)[0] = 0x2f;
        return ERRNO.success;
      },
      fd_read: (_fd: number, _vectors: number, _count: number, read: number) => {
        this.#setUint32(read, 0); // end of file
        return ERRNO.success;
      },
      fd_seek: (fd: number, offset: bigint, whence: number, at: number) => this.#seek(fd, offset, whence, at),
      fd_write: (fd: number, vectors: number, count: number, written: number) =>
        this.#write(fd, vectors, count, written),
      path_open: (
        _fd: number,
        _lookup: number,
        _path: number,
        _length: number,
        _flags: number,
        _rights: bigint,
        _inheriting: bigint,
        _fdFlags: number,
        at: number,
      ) => {
        this.#setUint32(at, OUTPUT);
        return ERRNO.success;
      },
      proc_exit: (code: number) => {
        throw new Exit(code);
      },
    };
  }

  #file(fd: number): MemoryFile | undefined {
    if (fd === OUTPUT) return this.output;
    return fd === STDERR ? this.errors : undefined;
  }

  #describe(fd: number, at: number): number {
    if (fd > OUTPUT) return ERRNO.badf;
    const type =
      fd === ROOT ? FILE_TYPE.directory : fd === OUTPUT ? FILE_TYPE.regularFile : FILE_TYPE.characterDevice;
    const view = this.#view();
    view.setUint8(at, type);
    view.setUint16(at + 2, 0, true);
    view.setBigUint64(at + 8, ALL_RIGHTS, true);
    view.setBigUint64(at + 16, ALL_RIGHTS, true);
    return ERRNO.success;
  }

  #seek(fd: number, offset: bigint, whence: number, at: number): number {
    if (fd !== OUTPUT) return ERRNO.notSupported;
    const from = [0, this.output.position, this.output.size][whence] ?? 0;
    const position = from + Number(offset);
    if (position < 0) return ERRNO.inval;
    this.output.position = position;
    this.#view().setBigUint64(at, BigInt(position), true);
    return ERRNO.success;
  }

  #write(fd: number, vectors: number, count: number, written: number): number {
    const file = this.#file(fd);
    const view = this.#view();
    let total = 0;
    for (let i = 0; i < count; i += 1) {
      const bytes = this.#bytes(
        view.getUint32(vectors + 8 * i, true),
        view.getUint32(vectors + 8 * i + 4, true),
      );
      file?.write(bytes); // standard output goes nowhere
      total += bytes.length;
    }
    this.#setUint32(written, total);
    return ERRNO.success;
  }

  /** Made anew for every use: the memory's buffer changes when it grows. */
  #view(): DataView {
    return new DataView(this.memory.buffer);
  }

  #bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, at, length);
  }

  #setUint32(at: number, value: number): void {
    this.#view().setUint32(at, value, true);
  }
}

const ALL_RIGHTS = (1n << 30n) - 1n;
