import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../support/free-port.ts';
import { until } from '../../support/until.ts';

/** sipp playing a callee. */
export interface SippCallee {
  /** `sip:sipp@127.0.0.1:…` */
  readonly uri: string;
  readonly port: number;
  /** Resolves when its calls are over; empty when all went as the scenario says, else what sipp says of it. */
  readonly done: Promise<string>;
  stop(): void;
}

const TAG = ';tag=[pid]B[call_number]';

/** An SDP with audio at an address and a port, PCMU and telephone events. */
export const sdp = (address = '[media_ip]', port = '[rtpstream_audio_port]') => `v=0
o=sipp 1 1 IN IP4 ${address}
s=-
c=IN IP4 ${address}
t=0 0
m=audio ${port} RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=sendrecv
`;

export const recv = (method: string, inner = ''): string => `<recv request="${method}">${inner}</recv>`;

interface SaidOptions {
  /** More header lines. */
  readonly headers?: readonly string[];
  readonly body?: string;
  /** The To tag; `''` where the request had one. */
  readonly tag?: string;
}

/** A response to the request that was received last; a final one to an INVITE is repeated until its ACK comes. */
export function reply(status: number, { headers = [], body = '', tag = TAG }: SaidOptions = {}): string {
  const repeated = status >= 200 && tag !== '' ? ' retrans="500"' : '';
  return said(`SIP/2.0 ${status} Said`, { headers, body, tag }, repeated);
}

function said(line: string, { headers = [], body = '', tag = TAG }: SaidOptions, attributes: string): string {
  return `<send${attributes}><![CDATA[
${line}
[last_Via:]
[last_From:]
[last_To:]${tag}
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:sipp@[local_ip]:[local_port]>
${headers.map((header) => `${header}\n`).join('')}${body === '' ? '' : 'Content-Type: application/sdp\n'}Content-Length: [len]

${body}]]></send>`;
}

/** A BYE of the callee, who has received its INVITE and ACK with the two below. */
export const bye = (headers: readonly string[] = []): string => `<send retrans="500"><![CDATA[
BYE [$contact] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: [$callee]
To: [$caller]
Call-ID: [call_id]
CSeq: 1 BYE
Max-Forwards: 70
${headers.map((header) => `${header}\n`).join('')}Content-Length: 0

]]></send><recv response="200"/>`;

/** Receives the INVITE and remembers where a BYE goes. */
export const inviteBeforeBye = recv(
  'INVITE',
  '<action><ereg regexp="sip:[^>]+" search_in="hdr" header="Contact:" assign_to="contact"/></action>',
);

/** Receives the ACK and remembers who is who in it, for a BYE. */
export const ackBeforeBye = recv(
  'ACK',
  `<action>
    <ereg regexp=".*" search_in="hdr" header="To:" assign_to="callee"/>
    <ereg regexp=".*" search_in="hdr" header="From:" assign_to="caller"/>
  </action>`,
);

export const pause = (ms: number): string => `<pause milliseconds="${ms}"/>`;

/** Speaks a file of the callee's folder, again and again. */
export const speak = (file: string): string =>
  `<nop><action><exec rtp_stream="${file},-1,0,PCMU/8000"/></action></nop>`;

/** Takes one call as these steps say. */
export async function sippCallee(
  path: string,
  steps: readonly string[],
  files: Readonly<Record<string, Buffer>> = {},
): Promise<SippCallee> {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-uas-'));
  const port = await freePort();
  const scenario = `<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="callee">\n${steps.join('\n')}\n</scenario>\n`;
  await writeFile(join(folder, 'scenario.xml'), scenario);
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  const child = spawn(
    path,
    [
      ...['-sf', 'scenario.xml', '-i', '127.0.0.1', '-p', String(port), '-mi', '127.0.0.1', '-t', 'u1'],
      ...['-m', '1', '-timeout', '150', '-timeout_error', '-nostdin', '-trace_err', '-fd', '1'],
    ],
    { cwd: folder, stdio: 'ignore' },
  );
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  const done = exited.then(async (code) => {
    const errors = (await readdir(folder)).find((name) => name.endsWith('_errors.log'));
    const text = errors === undefined ? '' : await readFile(join(folder, errors), 'latin1');
    await rm(folder, { recursive: true });
    return code === 0 ? '' : `sipp ended with ${code}: ${text.slice(0, 2_000)}`;
  });
  await until('sipp to listen', async () => child.exitCode !== null || (await listensUdp(port)));
  if (child.exitCode !== null) throw new Error(await done);
  return { uri: `sip:sipp@127.0.0.1:${port}`, port, done, stop: () => child.kill('SIGKILL') };
}

/** sipp runs on Linux here; binding the port to find out could take it away from sipp. */
async function listensUdp(port: number): Promise<boolean> {
  const wanted = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return (await readFile('/proc/net/udp', 'latin1')).includes(wanted);
}
