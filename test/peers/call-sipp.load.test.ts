import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientOf, eventsOf, type StoredCall, storedCallFrom, timelineOf } from '../e2e/support/numbers.ts';
import { align, noise } from '../support/alignment.ts';
import { bucketFiles, storedCalls } from '../support/bucket-files.ts';
import { notRun, peer } from '../support/peers.ts';
import { pcapPayloads, repeatPcap, runSipp, type SippOptions } from '../support/sipp.ts';
import { type RunningTrunkline, startTrunkline } from '../support/trunkline.ts';
import { until } from '../support/until.ts';
import { readPcm, wavOf, writePcm } from '../support/wav-compare.ts';
import { WebhookApp } from '../support/webhook-app.ts';

/** A recorded stream of PCMA in packets of 30 ms; comes with sipp. Ours says something else in the same packets. */
const PCAP = '/usr/share/sip-tester/g711a.pcap';

const sipp = peer('sipp');
const sox = peer('sox');

if (!sipp || !sox) notRun('calls by sipp', 'sipp and sox (Debian: sip-tester, sox) are not both installed');
else if (process.getuid?.() !== 0)
  notRun('calls by sipp', 'sipp sends its pcaps through raw sockets: root only');
else tests(sipp, sox);

function tests(sipp: string, sox: string): void {
  let trunkline: RunningTrunkline;
  let app: WebhookApp;
  let folder: string;
  let speech: Int16Array;
  let alaw: Buffer;
  let ulaw: Buffer;
  let made = 0;

  async function numberFor(voiceUrl: string): Promise<string> {
    const phoneNumber = `+1202555${2000 + made++}`;
    await clientOf(trunkline, 'us1').incomingPhoneNumbers.create({ phoneNumber, voiceUrl });
    return phoneNumber;
  }

  const calls = (
    scenario: string,
    options: Pick<SippOptions, 'number' | 'calls'> & Partial<SippOptions>,
  ): ReturnType<typeof runSipp> =>
    runSipp(sipp, {
      scenario: join(import.meta.dirname, 'sipp', `call-${scenario}.xml`),
      transport: 'udp',
      to: trunkline.sip,
      ...options,
    });

  /** Objects of the bucket so far whose names end in this; only names are read, so it may be asked often. */
  const objects = (ending: RegExp) => bucketFiles(trunkline.home, 'us1').filter((path) => ending.test(path));

  /** Waits until as many records and recordings are stored as calls were made; all records of these callers. */
  async function recordsOf(callers: readonly string[], all: number): Promise<StoredCall[]> {
    await until(`${all} records`, () => objects(/CA[0-9a-f]{32}\.json$/).length >= all);
    const wanted = new Set(callers);
    const records = storedCalls(trunkline.home, 'us1').filter(({ from }) => wanted.has(from));
    await until(`${all} recordings`, () => objects(/RE[0-9a-f]{32}\.json$/).length >= all).catch((error) => {
      const heard = recordingsOf(records.map(({ sid }) => sid));
      const without = records.filter(({ sid }) => !heard.has(sid)).slice(0, 3);
      const timelines = without.map(({ sid }) => timelineOf(trunkline, 'us1', sid));
      throw new Error(`calls without a recording: ${JSON.stringify(timelines)}`, { cause: error });
    });
    return records;
  }

  /** What was recorded, by CallSid. */
  function recordingsOf(callSids: readonly string[]): Map<string, Int16Array> {
    const wanted = new Set(callSids);
    const found = objects(/RE[0-9a-f]{32}\.json$/).map((path): [string, Int16Array] => {
      const about: unknown = JSON.parse(readFileSync(path, 'utf8'));
      return [String(Reflect.get(Object(about), 'call_sid')), readPcm(path.replace(/json$/, 'wav'))];
    });
    return new Map(found.filter(([callSid]) => wanted.has(callSid)));
  }

  const callers = (count: number, prefix: string) =>
    Array.from({ length: count }, (_, n) => `+1555${prefix}${String(n).padStart(4, '0')}`);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'trunkline-speech-'));
    const file = (name: string) => join(folder, name);
    const raw = ['-r', '8000', '-c', '1'];
    // sipp speaks after a while, whatever has been asked by then: a recording that begins late must hear it too.
    const packets = repeatPcap(readFileSync(PCAP), 4);
    const payloads = pcapPayloads(packets);
    speech = noise(payloads.reduce((bytes, payload) => bytes + payload.length, 0) / 8_000);
    writePcm(file('speech.wav'), speech);
    for (const law of ['al', 'ul'])
      execFileSync(sox, [file('speech.wav'), '-t', law, ...raw, file(`speech.${law}`)]);
    const codes = readFileSync(file('speech.al'));
    payloads.reduce((at, payload) => at + codes.copy(payload, 0, at, at + payload.length), 0);
    alaw = packets;
    ulaw = readFileSync(file('speech.ul'));
    app = await WebhookApp.start();
    trunkline = await startTrunkline({ env: { TRUNKLINE_DEMO: 'false', TRUNKLINE_REGIONS: 'us1' } });
    app.on('/tune.wav', { body: wavOf(noise(10)), headers: { 'content-type': 'audio/wav' } });
    app.on('/recorded', { body: '<Response><Hangup/></Response>' });
  });

  afterAll(async () => {
    await trunkline.stop();
    await app.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('200 callers over UDP hear, press and speak; every digit and every voice arrives', async () => {
    const record = '<Record maxLength="10" timeout="12" playBeep="false" action="/recorded"/>';
    const gather = `<Gather numDigits="4" timeout="10" action="/digits"><Play>${app.url('/tune.wav')}</Play></Gather>`;
    app.on('/digits', { body: `<Response>${record}</Response>` });
    const number = await numberFor(app.on('/voice', { body: `<Response>${gather}</Response>` }));
    const from = callers(200, '020');
    const keys = from.map((_, n) => String(n * 49 + 131).padStart(4, '*'));
    const rows = from.map((caller, n) => `${caller};${keys[n]};`);
    const result = await calls('digits', {
      number,
      calls: 200,
      rate: 15,
      rows,
      mediaPort: 40_000,
      files: { 'speech.pcap': alaw },
    });
    expect(result, result.errors).toMatchObject({ code: 0, successful: 200, failed: 0 });

    const records = await recordsOf(from, 200);
    expect(records).toHaveLength(200);
    expect(records.filter(({ status }) => status !== 'completed')).toEqual([]);
    expect(records.flatMap(({ diagnostics }) => diagnostics)).toEqual([]);
    const pressed = new Map(
      app.seen.flatMap(({ path, form }) => (path === '/digits' ? [[form['From'], form['Digits']]] : [])),
    );
    expect(pressed).toEqual(new Map(from.map((caller, n) => [caller, keys[n]])));
    expectVoices(records);
  }, 600_000);

  it('100 callers over TCP speak at once; every voice arrives', async () => {
    const record = '<Record maxLength="2" timeout="8" playBeep="false" action="/recorded"/>';
    const number = await numberFor(app.on('/record', { body: `<Response>${record}</Response>` }));
    const from = callers(100, '021');
    const result = await calls('record', {
      transport: 'tcp',
      number,
      calls: 100,
      rate: 20,
      rows: from.map((caller) => `${caller};`),
      files: { 'speech.ulaw': ulaw },
    });
    expect(result, result.errors).toMatchObject({ code: 0, successful: 100, failed: 0 });
    const records = await recordsOf(from, 300);
    expect(records).toHaveLength(100);
    expect(records.filter(({ status }) => status !== 'completed')).toEqual([]);
    expectVoices(records);
  }, 600_000);

  /**
   * Every recording is what its caller said, in order and nothing else; where a sender or the relay stood still there
   * is silence in it. A media thread that stood still for more than a second goes on at the present
   * (src/media/stream/pacer.ts): that second is missing, from the few it happens to.
   */
  function expectVoices(calls: readonly StoredCall[]): void {
    const heard = recordingsOf(calls.map(({ sid }) => sid));
    expect(heard.size).toBe(calls.length);
    for (const pcm of heard.values()) {
      expect(pcm.length).toBeGreaterThan(8_000);
    }
    const along = [...heard.values()].map((pcm) => align(speech, pcm));
    for (const one of along) {
      const { found, missing, longest, inserted, foreign } = one;
      const stoodStill = longest >= 900 ? longest : 0;
      const seen = JSON.stringify(one);
      expect(found, seen).toBeGreaterThan(500);
      expect(foreign, seen).toBe(0);
      // A packet that comes late may lose its beginning; what came in time loses nothing.
      expect(missing - stoodStill, seen).toBeLessThanOrEqual(inserted);
    }
    const complete = along.filter(({ found, missing }) => missing <= 20 && found > 1_000);
    expect(complete.length).toBeGreaterThan(along.length / 2);
  }

  describe('one caller', () => {
    it('gives up while it rings: 487, and the record says so', async () => {
      const number = await numberFor(app.on('/slow', { delayMs: 12_000, body: '<Response/>' }));
      const result = await calls('cancel', { number, calls: 1, rows: ['+15550220001;'] });
      expect(result, result.errors).toMatchObject({ code: 0, successful: 1 });
      const record = await storedCallFrom(trunkline, 'us1', '+15550220001');
      expect(record).toMatchObject({ status: 'no-answer', duration: '0' });
      const timeline = timelineOf(trunkline, 'us1', record.sid);
      expect(eventsOf(timeline, 'hangup')).toMatchObject([{ by: 'peer' }]);
      expect(eventsOf(timeline, 'answered')).toEqual([]);
    });

    it('holds and resumes: silence on the wire meanwhile, the call goes on', async () => {
      const play = `<Response><Play loop="0">${app.url('/tune.wav')}</Play></Response>`;
      const number = await numberFor(app.on('/play', { body: play }));
      const packets: Buffer[] = [];
      const phone = createSocket('udp4').on('message', (packet) => packets.push(packet));
      await new Promise<void>((resolve) => phone.bind(0, '127.0.0.1', resolve));
      const result = await calls('hold', {
        number,
        calls: 1,
        rows: [`+15550220002;${phone.address().port};`],
      });
      phone.close();
      expect(result, result.errors).toMatchObject({ code: 0, successful: 1 });
      // The stream's own time: two seconds, two of hold, two more. A packet goes out late, but not with another timestamp.
      const steps = packets.slice(1).map((packet, n) => ({
        lost: ((packet.readUInt16BE(2) - (packets[n]?.readUInt16BE(2) ?? 0)) & 0xffff) - 1,
        ms: ((packet.readUInt32BE(4) - (packets[n]?.readUInt32BE(4) ?? 0)) >>> 0) / 8,
        marker: (packet.readUInt8(1) & 0x80) !== 0,
      }));
      const total = (some: typeof steps) => some.reduce((sum, { ms }) => sum + ms, 0);
      const holds = steps.filter(({ ms }) => ms > 1_000);
      expect(steps.filter(({ lost }) => lost !== 0)).toEqual([]);
      expect(steps.filter(({ ms, marker }) => ms !== 20 && !marker)).toEqual([]);
      expect(holds).toEqual([{ lost: 0, ms: expect.any(Number), marker: true }]);
      const held = steps.findIndex(({ ms }) => ms > 1_000);
      for (const part of [steps.slice(0, held), holds, steps.slice(held + 1)])
        expect(total(part)).toBeGreaterThan(1_400);
      const record = await storedCallFrom(trunkline, 'us1', '+15550220002');
      expect(record.status).toBe('completed');
      expect(Number(record.duration)).toBeGreaterThanOrEqual(6);
    });

    it('asks with OPTIONS and is answered, over UDP and TCP', async () => {
      for (const transport of ['udp', 'tcp'] as const) {
        const result = await calls('options', { number: 'anybody', calls: 10, transport });
        expect(result, result.errors).toMatchObject({ code: 0, successful: 10, failed: 0 });
      }
    });

    it('sends an INVITE that is broken: 400, and no call', async () => {
      const number = await numberFor(app.url('/voice'));
      const before = app.seen.length;
      const result = await calls('malformed', { number, calls: 10 });
      expect(result, result.errors).toMatchObject({ code: 0, successful: 10, failed: 0 });
      expect(app.seen).toHaveLength(before);
    });
  });
}
