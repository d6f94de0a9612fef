import { afterEach, describe, expect, test } from 'vitest';
import { SystemClock } from '../../../../src/core/clock.ts';
import { RandomIds } from '../../../../src/core/ids.ts';
import { type Logger, silentLogger } from '../../../../src/core/logger.ts';
import { createSipAgent } from '../../../../src/sip/agent/agent.ts';
import type { SipAgent } from '../../../../src/sip/agent/port.ts';
import { RFC_TIMERS } from '../../../../src/sip/transaction/timers.ts';
import { until } from '../../../support/until.ts';
import { ANSWER, OFFER, reasonOf } from './support.ts';

const errors: string[] = [];
const agents: SipAgent[] = [];

/** An agent on real sockets; nothing is lost on loopback, so short timers only make it forget sooner. */
function agent(): SipAgent {
  const logger: Logger = { ...silentLogger, error: (_, message) => void errors.push(message ?? '') };
  const timers = { ...RFC_TIMERS, t1: 50, t4: 100, d: 100 };
  const made = createSipAgent({ clock: new SystemClock(), ids: new RandomIds(), logger, timers });
  agents.push(made);
  return made;
}

afterEach(async () => {
  await Promise.all(agents.splice(0).map((made) => made.close()));
  expect(errors.splice(0)).toEqual([]);
});

describe.each(['udp', 'tcp'] as const)('two agents over real %s', (transport) => {
  test('50 calls with re-INVITEs both ways, INFO and BYE leave nothing', async () => {
    const [caller, callee] = [agent(), agent()];
    const at = { transport, host: '127.0.0.1', port: 0, label: 'test' } as const;
    const [from, to] = await Promise.all([caller.listen(at), callee.listen(at)]);
    const ended: AbortSignal[] = [];
    callee.onInvite = (invite) => {
      ended.push(invite.ended);
      invite.respond(180);
      const dialog = invite.accept(ANSWER);
      dialog.onOffer = () => ({ status: 200, body: ANSWER });
      dialog.onRequest = () => ({ status: 202 });
    };
    const uri = `sip:x@127.0.0.1:${to.bound.port};transport=${transport}`;
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        const outbound = caller.invite({ listener: from, uri, from: '<sip:a@127.0.0.1>', body: OFFER });
        const { dialog, response } = await outbound.answered;
        expect(response.body).toBe(ANSWER);
        expect((await dialog.reinvite(OFFER)).body).toBe(ANSWER);
        expect((await dialog.request('INFO', { body: 'x', contentType: 'text/plain' })).status).toBe(202);
        expect(await dialog.bye()).toBe(200);
      }),
    );
    expect(ended.map(reasonOf)).toEqual(Array(50).fill('bye'));
    await until('nothing left on either side', () =>
      [caller, callee].every((side) => {
        const { connections, ...rest } = side.census();
        return Object.values(rest).every((count) => count === 0) && connections <= 1;
      }),
    );
  });

  test('a port that is taken is the system’s error', async () => {
    const first = await agent().listen({ transport, host: '127.0.0.1', port: 0, label: 'a' });
    await expect(
      agent().listen({ transport, host: '127.0.0.1', port: first.bound.port, label: 'b' }),
    ).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  test('advertises what it is told to', async () => {
    const at = { transport, host: '127.0.0.1', port: 0, label: 'a', advertise: '203.0.113.9' } as const;
    const { advertised, bound } = await agent().listen(at);
    expect(advertised).toEqual({ address: '203.0.113.9', port: bound.port });
  });
});
