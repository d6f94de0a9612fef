import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '../../src/core/clock.ts';
import { RandomIds } from '../../src/core/ids.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { createSipAgent } from '../../src/sip/agent/agent.ts';
import { startSipp } from '../peers/sipp/sipp.ts';
import { freePort } from '../support/free-port.ts';
import { projectRoot } from '../support/program.ts';
import { cpuOfTree } from './process-cpu.ts';

const SDP = [
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=-',
  'c=IN IP4 127.0.0.1',
  't=0 0',
  'm=audio 4000 RTP/AVP 0',
  '',
].join('\r\n');

export interface CalleeCost {
  /** Calls offered a second; none failed. */
  readonly callsPerSecond: number;
  readonly cpuMicrosecondsPerCall: number;
}

export interface SipCallsResult {
  readonly ours: CalleeCost;
  readonly sipp: CalleeCost;
  /** Our CPU time per call over that of sipp's own callee: what holds from machine to machine. */
  readonly ratio: number;
}

/**
 * INVITE, 100, 180, 200, ACK, BYE, 200 over UDP on loopback at the same rate, to our agent and to sipp's callee, in
 * turn. Throws when a call fails.
 *
 * @param sipp path of the program
 */
export async function benchSipCalls(
  sipp: string,
  options: { readonly callsPerSecond?: number; readonly calls?: number } = {},
): Promise<SipCallsResult> {
  const { callsPerSecond = 500, calls = 3_000 } = options;
  const load = { callsPerSecond, calls };
  await callOurs(sipp, { callsPerSecond: 200, calls: 400 }); // so that both are measured warm
  const ours = await callOurs(sipp, load);
  const theirs = await callSipp(sipp, load);
  const perCall = (cpu: number) => ({ callsPerSecond, cpuMicrosecondsPerCall: cpu / calls });
  return { ours: perCall(ours), sipp: perCall(theirs), ratio: ours / theirs };
}

interface Load {
  readonly callsPerSecond: number;
  readonly calls: number;
}

/** CPU time of this process, microseconds, while sipp calls our agent. */
async function callOurs(sipp: string, load: Load): Promise<number> {
  const agent = createSipAgent({ clock: new SystemClock(), ids: new RandomIds(), logger: silentLogger });
  const listener = await agent.listen({ transport: 'udp', host: '127.0.0.1', port: 0, label: 'bench' });
  agent.onInvite = (invite) => {
    invite.respond(180);
    invite.accept(SDP);
  };
  const before = process.cpuUsage();
  await call(sipp, load, listener.bound.port);
  const { user, system } = process.cpuUsage(before);
  await agent.close();
  return user + system;
}

/** CPU time of sipp's callee, microseconds, while sipp calls it. */
async function callSipp(sipp: string, load: Load): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'sipp-uas-'));
  const port = await freePort();
  const scenario = join(projectRoot(), 'test/peers/sipp/uas.xml');
  const callee = spawn(
    sipp,
    ['-sf', scenario, '-i', '127.0.0.1', '-p', String(port), '-nostdin', '-buff_size', '4194304'],
    {
      cwd: folder,
      stdio: 'ignore',
    },
  );
  const failed = new Promise<never>((_, reject) => callee.once('error', reject));
  try {
    await Promise.race([call(sipp, load, port), failed]);
    return cpuOfTree(callee.pid ?? 0);
  } finally {
    callee.kill('SIGKILL');
    await rm(folder, { recursive: true });
  }
}

async function call(sipp: string, { callsPerSecond, calls }: Load, port: number): Promise<void> {
  const result = await startSipp(sipp, {
    scenario: 'uac-load',
    transport: 'udp',
    calls,
    rate: callsPerSecond,
    target: { address: '127.0.0.1', port },
    port: await freePort(),
  }).done;
  if (result.code !== 0 || result.successful !== calls) {
    throw new Error(`${result.failed} of ${calls} calls failed: ${result.errors}`);
  }
}
