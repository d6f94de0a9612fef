import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { callCommand } from '../../../../src/bin/call/call-command.ts';
import { tone } from '../../../../src/media/tones.ts';
import { readWav, writeWav } from '../../../../src/media/wav.ts';
import { edgePort } from '../../../../src/region/edge.ts';
import { align, noise, share } from '../../../support/alignment.ts';
import { freePort, freePorts } from '../../../support/free-port.ts';
import { notRun, peer } from '../../../support/peers.ts';
import { until } from '../../../support/until.ts';
import { shareOf } from '../../media/audio.ts';
import { type Callee, collector, type PickedUp, pickUp, startCallee } from './callee.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trunkline-call-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const open: Callee[] = [];
afterEach(async () => {
  for (const callee of open.splice(0)) await callee.close();
});

async function callee(onInvite: Parameters<typeof startCallee>[0]): Promise<Callee> {
  const started = await startCallee(onInvite);
  open.push(started);
  return started;
}

async function run(
  args: string[],
  interrupt?: AbortSignal,
): Promise<{ code: number; lines: string[]; text: string }> {
  const stdout = collector();
  const never = new AbortController().signal;
  const code = await callCommand(args, { stdout, interrupt: interrupt ?? never });
  return { code, text: stdout.text, lines: stdout.text.trimEnd().split('\n') };
}

const samples = (ms: number) => ms * 8;

/** Milliseconds before the first sound. */
const silentMs = (pcm: Int16Array) => pcm.findIndex((sample) => Math.abs(sample) > 100) / 8;

/** What has been heard so far, from the first sound to the last. */
function sound({ heard, line }: PickedUp): Int16Array {
  const pcm = heard.pcm(line.elapsedMs);
  const from = pcm.findIndex((sample) => sample !== 0);
  return from < 0 ? new Int16Array() : pcm.subarray(from, pcm.findLastIndex((sample) => sample !== 0) + 1);
}

async function wavAt(path: string): Promise<Int16Array> {
  const reading = readWav(await readFile(path));
  if ('problem' in reading) throw new Error(reading.problem);
  return reading.pcm;
}

describe('trunkline call', () => {
  it('rings, is answered, hears, is hung up on, and says so line by line', async () => {
    const hear = join(folder, 'heard.wav');
    const voice = noise(0.6);
    const { port } = await callee(async (invite) => {
      invite.respond(180);
      const { dialog, say, line } = await pickUp(invite);
      say(new Int16Array(samples(300)));
      say(voice);
      await until('the voice to be over', () => line.sent > 60);
      await dialog.bye();
    });
    const { code, lines } = await run([`sip:menu@127.0.0.1:${port}`, '--hear', hear]);
    expect(code).toBe(0);
    expect(lines.map((line) => line.replace(/^ *\d+\.\d{3} s {2}/, '> '))).toEqual([
      `Calling sip:menu@127.0.0.1:${port} from +15550100099.`,
      `> INVITE sent to 127.0.0.1:${port}`,
      '> 180 Ringing',
      expect.stringMatching(/^> 200 OK: answered after \d+ ms, PCMU, audio at 127\.0\.0\.1:\d+$/),
      '> hears sound',
      '> BYE received',
      expect.stringMatching(
        /^sip:menu\S+ hung up\. The call lasted \d+\.\d s; received \d\d+ packets, \d+ bytes of audio, none lost\.$/,
      ),
      expect.stringMatching(/^Saved what was heard in .*heard\.wav: \d+\.\d s, \d+ bytes\.$/),
    ]);
    const pcm = await wavAt(hear);
    expect(pcm.length).toBeGreaterThan(samples(1_100));
    expect(silentMs(pcm)).toBeGreaterThan(200); // 300 before it spoke
    const { found, foreign } = align(voice, pcm);
    expect(found).toBeGreaterThan(300);
    expect(foreign).toBe(0);
  });

  it('presses keys as events and plays files in the order given', async () => {
    const play = join(folder, 'play.wav');
    const voice = noise(0.4);
    await writeFile(play, writeWav(voice));
    let other: PickedUp | undefined;
    const { port } = await callee(async (invite) => {
      const picked = await pickUp(invite);
      other = picked;
      await until('the last key', () => picked.keys.includes('#'));
      await picked.dialog.bye();
    });
    const args = ['--press', '1w2', '--play', play, '--press', '#', '--after', '100ms'];
    const { code, text } = await run([`sip:menu@127.0.0.1:${port}`, ...args]);
    expect(code).toBe(0);
    expect(other?.keys).toEqual(['1', '2', '#']);
    const said = ['pressed 1', 'pressed 2', `plays ${play}, 0.4 s`, 'pressed #'].map((line) =>
      text.indexOf(line),
    );
    expect(said).toEqual([...said].sort((a, b) => a - b));
    expect(said[0]).toBeGreaterThan(0);
    // 100 ms, a key of 220 ms, half a second, another key, then the file.
    const pcm = other?.heard.pcm(10_000) ?? new Int16Array();
    expect(silentMs(pcm)).toBeGreaterThan(950);
    expect(share(voice, pcm)).toBeGreaterThan(0.5);
  });

  it('presses keys as tones when the callee takes no events', async () => {
    let other: PickedUp | undefined;
    const { port } = await callee(async (invite) => {
      const picked = await pickUp(invite, (sdp) =>
        sdp.replace(/ 101\r/, '\r').replace(/a=(rtpmap|fmtp):101.*\r\n/g, ''),
      );
      other = picked;
      await until('the whole key', () => sound(picked).length >= samples(119));
      await picked.dialog.bye();
    });
    const { text } = await run([`sip:menu@127.0.0.1:${port}`, '--press', '5', '--after', '100ms']);
    expect(text).toContain('pressed 5, as a tone');
    expect(other?.keys).toEqual([]);
    const heard = other ? sound(other) : new Int16Array();
    expect(shareOf(770, heard) + shareOf(1_336, heard)).toBeGreaterThan(0.95);
    expect(heard.length).toBeLessThanOrEqual(samples(120));
  });

  it('waits for silence before it presses, when told to', async () => {
    const { port } = await callee(async (invite) => {
      const { dialog, say, keys, line } = await pickUp(invite);
      say(tone([440], 500, 8_000));
      await until('the key', () => keys.includes('1'));
      expect(line.elapsedMs).toBeGreaterThan(1_400);
      await dialog.bye();
    });
    const { code } = await run([`sip:menu@127.0.0.1:${port}`, '--press', '1', '--after', 'silence']);
    expect(code).toBe(0);
  });

  it('goes in at the edge asked for', async () => {
    const { port, invites } = await callee((invite) => invite.respond(486));
    const first = port - edgePort('dublin', 0); // the callee stands where dublin would
    const { lines } = await run([
      '+353 1 555-0100',
      '--edge',
      'dublin',
      '--sip',
      `127.0.0.1:${first}`,
      '--from',
      '+15550001111',
    ]);
    expect(lines[0]).toBe('Calling +35315550100 from +15550001111 through the edge dublin.');
    expect(lines[1]).toContain(`INVITE sent to edge dublin, 127.0.0.1:${port}`);
    expect(invites[0]?.request.uri).toBe(`sip:+35315550100@127.0.0.1:${port}`);
    expect(invites[0]?.request.headers.get('From')).toMatch(/^<sip:\+15550001111@127\.0\.0\.1:\d+>;tag=/);
  });

  it('sends a URI that only Trunkline knows to the edge it names', async () => {
    const { port, invites } = await callee((invite) => invite.respond(404));
    const sip = `127.0.0.1:${port - edgePort('frankfurt', 0)}`;
    const stdout = collector();
    const uri = 'sip:alice@office.sip.frankfurt.trunkline.localhost';
    await callCommand([uri], { stdout, sip, interrupt: new AbortController().signal });
    expect(invites[0]?.request.uri).toBe(uri);
    expect(stdout.text).toContain(`INVITE sent to edge frankfurt, 127.0.0.1:${port}`);
  });

  it.each([
    [486, {}, ['was not reached: 486 Busy Here.', 'The callee is busy']],
    [
      404,
      { headers: { Reason: 'SIP;cause=404;text="no such number"' } },
      ['404 Not Found, no such number.', '`trunkline start` printed'],
    ],
    [403, {}, ['403 Forbidden.', 'TRUNKLINE_INGRESS_ALLOW']],
    [
      488,
      { headers: { Warning: '399 trunkline "no common codec"' } },
      ['488 Not Acceptable Here, no common codec.', 'PCMU and PCMA'],
    ],
    [503, {}, ['503 Service Unavailable.', '/dashboard/queues']],
    [604, { phrase: 'Nowhere\u001b[2J' }, ['604 Nowhere [2J.']],
  ])('ends with 1 and a sentence on %d', async (status, options, expected) => {
    const { port } = await callee((invite) => invite.respond(status, options));
    const { code, text } = await run([`sip:menu@127.0.0.1:${port}`]);
    expect(code).toBe(1);
    for (const part of expected) expect(text).toContain(part);
    expect(text).not.toContain('\u001b');
  });

  it('says at once that nothing listens', async () => {
    const first = await freePorts(2);
    const port = first + (first % 2); // edges stand at even distances from the first SIP address
    const { code, text } = await run([
      '+35315550100',
      '--edge',
      'umatilla',
      '--sip',
      `127.0.0.1:${port - 2}`,
    ]);
    expect(code).toBe(1);
    expect(text).toContain(
      `Nothing listens at 127.0.0.1:${port}, the edge umatilla: is Trunkline running? Start it with \`npm start\``,
    );
  });

  it('cancels when interrupted while it rings', async () => {
    const interrupt = new AbortController();
    const { port, invites } = await callee((invite) => {
      invite.respond(180);
      interrupt.abort();
    });
    const { code, text } = await run([`sip:menu@127.0.0.1:${port}`], interrupt.signal);
    expect(code).toBe(1);
    expect(text).toContain('CANCEL sent');
    expect(text).toContain('Hung up before the call was answered.');
    expect(invites[0]?.ended.reason).toMatchObject({ cause: 'cancel' });
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('hangs up on %s', async (signal) => {
    const others = process.listeners(signal); // the test runner's own
    const { port, invites } = await callee((invite) => {
      invite.respond(180);
      for (const listener of process.listeners(signal))
        if (!others.includes(listener)) listener.call(process, signal);
    });
    const stdout = collector();
    expect(await callCommand([`sip:menu@127.0.0.1:${port}`], { stdout })).toBe(1);
    expect(stdout.text).toContain('CANCEL sent');
    expect(invites[0]?.ended.reason).toMatchObject({ cause: 'cancel' });
    expect(process.listeners(signal)).toEqual(others);
  });

  it('hangs up with BYE when interrupted, and is answered all the same', async () => {
    const interrupt = new AbortController();
    const hear = join(folder, 'interrupted.wav');
    let other: PickedUp | undefined;
    const { port } = await callee(async (invite) => {
      const picked = await pickUp(invite);
      other = picked;
      await until('some audio', () => picked.heard.packets > 10);
      interrupt.abort();
    });
    const { code, text } = await run([`sip:menu@127.0.0.1:${port}`, '--hear', hear], interrupt.signal);
    expect(code).toBe(0);
    expect(text).toContain('BYE sent');
    expect(text).toMatch(/Hung up\. The call lasted \d+\.\d s/);
    expect(other?.dialog.ended.reason).toMatchObject({ cause: 'bye' });
    expect((await wavAt(hear)).length).toBeGreaterThan(samples(150));
  });

  it('rings and talks no longer than --max', async () => {
    const ringing = await callee((invite) => invite.respond(180));
    const unanswered = await run([`sip:menu@127.0.0.1:${ringing.port}`, '--max', '300ms']);
    expect(unanswered.code).toBe(1);
    expect(unanswered.text).toContain('did not answer within 0.3 s; --max allows more.');
    const talking = await callee(async (invite) => {
      await pickUp(invite);
    });
    const answered = await run([`sip:menu@127.0.0.1:${talking.port}`, '--max', '2s']);
    expect(answered.code).toBe(0);
    expect(answered.text).toMatch(
      /Hung up after 2(\.0)? s; --max allows more\. The call lasted [2-9]\d*\.\d s/,
    );
  });

  it('follows a re-INVITE of the callee', async () => {
    const { port } = await callee(async (invite) => {
      const { dialog, line } = await pickUp(invite);
      const hold = (direction: string) =>
        [
          'v=0',
          'o=- 1 2 IN IP4 127.0.0.1',
          's=-',
          'c=IN IP4 127.0.0.1',
          't=0 0',
          `m=audio ${line.port} RTP/AVP 8 101`,
          'a=rtpmap:101 telephone-event/8000',
          `a=${direction}`,
          '',
        ].join('\r\n');
      const response = await dialog.reinvite(hold('sendonly'));
      expect(response.body).toContain('a=recvonly');
      expect(response.body).toMatch(/o=- \d+ 2 /);
      await dialog.bye();
    });
    const { code, text } = await run([`sip:menu@127.0.0.1:${port}`]);
    expect(code).toBe(0);
    expect(text).toContain('re-INVITE: PCMA, recvonly');
  });

  it('an answer without usable audio is hung up on and not called answered', async () => {
    const { port, invites } = await callee((invite) => {
      invite.accept(
        'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\n',
      );
    });
    const { code, text } = await run([`sip:menu@127.0.0.1:${port}`]);
    expect(code).toBe(1);
    expect(text).toContain('an SDP that cannot be used');
    await until('the BYE', () => invites[0]?.ended.aborted);
  });

  it('leaves nothing behind', async () => {
    const { port } = await callee(async (invite) => {
      const { dialog } = await pickUp(invite);
      await dialog.bye();
    });
    const count = () =>
      process.getActiveResourcesInfo().filter((kind) => kind === 'UDPWrap' || kind === 'Timeout').length;
    await run([`sip:menu@127.0.0.1:${port}`]);
    await until(
      'the first call to be gone',
      () => process.getActiveResourcesInfo().filter((k) => k === 'UDPWrap').length <= 1,
    );
    const before = count();
    for (let n = 0; n < 5; n++) await run([`sip:menu@127.0.0.1:${port}`]);
    await until('sockets and timers as before', () => count() <= before);
  });
});

const sipp = peer('sipp');
if (!sipp) notRun('trunkline call to sipp', 'sipp is not installed (Debian: sip-tester)');
else {
  describe('trunkline call to sipp', () => {
    it('is answered, and hangs up so that sipp counts a successful call', async () => {
      const port = await freePort();
      const args = [
        '-sn',
        'uas',
        '-i',
        '127.0.0.1',
        '-p',
        String(port),
        '-m',
        '1',
        '-nostdin',
        '-timeout',
        '120s',
      ];
      const uas = spawn(sipp, args, { stdio: 'ignore', cwd: folder });
      const ended = once(uas, 'exit');
      await until('sipp to listen', () => isBound(port));
      const { code, text } = await run([`sip:service@127.0.0.1:${port}`, '--max', '3s']);
      expect(text).toContain('180 Ringing');
      expect(text).toContain('200 OK: answered');
      expect(text).toContain('BYE sent');
      expect(code).toBe(0);
      expect((await ended)[0]).toBe(0); // sipp's own verdict
    });
  });
}

/** Claims that a UDP socket is bound to this port of 127.0.0.1. */
async function isBound(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind({ address: '127.0.0.1', port, exclusive: true }, resolve);
    });
    return false;
  } catch {
    return true;
  } finally {
    socket.close();
  }
}
