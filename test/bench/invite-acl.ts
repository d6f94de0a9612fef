import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { clientOf } from '../e2e/support/numbers.ts';
import { freePort } from '../support/free-port.ts';
import { startTrunkline } from '../support/trunkline.ts';
import { type Admission, callee, caller, USER } from './invite-scenarios.ts';
import { cpuOfTree, settledCpuOfTree } from './process-cpu.ts';
import { createDomain } from './sip-domain.ts';
import { runSipp, type SippCounts } from './sipp-run.ts';

/*
 * INVITEs to a SIP domain, let in by an access control list or by digest, on a real start with everything in place:
 * admission, route look-up, media port, job, worker, webhook, and, as the caller gives up when it rings, the end with
 * its record. The application never answers, so that no call is answered before its CANCEL is there. sipp's own callee
 * takes the same INVITEs from the same sipp in the same run; with digest it asks for it and verifies it, too.
 */

const CALLS = 1_200;
const WARM_UP = 400;
/** Our choice: calls under way, enough that nobody waits for the caller. */
const AT_ONCE = 32;
/** Calls a second, of the second figure. */
const STEADY = 50;

export interface InviteAclResult {
  /** Calls a second as fast as they go, some at once. A call with digest is two INVITEs. */
  readonly perSecond: number;
  readonly sippPerSecond: number;
  /** How many calls sipp takes in the time of one of ours. */
  readonly ratioPerSecond: number;
  /** CPU of every Trunkline process and Redis, microseconds a call, records and all; at a steady rate. */
  readonly cpuPerCall: number;
  readonly sippCpuPerCall: number;
  readonly ratioCpu: number;
  /** Of all calls to us. */
  readonly failed: number;
  readonly retransmissions: number;
}

export async function benchInviteAcl(): Promise<Readonly<Record<Admission, InviteAclResult>>> {
  const application = createServer((request) => request.resume());
  await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve));
  const address = application.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const trunkline = await startTrunkline({ env: { TRUNKLINE_DEMO: 'false', TRUNKLINE_LOG_LEVEL: 'warn' } });
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-bench-'));
  try {
    const client = clientOf(trunkline, 'us1');
    const voiceUrl = `http://127.0.0.1:${address.port}/`;
    await createDomain(client, { name: 'acl', voiceUrl, addresses: ['127.0.0.0/8'] });
    const callers = { [USER.username]: USER.password };
    await createDomain(client, { name: 'digest', voiceUrl, callers });
    const bench = new Bench(folder, trunkline.process.pid ?? 0, trunkline.sip.port);
    return { acl: await bench.measure('acl'), digest: await bench.measure('digest') };
  } finally {
    await trunkline.stop();
    application.close();
    application.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Load {
  readonly calls: number;
  /** Calls a second; the most there is when absent. */
  readonly rate?: number;
}

interface Cost extends SippCounts {
  readonly cpuPerCall: number;
}

class Bench {
  readonly #folder: string;
  readonly #pid: number;
  readonly #port: number;

  constructor(folder: string, pid: number, port: number) {
    this.#folder = folder;
    this.#pid = pid;
    this.#port = port;
  }

  async measure(domain: Admission): Promise<InviteAclResult> {
    await this.#ours(domain, { calls: WARM_UP });
    const most = await this.#ours(domain, { calls: CALLS });
    const sippMost = await this.#sipps(domain, { calls: CALLS });
    const steady = await this.#ours(domain, { calls: CALLS / 4, rate: STEADY });
    const sippSteady = await this.#sipps(domain, { calls: CALLS / 4, rate: STEADY });
    return {
      perSecond: most.rate,
      sippPerSecond: sippMost.rate,
      ratioPerSecond: sippMost.rate / most.rate,
      cpuPerCall: steady.cpuPerCall,
      sippCpuPerCall: sippSteady.cpuPerCall,
      ratioCpu: steady.cpuPerCall / sippSteady.cpuPerCall,
      failed: most.failed + steady.failed,
      retransmissions: most.retransmissions + steady.retransmissions,
    };
  }

  async #ours(domain: Admission, load: Load): Promise<Cost> {
    const before = await settledCpuOfTree(this.#pid);
    const counts = await this.#call(domain, this.#port, load);
    return { ...counts, cpuPerCall: ((await settledCpuOfTree(this.#pid)) - before) / load.calls };
  }

  async #sipps(domain: Admission, load: Load): Promise<Cost> {
    const scenario = join(this.#folder, `uas-${domain}.xml`);
    writeFileSync(scenario, callee(domain));
    const port = await freePort();
    const uas = runSipp(this.#folder, ['-sf', scenario, '-p', `${port}`, '-m', `${load.calls}`]);
    await pause(500); // it says nothing when it is there
    const before = cpuOfTree(uas.pid);
    let after = before;
    const sampling = setInterval(() => {
      after = Math.max(after, cpuOfTree(uas.pid)); // 0 once it has ended
    }, 50);
    const counts = await this.#call(domain, port, load);
    await uas.ended;
    clearInterval(sampling);
    return { ...counts, cpuPerCall: (after - before) / load.calls };
  }

  async #call(domain: Admission, port: number, { calls, rate }: Load): Promise<SippCounts> {
    const scenario = join(this.#folder, `uac-${domain}.xml`);
    writeFileSync(scenario, caller(domain));
    const pace = rate === undefined ? ['-r', '10000', '-l', `${AT_ONCE}`] : ['-r', `${rate}`];
    const args = ['-sf', scenario, '-m', `${calls}`, '-p', `${await freePort()}`, ...pace];
    return runSipp(this.#folder, [`127.0.0.1:${port}`, ...args]).ended;
  }
}
