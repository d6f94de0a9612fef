import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';

export interface SippOptions {
  /** Path of the scenario. */
  readonly scenario: string;
  readonly transport: 'udp' | 'tcp';
  readonly to: { readonly host: string; readonly port: number };
  /** User of the Request-URI. */
  readonly number: string;
  readonly calls: number;
  /** Calls started a second, and how many may run at once. */
  readonly rate?: number;
  readonly most?: number;
  /** Lines of a table whose columns the scenario reads as [field0], [field1] …; taken in turn. */
  readonly rows?: readonly string[];
  /** Files the scenario names without a folder, by their names. */
  readonly files?: Readonly<Record<string, Buffer>>;
  readonly mediaPort?: number;
  readonly timeoutSeconds?: number;
}

export interface SippResult {
  /** 0: every call went as the scenario says. */
  readonly code: number | null;
  readonly successful: number;
  readonly failed: number;
  readonly retransmissions: number;
  /** What sipp found unexpected, shortened. */
  readonly errors: string;
}

/** Calls as sipp makes them, from 127.0.0.1 and a folder of its own; ends after the last one or the timeout. */
export async function runSipp(path: string, options: SippOptions): Promise<SippResult> {
  const { to, calls, rate = 20, most = 200, mediaPort, timeoutSeconds = 120 } = options;
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-sipp-'));
  try {
    for (const [name, content] of Object.entries(options.files ?? {}))
      await writeFile(join(folder, name), content);
    if (options.rows) await writeFile(join(folder, 'rows.csv'), `SEQUENTIAL\n${options.rows.join('\n')}\n`);
    const child = spawn(
      path,
      [
        ...[`${to.host}:${to.port}`, '-sf', options.scenario, '-s', options.number],
        ...['-i', '127.0.0.1', '-p', String(await freePort()), '-mi', '127.0.0.1'],
        ...['-t', options.transport === 'udp' ? 'u1' : 't1'],
        ...['-m', String(calls), '-r', String(rate), '-l', String(most)],
        ...['-timeout', String(timeoutSeconds), '-timeout_error', '-recv_timeout', '100000'],
        ...['-nostdin', '-trace_err', '-trace_stat', '-fd', '1'],
        ...(options.rows ? ['-inf', 'rows.csv'] : []),
        ...(mediaPort === undefined ? [] : ['-mp', String(mediaPort)]),
      ],
      { cwd: folder, stdio: 'ignore' },
    );
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', resolve);
    });
    return { code, ...(await results(folder)) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function results(folder: string): Promise<Omit<SippResult, 'code'>> {
  const names = await readdir(folder);
  const read = async (suffix: string) => {
    const name = names.find((one) => one.endsWith(suffix) && one !== 'rows.csv');
    return name === undefined ? '' : readFile(join(folder, name), 'latin1');
  };
  const [head = '', ...rows] = (await read('_.csv')).trim().split('\n');
  const columns = head.split(';');
  const last = rows.at(-1)?.split(';') ?? [];
  const value = (name: string) => Number(last[columns.indexOf(name)] ?? Number.NaN);
  return {
    successful: value('SuccessfulCall(C)'),
    failed: value('FailedCall(C)'),
    retransmissions: value('Retransmissions(C)'),
    errors: (await read('_errors.log')).slice(0, 3_000),
  };
}

const PCAP_HEADER = 24;
const RECORD_HEADER = 16;
const RTP_HEADER = 12;

/** The records of a pcap file of Ethernet frames, as sipp's own are, and the RTP packet in each: parts of `file` itself. */
function pcapRecords(file: Buffer): { readonly record: Buffer; readonly rtp: Buffer }[] {
  const records = [];
  for (let at = PCAP_HEADER; at + RECORD_HEADER <= file.length; ) {
    const record = file.subarray(at, at + RECORD_HEADER + file.readUInt32LE(at + 8));
    const ip = record.subarray(RECORD_HEADER + 14);
    records.push({ record, rtp: ip.subarray(4 * ((ip[0] ?? 0) & 15) + 8) });
    at += record.length;
  }
  return records;
}

/** The RTP payloads of such a file in their order: parts of `file` itself. */
export function pcapPayloads(file: Buffer): Buffer[] {
  return pcapRecords(file).map(({ rtp }) => rtp.subarray(RTP_HEADER));
}

/** The same stream, `times` as long: its packets again and again, numbered and timed on (G.711, evenly spaced). */
export function repeatPcap(file: Buffer, times: number): Buffer {
  const stream = pcapRecords(file);
  const [first, second] = stream;
  if (!first || !second) throw new Error('a pcap of two packets at least');
  const samples = first.rtp.length - RTP_HEADER;
  const began = microseconds(first.record);
  const copies = Array.from({ length: times * stream.length }, (_, n) => {
    const record = Buffer.from(stream[n % stream.length]?.record ?? first.record);
    const at = began + (n * samples * 1_000_000) / 8_000;
    record.writeUInt32LE(Math.floor(at / 1_000_000), 0);
    record.writeUInt32LE(at % 1_000_000, 4);
    const rtp = record.subarray(record.length - samples - RTP_HEADER);
    rtp.writeUInt16BE((first.rtp.readUInt16BE(2) + n) & 0xffff, 2);
    rtp.writeUInt32BE((first.rtp.readUInt32BE(4) + n * samples) >>> 0, 4);
    return record;
  });
  return Buffer.concat([file.subarray(0, PCAP_HEADER), ...copies]);
}

const microseconds = (record: Buffer) => record.readUInt32LE(0) * 1_000_000 + record.readUInt32LE(4);
