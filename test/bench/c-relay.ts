import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { RelayUnderTest } from './rtp-peers.ts';

const SOURCE = fileURLToPath(new URL('../../../test/bench/udp-relay.c', import.meta.url));

/** Compiles udp-relay.c with this machine's compiler; a string says why not. */
export function compileRelay(): { readonly program: string; remove(): void } | string {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-bench-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const program = join(folder, 'udp-relay');
  const { error, status, stderr } = spawnSync('cc', ['-O2', '-o', program, SOURCE], { encoding: 'utf8' });
  if (!error && status === 0) return { program, remove };
  remove();
  return error ? 'not run: there is no C compiler (cc)' : `not run: cc failed: ${stderr}`;
}

/** Starts it for `calls` calls between two peers' ports. */
export async function startCRelay(
  program: string,
  calls: number,
  peers: { readonly callers: number; readonly callees: number },
): Promise<RelayUnderTest> {
  const child = spawn(program, [String(calls), String(peers.callers), String(peers.callees)]);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const [callers, callees] = [await numbers(lines), await numbers(lines)];
  return { callers, callees, stop: () => stop(child, lines) };
}

async function stop(child: ChildProcessWithoutNullStreams, lines: AsyncIterator<string>) {
  child.stdin.end();
  const [microseconds = Number.NaN] = await numbers(lines);
  return { microseconds };
}

async function numbers(lines: AsyncIterator<string>): Promise<number[]> {
  const { value, done } = await lines.next();
  if (done) throw new Error('the C relay ended early');
  return String(value).split(' ').map(Number);
}
