import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Claims that processes can be looked into: Linux. */
export const hasProc = existsSync('/proc/self/environ');

interface Listed {
  readonly pid: number;
  readonly parent: number;
  readonly zombie: boolean;
  /** Command line and, on Linux, environment. */
  readonly about: string;
}

function processes(): Listed[] {
  return hasProc ? fromProc() : fromPs();
}

function fromProc(): Listed[] {
  return readdirSync('/proc').flatMap((name): Listed[] => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const [status, ...about] = ['status', 'cmdline', 'environ'].map((file) =>
        readFileSync(`/proc/${name}/${file}`, 'utf8'),
      );
      const parent = Number(/^PPid:\s+(\d+)/m.exec(status ?? '')?.[1]);
      return [
        { pid: Number(name), parent, zombie: /^State:\s+[ZX]/m.test(status ?? ''), about: about.join('\n') },
      ];
    } catch {
      return []; // it ended meanwhile, or is somebody else's
    }
  });
}

function fromPs(): Listed[] {
  const table = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' });
  return table.split('\n').flatMap((row): Listed[] => {
    const [, pid, parent, state = '', about = ''] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(row) ?? [];
    return pid ? [{ pid: Number(pid), parent: Number(parent), zombie: state.startsWith('Z'), about }] : [];
  });
}

/** Those of these processes that still run. */
export function alive(pids: readonly number[]): number[] {
  const running = new Set(processes().flatMap(({ pid, zombie }) => (zombie ? [] : [pid])));
  return pids.filter((pid) => running.has(pid));
}

/** Children, their children and so on. */
export function descendants(of: number): number[] {
  const table = processes();
  const below = (parent: number): number[] =>
    table.filter((one) => one.parent === parent).flatMap(({ pid }) => [pid, ...below(pid)]);
  return below(of);
}

/** Other processes whose command line (or, on Linux, environment) mentions this text. */
export function processesAbout(text: string): number[] {
  return processes().flatMap(({ pid, about, zombie }) =>
    pid !== process.pid && !zombie && about.includes(text) ? [pid] : [],
  );
}

/** Claims that this process, not a child of ours, exists: cheap enough to ask often. */
export function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** A role's pid, as it keeps it in the home. */
export function pidOf(home: string, role: string): number {
  return Number(readFileSync(`${home}/run/${role}.pid`, 'utf8'));
}

/** The environment a process was started with, a variable a line. Linux only. */
export function environmentOf(pid: number): string {
  return readFileSync(`/proc/${pid}/environ`, 'utf8').replaceAll('\0', '\n');
}
