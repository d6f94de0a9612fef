import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { SystemClock } from '../../src/core/clock.ts';
import { RandomIds } from '../../src/core/ids.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { makeOffer } from '../../src/media/offer-answer.ts';
import { createSipAgent } from '../../src/sip/agent/agent.ts';
import { type RunningTrunkline, startTrunkline } from '../support/trunkline.ts';
import { twilioClient } from '../support/twilio-client.ts';
import { cpuOfTree } from './process-cpu.ts';
import { quantile } from './quantile.ts';
import { runSipp } from './sipp-run.ts';

/** What the whole path costs, from the INVITE on the wire, on a real start with everything in place. */
export interface CallPathResult {
  /** INVITE sent → the application has the request, milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly calls: number;
  readonly load: readonly LoadResult[];
}

export interface LoadResult {
  readonly rate: number;
  readonly calls: number;
  readonly failed: number;
  /** CPU of every Trunkline process and Redis, microseconds a call. */
  readonly cpuPerCall: number;
  /** CPU of sipp's own UAS taking the same calls, in the same run. */
  readonly sippCpuPerCall: number;
  readonly ratio: number;
}

const NUMBER = '+12025550111';
const HANG_UP = '<?xml version="1.0"?><Response><Hangup/></Response>';

/** A caller for sipp that is answered and hung up on. */
const UAC = `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="answered and hung up on">
<send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:+15550100001@[local_ip]:[local_port]>;tag=[pid]b[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:bench@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
]]></send>
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="200" rrs="true"/>
<send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:+15550100001@[local_ip]:[local_port]>;tag=[pid]b[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv request="BYE"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
`;

/** sipp's side of the comparison: answers and hangs up as Trunkline does. */
const UAS = `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="answers and hangs up">
<recv request="INVITE" crlf="true"/>
<send retrans="500"><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[pid]a[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
]]></send>
<recv request="ACK"/>
<send retrans="500"><![CDATA[
BYE sip:bench@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:[local_ip]:[local_port]>;tag=[pid]a[call_number]
[last_From:]
Call-ID: [call_id]
CSeq: 1 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="200"/>
</scenario>
`;

export async function benchCallPath(): Promise<CallPathResult> {
  let asked: (() => void) | undefined;
  const application = createServer((request, response) => {
    asked?.();
    request.resume().on('end', () => response.setHeader('Content-Type', 'text/xml').end(HANG_UP));
  });
  await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve));
  const address = application.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const trunkline = await startTrunkline({ env: { TRUNKLINE_DEMO: 'false', TRUNKLINE_LOG_LEVEL: 'warn' } });
  try {
    const client = twilioClient(trunkline.httpPort + 1, trunkline.accountSid, trunkline.tokens['us1'] ?? '');
    await client.incomingPhoneNumbers.create({
      phoneNumber: NUMBER,
      voiceUrl: `http://127.0.0.1:${address.port}/`,
    });
    const times = await latencies(trunkline, 400, (notify) => {
      asked = notify;
    });
    asked = undefined;
    const load: LoadResult[] = [];
    for (const rate of [50, 100, 200]) {
      const result = await loadAt(trunkline, rate, rate * 6);
      load.push(result);
      if (result.failed > 0) break;
    }
    return { p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99), calls: times.length, load };
  } finally {
    await trunkline.stop();
    application.close();
    application.closeAllConnections();
  }
}

/** Places calls one after the other; the caller and the application share this process's clock. */
async function latencies(
  trunkline: RunningTrunkline,
  calls: number,
  watch: (notify: () => void) => void,
): Promise<number[]> {
  const agent = createSipAgent({ clock: new SystemClock(), ids: new RandomIds(), logger: silentLogger });
  const listener = await agent.listen({ transport: 'udp', host: '127.0.0.1', port: 0, label: 'bench' });
  const body = makeOffer({ address: '127.0.0.1', port: 40_000, sessionId: 1, version: 1 });
  const times: number[] = [];
  for (let call = 0; call < calls + 50; call++) {
    const arrival = new Promise<number>((resolve) => watch(() => resolve(performance.now())));
    const sent = performance.now();
    const invite = agent.invite({
      listener,
      uri: `sip:${NUMBER}@127.0.0.1:${trunkline.sip.port}`,
      from: '<sip:+15550100001@127.0.0.1>',
      body,
    });
    const ended = invite.answered.then(({ dialog }) => hangUpOf(dialog.ended));
    const took = (await arrival) - sent;
    await ended;
    if (call >= 50) times.push(took); // the first ones warm everything up
  }
  await agent.close();
  return times;
}

function hangUpOf(ended: AbortSignal): Promise<void> {
  return ended.aborted
    ? Promise.resolve()
    : new Promise((resolve) => ended.addEventListener('abort', () => resolve()));
}

async function loadAt(trunkline: RunningTrunkline, rate: number, calls: number): Promise<LoadResult> {
  const folder = join(tmpdir(), `trunkline-bench-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'uac.xml'), UAC);
  writeFileSync(join(folder, 'uas.xml'), UAS);
  const caller = (port: number, local: number) =>
    runSipp(folder, [
      `127.0.0.1:${port}`,
      '-sf',
      'uac.xml',
      '-s',
      NUMBER,
      '-r',
      `${rate}`,
      '-m',
      `${calls}`,
      '-p',
      `${local}`,
    ]);

  const before = cpuOfTree(trunkline.process.pid ?? 0);
  const first = await caller(trunkline.sip.port, 27_060).ended;
  await pause(2_000); // records and archives are part of a call
  const cpu = cpuOfTree(trunkline.process.pid ?? 0) - before;

  const uas = runSipp(folder, ['-sf', 'uas.xml', '-p', '27080', '-m', `${calls}`]);
  await pause(300);
  const uasBefore = cpuOfTree(uas.pid);
  const second = caller(27_080, 27_070);
  let uasCpu = 0;
  const sampling = setInterval(() => {
    const now = cpuOfTree(uas.pid);
    if (now > 0) uasCpu = now - uasBefore;
  }, 100);
  await second.ended;
  await uas.ended;
  clearInterval(sampling);
  rmSync(folder, { recursive: true, force: true });
  const sippCpuPerCall = uasCpu / calls;
  return {
    rate,
    calls,
    failed: first.failed,
    cpuPerCall: cpu / calls,
    sippCpuPerCall,
    ratio: cpu / calls / sippCpuPerCall,
  };
}
