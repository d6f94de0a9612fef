import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What sipp counted. */
export interface SippCounts {
  readonly failed: number;
  readonly retransmissions: number;
  /** Calls a second from the first to the last. */
  readonly rate: number;
}

/** Runs sipp in a folder, on 127.0.0.1; `ended` resolves with what it counted. */
export function runSipp(
  folder: string,
  args: readonly string[],
): { readonly pid: number; readonly ended: Promise<SippCounts> } {
  const stat = join(folder, `stat-${Math.random().toString(36).slice(2)}.csv`);
  const fixed = ['-i', '127.0.0.1', '-nostdin', '-timeout', '60s', '-recv_timeout', '10000'];
  const child = spawn('sipp', [...args, ...fixed, '-trace_stat', '-stf', stat], {
    cwd: folder,
    stdio: 'ignore',
  });
  const ended = new Promise<SippCounts>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => resolve(countsIn(stat)));
  });
  return { pid: child.pid ?? 0, ended };
}

function countsIn(path: string): SippCounts {
  const rows = readFileSync(path, 'utf8').trimEnd().split('\n');
  const names = rows[0]?.split(';') ?? [];
  const last = rows.at(-1)?.split(';') ?? [];
  const value = (name: string) => Number(last[names.indexOf(name)]);
  return {
    failed: value('FailedCall(C)'),
    retransmissions: value('Retransmissions(C)'),
    rate: value('CallRate(C)'),
  };
}
