import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.ts';
import { RandomIds } from '../../src/core/ids.ts';
import { type Logger, silentLogger } from '../../src/core/logger.ts';
import { createSipAgent } from '../../src/sip/agent/agent.ts';
import {
  type InboundInvite,
  type InviteOptions,
  type OutboundInvite,
  type SipAgent,
  SipEnded,
  type SipListener,
} from '../../src/sip/agent/port.ts';
import { RFC_TIMERS } from '../../src/sip/transaction/timers.ts';
import { freePort } from '../support/free-port.ts';
import { notRun, peer } from '../support/peers.ts';
import { until } from '../support/until.ts';
import { type Sipp, startSipp } from './sipp/sipp.ts';

const SDP = [
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=-',
  'c=IN IP4 127.0.0.1',
  't=0 0',
  'm=audio 4000 RTP/AVP 0 101',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:101 telephone-event/8000',
  '',
].join('\r\n');

/** One for each transport. What they keep for 64·T1 goes while the other is tested. */
const agents: SipAgent[] = [];

afterAll(async () => {
  for (const agent of agents) {
    await until('an agent with nothing left of all these calls', () => {
      const { connections, ...rest } = agent.census();
      return Object.values(rest).every((count) => count === 0);
    });
    await agent.close();
  }
});

/** Calls between our agent in this process and sipp: what a peer nobody here wrote makes of us. */
function calls(sipp: string, transport: 'udp' | 'tcp') {
  describe(`sipp over ${transport}`, () => {
    let agent: SipAgent;
    let listener: SipListener;
    let process_: Sipp | undefined;
    const errors: string[] = [];
    const malformed: string[] = [];
    /** Where sipp's processes were. */
    const ports = new Set<number>();

    beforeAll(async () => {
      const logger: Logger = { ...silentLogger, error: (_, message) => void errors.push(message ?? '') };
      // T1 is that of the RFC: sipp answers a repetition with whatever it sent last, which begins a request anew.
      const timers = { ...RFC_TIMERS, t4: 500, d: 1_000 };
      agent = createSipAgent({ clock: new SystemClock(), ids: new RandomIds(), logger, timers });
      agent.onMalformed = (reason, source) => {
        // What strays to our port from elsewhere on this machine is nothing that sipp said.
        if (transport === 'tcp' || ports.has(source.port)) malformed.push(reason);
      };
      agents.push(agent);
      listener = await agent.listen({ transport, host: '127.0.0.1', port: 0, label: 'test' });
    });

    afterEach(() => {
      process_?.stop();
      process_ = undefined;
      expect(errors).toEqual([]);
      expect(malformed).toEqual([]);
    });

    /** sipp calls us; every call goes as its scenario says. */
    async function takes(
      scenario: string,
      count: number,
      onInvite: (invite: InboundInvite) => void,
      rate = 50,
    ) {
      agent.onInvite = onInvite;
      const port = await freePort();
      ports.add(port);
      process_ = startSipp(sipp, { scenario, transport, calls: count, rate, target: listener.bound, port });
      expect(await process_.done).toEqual({ code: 0, failed: 0, successful: count, errors: '' });
    }

    /** A call to the callee at this port. */
    function call(port: number, options: Partial<InviteOptions> = {}): OutboundInvite {
      const uri = `sip:bob@127.0.0.1:${port};transport=${transport}`;
      return agent.invite({ listener, uri, from: '<sip:ann@127.0.0.1>', body: SDP, ...options });
    }

    /** sipp takes calls; resolves with its address once it listens. */
    async function callee(scenario: string, count: number, keys: Readonly<Record<string, string>> = {}) {
      const port = await freePort();
      ports.add(port);
      process_ = startSipp(sipp, { scenario, transport, calls: count, port, keys });
      if (transport === 'tcp') await until('sipp to listen', () => reachable(port));
      return { address: '127.0.0.1', port, done: process_.done };
    }

    it('200 calls to us', async () => {
      const dialogs: AbortSignal[] = [];
      await takes(
        'uac',
        200,
        (invite) => {
          invite.respond(180);
          dialogs.push(invite.accept(SDP).ended);
        },
        200,
      );
      expect(dialogs.map((ended) => ended.reason.cause)).toEqual(Array(200).fill('bye'));
    });

    it('re-INVITEs, hold and resume', async () => {
      const offers: (string | undefined)[] = [];
      await takes('uac-reinvite', 10, (invite) => {
        invite.respond(180);
        invite.accept(SDP).onOffer = (offer) => {
          offers.push(offer);
          return { status: 200, body: SDP };
        };
      });
      expect(offers).toHaveLength(20);
      expect(offers.filter((offer) => offer?.includes('a=sendonly'))).toHaveLength(10);
    });

    it('INFO and OPTIONS within a call', async () => {
      await takes('uac-info', 10, (invite) => {
        invite.respond(180);
        invite.accept(SDP);
      });
    });

    it('CANCEL while it rings', async () => {
      const ended: AbortSignal[] = [];
      await takes('uac-cancel', 10, (invite) => {
        invite.respond(180);
        ended.push(invite.ended);
      });
      expect(ended.map((signal) => signal.reason.cause)).toEqual(Array(10).fill('cancel'));
    });

    it('a refusal', async () => {
      await takes('uac-refused', 10, (invite) => invite.respond(486));
    });

    it('calls from us, answered and ended by our BYE', async () => {
      const { address, port, done } = await callee('uas', 20);
      const uri = `sip:bob@${address}:${port}`;
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          const progress: number[] = [];
          const outbound = agent.invite({ listener, uri, from: '<sip:ann@127.0.0.1>', body: SDP });
          outbound.onProgress = ({ status }) => progress.push(status);
          const { dialog, response } = await outbound.answered;
          expect(response.body).toContain('m=audio');
          expect(progress).toEqual([180]);
          expect(await dialog.bye()).toBe(200);
        }),
      );
      expect(await done).toMatchObject({ code: 0, failed: 0, errors: '' });
    });

    it('a busy callee', async () => {
      const { address, port, done } = await callee('uas-busy', 1);
      const outbound = agent.invite({
        listener,
        uri: `sip:bob@${address}:${port}`,
        from: '<sip:ann@127.0.0.1>',
        body: SDP,
      });
      await expect(outbound.answered).rejects.toMatchObject({ cause: 'rejected', status: 486 });
      expect(await done).toMatchObject({ code: 0, failed: 0, errors: '' });
    });

    it.each([401, 404, 407, 480, 486, 487, 503, 603])(
      'a callee that rings and refuses with %d',
      async (status) => {
        const { port, done } = await callee('uas-refuses', 3, { status: String(status) });
        for (let n = 0; n < 3; n++) {
          const reason: unknown = await call(port).answered.catch((error: unknown) => error);
          expect(reason).toMatchObject({ cause: 'rejected', status });
          expect(reason instanceof SipEnded && reason.message_?.headers.get('x-why')).toBe(String(status));
        }
        expect(await done).toMatchObject({ code: 0, failed: 0, successful: 3, errors: '' });
      },
    );

    it('early audio, before and after it rings', async () => {
      const { port, done } = await callee('uas-early', 1);
      const outbound = call(port);
      const progress: string[] = [];
      outbound.onProgress = ({ status, body }) => progress.push(`${status} ${body.includes('m=audio')}`);
      const { dialog } = await outbound.answered;
      expect(progress).toEqual(['183 true', '180 false', '183 true']);
      expect(await dialog.bye()).toBe(200);
      expect(await done).toMatchObject({ code: 0, failed: 0, errors: '' });
    });

    it('a redirection, followed once', async () => {
      const { port, done } = await callee('uas-redirects', 2);
      const offered: (readonly string[])[] = [];
      const followed = call(port, {
        redirect: (contacts) => {
          offered.push(contacts);
          return { uri: contacts[0] ?? '' };
        },
      });
      const { dialog } = await followed.answered;
      const elsewhere = `sip:elsewhere@127.0.0.1:${port};transport=${transport.toUpperCase()}`;
      expect(offered).toEqual([[elsewhere, 'sip:other@192.0.2.1']]);
      expect(await dialog.bye()).toBe(200);
      // Not followed, it is where the call ends; sipp waits for an INVITE that never comes.
      await expect(call(port).answered).rejects.toMatchObject({ cause: 'rejected', status: 302 });
      process_?.stop();
      await done;
    });

    it('a callee that challenges: the right password, and a wrong one', async () => {
      const { port, done } = await callee('uas-challenges-401', 2);
      const right = { username: 'ann', password: 's3cret' };
      const { dialog } = await call(port, { credentials: right }).answered;
      expect(await dialog.bye()).toBe(200);
      const wrong = call(port, { credentials: { ...right, password: 'guess' } });
      await expect(wrong.answered).rejects.toMatchObject({ cause: 'rejected', status: 401 });
      expect(await done).toMatchObject({ code: 0, failed: 0, successful: 2, errors: '' });
    });

    it.each(['MD5', 'SHA-256'])('a proxy that challenges with %s', async (algorithm) => {
      const { port, done } = await callee('uas-challenges-407', 1, { algorithm });
      const credentials = { username: 'ann', password: 's3cret' };
      const { dialog } = await call(port, { credentials }).answered;
      expect(await dialog.bye()).toBe(200);
      expect(await done).toMatchObject({ code: 0, failed: 0, successful: 1, errors: '' });
    });

    it('silence', async () => {
      const { port, done } = await callee('uas-silent', 1);
      const outbound = call(port, { silentMs: 100 });
      await expect(outbound.answered).rejects.toMatchObject({ cause: 'unreachable' });
      expect(await done).toMatchObject({ code: 0, failed: 0 });
    });

    it('nobody there', async () => {
      const outbound = call(await freePort(), { silentMs: transport === 'udp' ? 300 : 30_000 });
      const cause = transport === 'udp' ? 'unreachable' : 'transport-error'; // a refused connection is told at once
      await expect(outbound.answered).rejects.toMatchObject({ cause });
    });

    it('nobody answers, and we CANCEL', async () => {
      const { address, port, done } = await callee('uas-ringing', 1);
      const outbound = agent.invite({
        listener,
        uri: `sip:bob@${address}:${port}`,
        from: '<sip:ann@127.0.0.1>',
        body: SDP,
      });
      outbound.onProgress = () => outbound.cancel();
      await expect(outbound.answered).rejects.toMatchObject({ cause: 'local-cancel' });
      expect(await done).toMatchObject({ code: 0, failed: 0, errors: '' });
    });
  });
}

/** Claims something accepts TCP connections there. */
function reachable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

const sipp = peer('sipp');
if (sipp === undefined) notRun('sipp calls', 'sipp not found on PATH');
else for (const transport of ['udp', 'tcp'] as const) calls(sipp, transport);
