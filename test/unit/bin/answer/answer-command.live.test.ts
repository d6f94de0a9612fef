import { createSocket, type Socket } from 'node:dgram';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { answerCommand } from '../../../../src/bin/answer/answer-command.ts';
import { callCommand } from '../../../../src/bin/call/call-command.ts';
import { SystemClock } from '../../../../src/core/clock.ts';
import { RandomIds } from '../../../../src/core/ids.ts';
import { silentLogger } from '../../../../src/core/logger.ts';
import { makeOffer } from '../../../../src/media/offer-answer.ts';
import { tone } from '../../../../src/media/tones.ts';
import { readWav, writeWav } from '../../../../src/media/wav.ts';
import { createSipAgent } from '../../../../src/sip/agent/agent.ts';
import type { InviteOptions, OutboundInvite, SipAgent } from '../../../../src/sip/agent/port.ts';
import { makeRequest, responseTo } from '../../../../src/sip/message/build.ts';
import { parseMessage } from '../../../../src/sip/message/parse.ts';
import { serialize } from '../../../../src/sip/message/serialize.ts';
import { freePort } from '../../../support/free-port.ts';
import { until } from '../../../support/until.ts';
import { collector } from '../call/callee.ts';

const LOW = 500;
const HIGH = 1_300;
let folder: string;
let low: string;
let high: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trunkline-answer-'));
  low = join(folder, 'low.wav');
  high = join(folder, 'high.wav');
  await writeFile(low, writeWav(tone([LOW], 600, 8_000)));
  await writeFile(high, writeWav(tone([HIGH], 600, 8_000)));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

interface Waiting {
  readonly port: number;
  readonly uri: string;
  readonly done: Promise<number>;
  readonly text: string;
  /** Without times and the numbers of calls. */
  readonly lines: string[];
  stop(): void;
}

/** `trunkline answer` on a free port, once it waits. */
async function answering(...args: string[]): Promise<Waiting> {
  const port = await freePort();
  const stdout = collector();
  const interrupt = new AbortController();
  const at = `127.0.0.1:${port}`;
  const done = answerCommand(['--sip', at, ...args], { stdout, interrupt: interrupt.signal });
  closing.push(() => {
    interrupt.abort();
    return done;
  });
  await until('the callee to listen', () => stdout.text.includes('Waiting for calls'));
  return {
    port,
    uri: `sip:desk@${at}`,
    done,
    get text() {
      return stdout.text;
    },
    get lines() {
      return stdout.text
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(/^ *\d+\.\d{3} s {2}(call \d+: )?/, '> '));
    },
    stop: () => interrupt.abort(),
  };
}

async function calling(...args: string[]): Promise<{ code: number; text: string }> {
  const stdout = collector();
  const code = await callCommand(args, { stdout, interrupt: new AbortController().signal });
  return { code, text: stdout.text };
}

/** A socket of our own, closed after the test. */
async function udpSocket(): Promise<Socket> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  closing.push(async () => socket.close());
  return socket;
}

/** A caller that can do what `trunkline call` does not. */
async function agentCalling(
  uri: string,
  options: Partial<InviteOptions> = {},
  transport: 'udp' | 'tcp' = 'udp',
): Promise<{ agent: SipAgent; outbound: OutboundInvite }> {
  const agent = createSipAgent({ clock: new SystemClock(), ids: new RandomIds(), logger: silentLogger });
  closing.push(() => agent.close());
  const listener = await agent.listen({ transport, host: '127.0.0.1', port: 0, label: 'caller' });
  const { port } = (await udpSocket()).address(); // takes the audio, and leaves it at that
  const body = makeOffer({ address: '127.0.0.1', port, sessionId: 1, version: 1 });
  return {
    agent,
    outbound: agent.invite({ listener, uri, from: '<sip:ann@example.com>', body, ...options }),
  };
}

/** How much of a recording is a sine of this frequency: 0 to 1. */
async function share(path: string, frequency: number): Promise<number> {
  const reading = readWav(await readFile(path));
  if ('problem' in reading) throw new Error(reading.problem);
  let [sine, cosine, all] = [0, 0, 1];
  reading.pcm.forEach((sample, n) => {
    sine += sample * Math.sin((2 * Math.PI * frequency * n) / 8_000);
    cosine += sample * Math.cos((2 * Math.PI * frequency * n) / 8_000);
    all += sample * sample;
  });
  return (2 * (sine * sine + cosine * cosine)) / (all * reading.pcm.length);
}

/** Claims that a recording has this tone and not the other. */
async function expectOnly(path: string, frequency: number): Promise<void> {
  const other = frequency === LOW ? HIGH : LOW;
  const [wanted, unwanted] = [await share(path, frequency), await share(path, other)];
  expect(wanted).toBeGreaterThan(10 * unwanted);
  expect(wanted).toBeGreaterThan(0.02);
}

describe('trunkline call to trunkline answer', () => {
  it('rings, talks both ways, presses keys both ways, and says who hung up', async () => {
    const [heardThere, heardHere] = [join(folder, 'there.wav'), join(folder, 'here.wav')];
    const callee = await answering(
      '--once',
      '--after',
      '100ms',
      '--play',
      low,
      '--press',
      '7',
      '--hear',
      heardThere,
    );
    const script = ['--after', '100ms', '--play', high, '--press', '1#', '--hear', heardHere, '--max', '3s'];
    const { code, text } = await calling(callee.uri, '--from', '+15550100011', ...script);
    expect([code, await callee.done]).toEqual([0, 0]);
    expect(text).toContain('180 Ringing');
    expect(text).toContain('hears key 7');
    expect(callee.lines).toEqual([
      `Waiting for calls at 127.0.0.1:${callee.port} over UDP and TCP: dial <Sip>sip:anyone@127.0.0.1:${callee.port}</Sip>. Ctrl-C ends.`,
      expect.stringMatching(/^> INVITE from 127\.0\.0\.1:\d+ over UDP$/),
      expect.stringMatching(/^> From: <sip:\+15550100011@127\.0\.0\.1:\d+>;tag=\w+$/),
      `> To: <${callee.uri}>, for ${callee.uri}`,
      '> 180 Ringing sent',
      '> 200 OK sent',
      expect.stringMatching(/^> PCMU, audio at 127\.0\.0\.1:\d+$/),
      ...['plays', 'hears sound', 'pressed 7', 'hears key 1', 'hears key #'].map(() => expect.any(String)),
      '> BYE received',
      expect.stringMatching(/^> The caller hung up\. The call lasted \d\.\d s; received \d+ packets/),
      expect.stringMatching(/^Saved what was heard in .*there\.wav: /),
    ]);
    for (const line of [
      `> plays ${low}, 0.6 s`,
      '> hears sound',
      '> pressed 7',
      '> hears key 1',
      '> hears key #',
    ])
      expect(callee.lines).toContain(line);
    await expectOnly(heardThere, HIGH);
    await expectOnly(heardHere, LOW);
  });

  it('hangs up itself after --max, and goes on for the next call', async () => {
    const heard = join(folder, 'two.wav');
    const callee = await answering('--calls', '2', '--after', '0', '--max', '300ms', '--hear', heard);
    for (let n = 0; n < 2; n++) {
      const { code, text } = await calling(callee.uri);
      expect(code).toBe(0);
      expect(text).toContain('BYE received');
      expect(text).not.toContain('180 Ringing'); // with its phrase: a port may begin with 180
    }
    expect(await callee.done).toBe(0);
    expect(callee.text).toContain('call 2: Hung up after 0.3 s; --max allows more.');
    expect((await stat(join(folder, 'two-2.wav'))).size).toBeGreaterThan(44);
  });

  it.each([
    [486, '486 Busy Here'],
    [603, '603 Decline'],
    [404, '404 Not Found'],
  ])('refuses with --status %d', async (status, phrase) => {
    const callee = await answering('--once', '--after', '10ms', '--status', String(status));
    const { code, text } = await calling(callee.uri);
    expect([code, await callee.done]).toEqual([1, 0]);
    expect(text).toContain(`was not reached: ${phrase}`);
    expect(callee.lines.slice(-2)).toEqual(['> 180 Ringing sent', `> ${phrase} sent`]);
  });

  it('says that the caller gave up while it rang', async () => {
    const callee = await answering('--once', '--after', '60s');
    const { code } = await calling(callee.uri, '--max', '300ms');
    expect([code, await callee.done]).toEqual([1, 0]);
    expect(callee.lines.at(-1)).toBe('> CANCEL received: the caller hung up before the answer');
  });

  it('hangs up when it is stopped, in a call and while it rings', async () => {
    const talking = await answering('--after', '0');
    const call = calling(talking.uri);
    await until('the answer', () => talking.text.includes('200 OK sent'));
    talking.stop();
    expect((await call).text).toContain('BYE received');
    expect([await talking.done, talking.text]).toEqual([
      0,
      expect.stringContaining('Hung up. The call lasted'),
    ]);
    const ringing = await answering('--after', '60s');
    const unanswered = calling(ringing.uri);
    await until('the ringing', () => ringing.text.includes('180 Ringing sent'));
    ringing.stop();
    expect((await unanswered).text).toContain('480 Temporarily Unavailable');
    expect(await ringing.done).toBe(0);
  });
});

describe('trunkline answer', () => {
  it('shows the headers of the call, and sends its own', async () => {
    const headers = ['--header', 'X-Desk=7', '--header', 'X-Greeting: a=b; c'];
    const callee = await answering('--once', '--after', '10ms', ...headers);
    const sent = { 'X-Twilio-CallSid': 'CA1', 'User-to-User': '00ab', Subject: 'not shown' };
    const { outbound } = await agentCalling(callee.uri, { headers: sent });
    const rang: (string | undefined)[] = [];
    outbound.onProgress = (response) => rang.push(response.headers.get('x-desk'));
    const { dialog, response } = await outbound.answered;
    expect(rang).toEqual(['7']);
    expect(response.headers.get('x-greeting')).toBe('a=b; c');
    await dialog.bye();
    await callee.done;
    expect(callee.lines).toContain('> X-Twilio-CallSid: CA1');
    expect(callee.lines).toContain('> User-to-User: 00ab');
    expect(callee.text).not.toContain('not shown');
  });

  it('takes calls over TCP, too', async () => {
    const callee = await answering('--once', '--after', '0');
    const { outbound } = await agentCalling(`${callee.uri};transport=tcp`, {}, 'tcp');
    const { dialog } = await outbound.answered;
    expect(await dialog.bye()).toBe(200);
    expect([await callee.done, callee.text]).toEqual([0, expect.stringContaining('over TCP\n')]);
  });

  it('plays early audio before it answers, or instead', async () => {
    const callee = await answering('--once', '--after', '500ms', '--early', '--play', low, '--status', '480');
    const { outbound } = await agentCalling(callee.uri);
    const early: string[] = [];
    outbound.onProgress = ({ status, body }) => early.push(`${status} ${body.includes('m=audio')}`);
    await expect(outbound.answered).rejects.toMatchObject({ cause: 'rejected', status: 480 });
    expect(early).toEqual(['183 true']);
    await callee.done;
    expect(callee.lines).toContain(`> plays ${low}, 0.6 s`);
  });

  it('answers an INVITE without an offer with one, and takes the answer of the ACK', async () => {
    const callee = await answering('--once', '--after', '0', '--max', '300ms');
    const caller = await udpSocket();
    const audio = (await udpSocket()).address().port;
    const me = `127.0.0.1:${caller.address().port}`;
    const send = (method: string, to: string, body = '') => {
      const headers = {
        Via: `SIP/2.0/UDP ${me};branch=z9hG4bK${method}`,
        'Max-Forwards': '70',
        From: '<sip:ann@example.com>;tag=ann',
        To: to,
        'Call-ID': 'offerless',
        CSeq: `1 ${method}`,
        Contact: `<sip:ann@${me}>`,
      };
      const type = body === '' ? undefined : 'application/sdp';
      caller.send(serialize(makeRequest(method, callee.uri, headers, body, type)), callee.port, '127.0.0.1');
    };
    caller.on('message', (bytes) => {
      const parsed = parseMessage(bytes);
      if (!parsed.ok) throw new Error(parsed.reason);
      const { message } = parsed;
      if (message.kind === 'request')
        caller.send(serialize(responseTo(message, 200)), callee.port, '127.0.0.1');
      else if (message.status === 200) {
        expect(message.body).toContain('m=audio');
        const answer = makeOffer({ address: '127.0.0.1', port: audio, sessionId: 1, version: 1 });
        send('ACK', message.headers.get('To') ?? '', answer);
      }
    });
    send('INVITE', `<${callee.uri}>`);
    expect(await callee.done).toBe(0);
    expect(callee.lines).toContain(`> PCMU, audio at 127.0.0.1:${audio}`);
    expect(callee.lines.at(-1)).toContain('Hung up after 0.3 s');
  });

  it('stops waiting for an answer that the ACK does not bring', async () => {
    const callee = await answering('--once', '--after', '0');
    const { outbound } = await agentCalling(callee.uri, { body: '' });
    const { dialog } = await outbound.answered;
    callee.stop();
    expect(await callee.done).toBe(0);
    await until('the BYE', () => dialog.ended.aborted);
    expect(callee.text).toContain('Hung up. The call lasted 0.0 s; received no audio.');
  });

  it('refuses an SDP it cannot use', async () => {
    const callee = await answering('--once', '--after', '0');
    const { outbound } = await agentCalling(callee.uri, { body: 'v=0\r\n' });
    await expect(outbound.answered).rejects.toMatchObject({ cause: 'rejected' });
    await callee.done;
    expect(callee.text).toContain('the SDP of the INVITE cannot be used: ');
  });

  it('asks for credentials, and lets in who has them', async () => {
    const callee = await answering('--once', '--after', '0', '--user', 'ann', '--password', 's3cret');
    const none = await agentCalling(callee.uri);
    await expect(none.outbound.answered).rejects.toMatchObject({ status: 401 });
    const wrong = await agentCalling(callee.uri, { credentials: { username: 'ann', password: 'guess' } });
    await expect(wrong.outbound.answered).rejects.toMatchObject({ status: 401 });
    const right = await agentCalling(callee.uri, { credentials: { username: 'ann', password: 's3cret' } });
    const { dialog } = await right.outbound.answered;
    await dialog.bye();
    expect(await callee.done).toBe(0);
    expect(callee.text).toContain('without credentials: 401 sent');
    expect(callee.text).toContain('with wrong credentials: 401 sent');
    expect(callee.text).toContain(', with the right credentials');
  });

  it.each(['udp', 'tcp'])('says in one line that its port is taken over %s', async (transport) => {
    const port = await freePort();
    const taken = transport === 'udp' ? createSocket('udp4') : createServer();
    await new Promise<void>((resolve) => {
      if ('listen' in taken) taken.listen(port, '127.0.0.1', resolve);
      else taken.bind(port, '127.0.0.1', resolve);
    });
    closing.push(async () => taken.close());
    const [stdout, stderr] = [collector(), collector()];
    expect(await answerCommand(['--sip', `127.0.0.1:${port}`], { stdout, stderr })).toBe(1);
    expect(stdout.text).toBe('');
    const way = `127\\.0\\.0\\.1:${port} over ${transport.toUpperCase()}`;
    expect(stderr.text).toMatch(new RegExp(`^error: ${way} is taken by another program.*: .*--sip.*\n$`));
  });

  it.each<[string, string[], RegExp]>([
    [
      'a status that refuses nothing',
      ['--status', '200'],
      /"200" refuses no call: expected a SIP status from 300/,
    ],
    ['a transport that is none', ['--transport', 'tls'], /"tls" is not a transport: expected udp or tcp/],
    ['a user without password', ['--user', 'ann'], /give --password, too/],
    ['a password without user', ['--password', 'x'], /give --user, too/],
    ['a header without name', ['--header', '=x'], /"=x" is not a header: expected a name and a value/],
    ['a header with a line break', ['--header', 'X-A=b\nX-C: d'], /is not a header/],
    [
      'a header of the call itself',
      ['--header', 'Call-ID=x'],
      /the header Call-ID belongs to the call itself/,
    ],
    ['no calls', ['--calls', '0'], /"0" is not a number of calls: expected 1 or more/],
    ['once and more', ['--once', '--calls', '2'], /'--once' cannot be used with option '--calls/],
    ['a time that is none', ['--after', 'silence'], /"silence" is not a length of time/],
    ['an address that is none', ['--sip', 'a b'], /"a b" is not a SIP address/],
    ['every address', ['--sip', '0.0.0.0:5999'], /0\.0\.0\.0:5999 is every address of this machine/],
    [
      'an address elsewhere',
      ['--sip', '192.0.2.1:5999'],
      /192\.0\.2\.1:5999 over UDP is no address of this machine/,
    ],
    ['a host that is none', ['--sip', 'no-such-host.invalid'], /cannot be listened at \(E\w+\)/],
    ['a file that is not there', ['--play', '/nowhere/a.wav'], /cannot be read \(ENOENT\): give --play/],
  ])('%s: says what was found and what was expected', async (_, args, message) => {
    const [stdout, stderr] = [collector(), collector()];
    const interrupt = new AbortController().signal;
    expect(await answerCommand(args, { stdout, stderr, interrupt })).toBe(1);
    expect(stderr.text).toMatch(message);
    expect(stdout.text).toBe('');
  });

  it('explains itself', async () => {
    const stdout = collector();
    expect(await answerCommand(['--help'], { stdout })).toBe(0);
    for (const option of [
      '--sip',
      '--transport',
      '--after',
      '--early',
      '--status',
      '--play',
      '--press',
      '--hear',
    ])
      expect(stdout.text).toContain(option);
  });
});
