import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventsOf } from '../e2e/support/numbers.ts';
import { align, noise } from '../support/alignment.ts';
import { notRun, peer } from '../support/peers.ts';
import { writePcm } from '../support/wav-compare.ts';
import { DialWorld } from './support/dial-world.ts';
import {
  ackBeforeBye,
  bye,
  inviteBeforeBye,
  pause,
  recv,
  reply,
  type SippCallee,
  sdp,
  sippCallee,
  speak,
} from './support/uas.ts';

const sipp = peer('sipp');
const sox = peer('sox');
if (!sipp || !sox) notRun('callees by sipp', 'sipp and sox (Debian: sip-tester, sox) are not both installed');
else tests(sipp, sox);

/** What its document asks a call to be told of how its `<Dial>` ended, and what its child's record says. */
interface Expected {
  readonly status: string;
  readonly sip?: string;
  readonly bridged: boolean;
  /** Codes of what the customer is told. */
  readonly codes?: readonly number[];
}

const atLeastASecond = (ms: number) => ms >= 1_000;

function tests(sipp: string, sox: string): void {
  const speech = noise(6, 5); // longer than any of them speaks: sipp repeats it
  let ulaw: Buffer;
  let world: DialWorld;
  const callees: SippCallee[] = [];

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'trunkline-said-'));
    writePcm(join(folder, 'speech.wav'), speech);
    const raw = ['-t', 'ul', '-r', '8000', '-c', '1'];
    execFileSync(sox, [join(folder, 'speech.wav'), ...raw, join(folder, 'speech.ul')]);
    ulaw = readFileSync(join(folder, 'speech.ul'));
    rmSync(folder, { recursive: true });
    world = await DialWorld.start();
  });

  afterEach(() => {
    for (const one of callees.splice(0)) one.stop();
  });

  afterAll(() => world.stop());

  async function callee(...steps: string[]): Promise<SippCallee> {
    const one = await sippCallee(sipp, steps, { 'speech.ulaw': ulaw });
    callees.push(one);
    return one;
  }

  /** The edge takes calls and makes them: whatever happened before. */
  async function goesOn(): Promise<void> {
    const other = await callee(recv('INVITE'), reply(486), recv('ACK'));
    const call = world.dial(`<Sip>${other.uri}</Sip>`);
    expect(await world.after(call.from)).toMatchObject({
      DialCallStatus: 'busy',
      DialSipResponseCode: '486',
    });
    expect(await other.done).toBe('');
    await call.code;
  }

  /** A call whose `<Dial>` ended as expected: what `action` was told, and what the records say. */
  async function expectDialled(from: string, expected: Expected) {
    const { status, sip, bridged, codes = [] } = expected;
    const form = await world.after(from);
    expect(form).toMatchObject({ DialCallStatus: status, DialBridged: `${bridged}` });
    expect(form['DialSipResponseCode']).toBe(sip);
    expect(form['DialCallDuration']).toMatch(bridged ? /^\d+$/ : /^0$/);
    const { parent, children, dialEnded } = await world.ended(from);
    expect(children).toHaveLength(1);
    const [child] = children;
    expect(child).toMatchObject({
      sid: form['DialCallSid'],
      parent_call_sid: parent.sid,
      egress_edge: 'ashburn',
      direction: 'outbound-dial',
      status,
      duration: form['DialCallDuration'],
    });
    expect(form['DialSipCallId']).toBe(child?.['sip_call_id']);
    const event = dialEnded.get(child?.sid ?? '');
    expect(event).toMatchObject({ status });
    expect(event?.sip_status === undefined ? undefined : `${event.sip_status}`).toBe(sip);
    expect(parent.status).toBe('completed');
    expect(child?.diagnostics.map(({ code }) => code) ?? []).toEqual(codes);
    return { form, parent, child };
  }

  const answered = [reply(200, { body: sdp() }), recv('ACK')];
  const answeredThenLeaves = [...answered.slice(0, 1), ackBeforeBye];
  const hungUpOn = [recv('BYE'), reply(200, { tag: '' })];

  /** Our caller hears its party; then it hangs up, or is hung up on. */
  describe('a callee that answers', () => {
    it.each([
      ['180, 200', [reply(180), ...answeredThenLeaves]],
      ['100, 180, 180, 200', [reply(100, { tag: '' }), reply(180), reply(180), ...answeredThenLeaves]],
      ['183 with SDP, 200', [reply(183, { body: sdp() }), ...answeredThenLeaves]],
      ['183 with SDP, 180, 200 without', [reply(183, { body: sdp() }), reply(180), reply(200), ackBeforeBye]],
      ['200 at once', answeredThenLeaves],
    ])('%s', async (_, steps) => {
      const party = await callee(inviteBeforeBye, ...steps, speak('speech.ulaw'), pause(3_000), bye());
      const call = world.dial(`<Sip>${party.uri}</Sip>`);
      await expectDialled(call.from, { status: 'completed', sip: '200', bridged: true });
      expect(await party.done).toBe('');
      expect(align(speech, await call.heard())).toMatchObject({
        foreign: 0,
        found: expect.toSatisfy(atLeastASecond),
      });
    });

    it('BYE right after 200', async () => {
      const party = await callee(
        inviteBeforeBye,
        reply(200, { body: sdp() }),
        ackBeforeBye,
        bye(['X-Why: soon']),
      );
      const call = world.dial(`<Sip>${party.uri}</Sip>`);
      const { form } = await expectDialled(call.from, { status: 'completed', sip: '200', bridged: true });
      expect(form).toMatchObject({ 'DialSipHeader_X-Why': 'soon' });
      expect(await party.done).toBe('');
    });
  });

  describe('a callee that refuses', () => {
    it.each([
      [404, 'failed'],
      [480, 'no-answer'],
      [486, 'busy'],
      [487, 'no-answer'],
      [503, 'failed'],
      [600, 'busy'],
      [603, 'busy'],
      [401, 'failed'], // nobody has given us credentials
    ])('with %d', async (status, outcome) => {
      const party = await callee(
        recv('INVITE'),
        reply(180),
        reply(status, { headers: ['X-Why: not'] }),
        recv('ACK'),
      );
      const call = world.dial(`<Sip>${party.uri}</Sip>`);
      const codes = outcome === 'failed' ? [32011] : [];
      const expected = { status: outcome, sip: `${status}`, bridged: false, codes };
      const { form } = await expectDialled(call.from, expected);
      expect(form).toMatchObject({ 'DialSipHeader_X-Why': 'not' });
      expect(await party.done).toBe('');
    });

    it('with nothing at all, four seconds long', async () => {
      const party = await callee(recv('INVITE'), pause(100_000));
      const call = world.dial(`<Sip>${party.uri}</Sip>`);
      await expectDialled(call.from, { status: 'failed', sip: '408', bridged: false, codes: [32011] });
      await goesOn();
    });
  });

  describe('a callee that challenges', () => {
    const challenge = (status: 401 | 407) =>
      reply(status, {
        headers: [
          `${status === 401 ? 'WWW' : 'Proxy'}-Authenticate: Digest realm="sipp", nonce="5ca1ab1e", algorithm=MD5, qop="auth"`,
        ],
      });
    // sipp computes what an Authorization must be; of a Proxy-Authorization it looks at the fields only.
    const checks = (status: 401 | 407) =>
      status === 401
        ? '<verifyauth assign_to="right" username="ann" password="s3c&amp;ret"/>'
        : '<ereg regexp="username=.ann.,.*nonce=.5ca1ab1e.,.*response=.[0-9a-f]+" search_in="hdr" header="Proxy-Authorization:" assign_to="right"/>';
    const verified = (status: 401 | 407, then: readonly string[]) => [
      recv('INVITE', `<action>${checks(status)}</action>`),
      '<nop next="answer" test="right"/>',
      ...[reply(403), recv('ACK'), '<nop next="end"/>', '<label id="answer"/>'],
      ...then,
      '<label id="end"/><nop/>',
    ];

    it.each([401, 407] as const)('with %d: the right password', async (status) => {
      const talk = [...answered, ...hungUpOn];
      const party = await callee(recv('INVITE'), challenge(status), recv('ACK'), ...verified(status, talk));
      const call = world.dial(
        `<Sip username="ann" password="s3c&amp;ret">${party.uri}</Sip>`,
        'timeLimit="1"',
      );
      await expectDialled(call.from, { status: 'completed', sip: '200', bridged: true });
      expect(await party.done).toBe('');
    });

    it('a wrong password', async () => {
      const party = await callee(recv('INVITE'), challenge(401), recv('ACK'), ...verified(401, []));
      const call = world.dial(`<Sip username="ann" password="guess">${party.uri}</Sip>`);
      await expectDialled(call.from, { status: 'failed', sip: '403', bridged: false, codes: [32011] });
      expect(await party.done).toBe('');
    });
  });

  describe('a callee that redirects', () => {
    const moved = (to: string) => reply(302, { headers: [] }).replace(/Contact: .*/, `Contact: <${to}>`);

    it('to somebody who answers: followed', async () => {
      const there = await callee(recv('INVITE'), ...answered, ...hungUpOn);
      const party = await callee(recv('INVITE'), moved(there.uri), recv('ACK'));
      const call = world.dial(`<Sip>${party.uri}</Sip>`, 'timeLimit="1"');
      await expectDialled(call.from, { status: 'completed', sip: '200', bridged: true });
      expect([await party.done, await there.done]).toEqual(['', '']);
    });

    it('to somebody who redirects again: not followed twice', async () => {
      const last = await callee(recv('INVITE'), ...answered, ...hungUpOn);
      const there = await callee(recv('INVITE'), moved(last.uri), recv('ACK'));
      const party = await callee(recv('INVITE'), moved(there.uri), recv('ACK'));
      const call = world.dial(`<Sip>${party.uri}</Sip>`);
      await expectDialled(call.from, { status: 'failed', sip: '302', bridged: false, codes: [32219] });
      expect([await party.done, await there.done]).toEqual(['', '']);
    });
  });

  describe('a callee that misbehaves', () => {
    it('speaks before it answers', async () => {
      const party = await callee(
        recv('INVITE'),
        reply(180),
        speak('speech.ulaw'),
        pause(1_000),
        ...answered,
        pause(2_000),
        ...hungUpOn,
      );
      const call = world.dial(`<Sip>${party.uri}</Sip>`, 'timeLimit="4"');
      await expectDialled(call.from, { status: 'completed', sip: '200', bridged: true });
      expect(await party.done).toBe('');
      expect(align(speech, await call.heard())).toMatchObject({
        foreign: 0,
        found: expect.toSatisfy(atLeastASecond),
      });
      await goesOn();
    });

    it.each([
      ['garbage', 'v=0\nm=audio much\n'],
      [
        'no audio',
        'v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5000 RTP/AVP 31\n',
      ],
      ['port 0', sdp('[media_ip]', '0')],
      ['codecs nobody offered', sdp().replace('RTP/AVP 0 101', 'RTP/AVP 9 18')],
      ['nothing', ''],
    ])('answers with an SDP of %s: let go', async (_, body) => {
      const party = await callee(recv('INVITE'), reply(200, { body }), recv('ACK'), ...hungUpOn);
      const call = world.dial(`<Sip>${party.uri}</Sip>`);
      await expectDialled(call.from, { status: 'failed', sip: '200', bridged: false, codes: [32102] });
      expect(await party.done).toBe('');
      await goesOn();
    });

    it('answers with 0.0.0.0: it is on hold, and heard all the same', async () => {
      const party = await callee(
        recv('INVITE'),
        reply(200, { body: sdp('0.0.0.0') }),
        recv('ACK'),
        speak('speech.ulaw'),
        pause(2_000),
        ...hungUpOn,
      );
      const call = world.dial(`<Sip>${party.uri}</Sip>`, 'timeLimit="3"');
      await expectDialled(call.from, { status: 'completed', sip: '200', bridged: true });
      expect(await party.done).toBe('');
      await goesOn();
    });

    it('vanishes: no RTP, no answer to BYE', async () => {
      const party = await callee(recv('INVITE'), ...answered, pause(100_000));
      const call = world.dial(`<Sip>${party.uri}</Sip>`, 'timeLimit="2"');
      await expectDialled(call.from, { status: 'completed', sip: '200', bridged: true });
      await goesOn();
    });
  });

  it('has a timeline of its own', async () => {
    const party = await callee(recv('INVITE'), reply(180), ...answered, ...hungUpOn);
    const call = world.dial(`<Sip>${party.uri}</Sip>`, 'timeLimit="1"');
    const { child } = await expectDialled(call.from, { status: 'completed', sip: '200', bridged: true });
    const timeline = await world.timelineOf(child?.sid ?? '');
    expect(eventsOf(timeline, 'progress')).toMatchObject([{ status: 180, early: false }]);
    expect(eventsOf(timeline, 'call-placed')).toMatchObject([{ edge: 'ashburn', from: call.from }]);
    expect(eventsOf(timeline, 'answered')).toHaveLength(1);
    expect(eventsOf(timeline, 'bridged')).toHaveLength(1);
  });
}
