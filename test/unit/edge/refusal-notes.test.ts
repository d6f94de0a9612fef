import { expect, it } from 'vitest';
import { VirtualClock } from '../../../src/core/clock.ts';
import { type Logger, silentLogger } from '../../../src/core/logger.ts';
import type { Refusal } from '../../../src/edge/refusal.ts';
import { RefusalNotes } from '../../../src/edge/refusal-notes.ts';
import type { InboundInvite } from '../../../src/sip/agent/port.ts';
import { makeRequest } from '../../../src/sip/message/build.ts';

function world() {
  const clock = new VirtualClock();
  const lines: { readonly level: string; readonly fields: object; readonly message: string }[] = [];
  const write = (level: string) => (fields: object, message?: string) =>
    void lines.push({ level, fields, message: message ?? '' });
  const logger: Logger = { ...silentLogger, debug: write('debug'), info: write('info'), warn: write('warn') };
  const notes = new RefusalNotes({ clock, logger });
  const from = (address: string, refusal: Refusal) => {
    const bound = { address: '10.0.0.1', port: 5060 };
    const listener = { transport: 'udp', bound, advertised: bound, label: 'dublin' } as const;
    const request = makeRequest('INVITE', 'sip:bob@acme.sip.twilio.com', { 'Call-ID': 'c' });
    const source = { address, port: 5060, listener };
    const invite: Pick<InboundInvite, 'request' | 'source'> = { request, source };
    notes.note(invite, refusal);
  };
  return { clock, lines, from };
}

const AUTHENTICATION: Refusal = {
  status: 407,
  reason: '"ann" is no user of acme with this password',
  of: { accountSid: 'AC1', domainSid: 'SD1', code: 32202 },
};

it('tells the owner of a domain who was refused, and why', () => {
  const { lines, from } = world();
  from('10.0.0.2', AUTHENTICATION);
  expect(lines).toEqual([
    {
      level: 'warn',
      message: AUTHENTICATION.reason,
      fields: {
        edge: 'dublin',
        from: '10.0.0.2:5060',
        status: 407,
        uri: 'sip:bob@acme.sip.twilio.com',
        AccountSid: 'AC1',
        SipDomainSid: 'SD1',
        code: 32202,
        docs: 'https://www.twilio.com/docs/api/errors/32202',
      },
    },
  ]);
});

it('writes one line and one count for what comes again and again from one address', async () => {
  const { clock, lines, from } = world();
  for (let n = 0; n < 1_000; n++) from('10.0.0.2', { ...AUTHENTICATION, reason: `guess ${n}` });
  from('10.0.0.3', AUTHENTICATION);
  expect(lines.map(({ message }) => message)).toEqual(['guess 0', AUTHENTICATION.reason]);
  await clock.advance(60_000);
  expect(lines).toHaveLength(3);
  expect(lines[2]).toMatchObject({ message: 'guess 0 (and 999 more in a minute)', fields: { more: 999 } });
  from('10.0.0.2', AUTHENTICATION);
  expect(lines).toHaveLength(4);
  await clock.advance(120_000);
  expect(lines).toHaveLength(4);
  expect(clock.pending).toBe(0);
});

it('keeps a bound on what it tells apart', async () => {
  const { lines, from } = world();
  for (let n = 0; n < 5_000; n++) from('10.0.0.2', { status: 404, reason: `there is no sip-domain "d${n}"` });
  expect(lines).toHaveLength(1_000);
});

it('does not cry when a peer is asked who it is', () => {
  const { lines, from } = world();
  from('10.0.0.2', { status: 407, reason: 'it has to say who it is', asks: true });
  expect(lines.map(({ level }) => level)).toEqual(['debug']);
});
