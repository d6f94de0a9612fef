import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AOR, contactsIn, type RegisterParts, registrarWorld, sourceAt } from './registrar-world.ts';

const A = '<sip:ann@192.168.1.20:5062>';
const B = '<sip:ann@192.168.1.21:5062>';
const INSTANCE = '+sip.instance="<urn:uuid:00000000-0000-1000-8000-000A95A0E128>"';
const OUTBOUND = { Supported: 'path, outbound' };

/** Registers each in turn, a second apart: the status, and what is bound then. */
async function inTurn(...steps: readonly (RegisterParts & { readonly port?: number })[]) {
  const w = await registrarWorld();
  const statuses: number[] = [];
  for (const step of steps) {
    statuses.push((await w.register(step, sourceAt(step.port))).status);
    await w.clock.advance(1_000);
  }
  const bindings = await w.configs.us1.registrations.bindings(AOR);
  return { w, statuses, bindings, contacts: bindings.map(({ contact }) => `<${contact}>`) };
}

describe('how long', () => {
  test.each<[string, RegisterParts, number, string | undefined]>([
    ['no word of it: an hour', {}, 200, `${A};expires=3600`],
    ['the header', { headers: { Expires: '600' } }, 200, `${A};expires=600`],
    [
      'the parameter before the header',
      { contacts: [`${A};expires=700`], headers: { Expires: '900' } },
      200,
      `${A};expires=700`,
    ],
    ['more than an hour: an hour', { headers: { Expires: '86400' } }, 200, `${A};expires=3600`],
    ['more than any number', { headers: { Expires: '9'.repeat(400) } }, 200, `${A};expires=3600`],
    ['no number: an hour (RFC 3261 §20.19)', { contacts: [`${A};expires=soon`] }, 200, `${A};expires=3600`],
    ['below none: no number', { headers: { Expires: '-1' } }, 200, `${A};expires=3600`],
    ['a second too short', { headers: { Expires: '599' } }, 423, undefined],
    ['one second', { contacts: [`${A};expires=1`] }, 423, undefined],
  ])('%s', async (_, parts, status, contact) => {
    const w = await registrarWorld();
    const answer = await w.register(parts);
    expect(answer.status).toBe(status);
    expect(contactsIn(answer)[0]).toBe(contact);
    expect(answer.headers?.['Min-Expires']).toBe(status === 423 ? '600' : undefined);
  });

  test('what is left is told, and what has expired is gone', async () => {
    const w = await registrarWorld();
    await w.register({ headers: { Expires: '600' } });
    await w.clock.advance(599_500);
    expect(contactsIn(await w.register({ contacts: [] }))).toEqual([`${A};expires=1`]);
    await w.clock.advance(500);
    expect(contactsIn(await w.register({ contacts: [] }))).toEqual([]);
  });
});

describe('changing bindings', () => {
  test('expires 0 removes one, whoever registered it', async () => {
    const { statuses, contacts } = await inTurn(
      { contacts: [A] },
      { contacts: [B] },
      {
        contacts: [`${A};expires=0`],
        callId: 'other',
      },
    );
    expect([statuses, contacts]).toEqual([[200, 200, 200], [B]]);
  });

  test('"*" with Expires: 0 removes all', async () => {
    const { statuses, contacts } = await inTurn(
      { contacts: [A, B] },
      {
        contacts: ['*'],
        headers: { Expires: '0' },
      },
    );
    expect([statuses, contacts]).toEqual([[200, 200], []]);
  });

  test.each<[string, RegisterParts]>([
    ['"*" without Expires', { contacts: ['*'] }],
    ['"*" with another Expires', { contacts: ['*'], headers: { Expires: '3600' } }],
    ['"*" beside a Contact', { contacts: ['*', A], headers: { Expires: '0' } }],
    ['"*" twice', { contacts: ['*', '*'], headers: { Expires: '0' } }],
    ['a Contact that is no SIP URI', { contacts: ['<tel:+12025550143>'] }],
    ['a Contact with an empty user', { contacts: ['<sip:@192.168.1.20>'] }],
    ['a Contact with headers', { contacts: ['<sip:ann@192.168.1.20?Replaces=x>'] }],
    ['a sips: Contact without TLS', { contacts: ['<sips:ann@192.168.1.20>'] }],
    ['a Contact beyond measure', { contacts: [`<sip:${'a'.repeat(2_000)}@192.168.1.20>`] }],
    ['one bad Contact among good ones', { contacts: [A, '<mailto:ann@example.com>'] }],
    ['one Contact that is too brief among good ones', { contacts: [A, `${B};expires=5`] }],
    ['a Call-ID beyond measure', { callId: 'x'.repeat(300) }],
  ])('%s changes nothing', async (_, parts) => {
    const { statuses, contacts } = await inTurn({ contacts: ['<sip:ann@10.1.1.1>'] }, parts);
    expect(statuses[1]).toBeGreaterThanOrEqual(400);
    expect(statuses[1]).toBeLessThan(500);
    expect(contacts).toEqual(['<sip:ann@10.1.1.1>']);
  });

  test('a hundred Contacts are refused whole', async () => {
    const many = Array.from({ length: 100 }, (_, n) => `<sip:ann@10.1.1.${n}>`);
    const { statuses, contacts } = await inTurn({ contacts: many });
    expect([statuses, contacts]).toEqual([[403], []]);
  });

  test('a refresh keeps the binding and moves its end and its flow', async () => {
    const { w, bindings } = await inTurn({ port: 40_000 }, { port: 41_000, callId: 'after-a-restart' });
    expect(bindings).toHaveLength(1);
    expect(bindings[0]).toMatchObject({ createdAt: w.clock.now() - 2_000, updatedAt: w.clock.now() - 1_000 });
    expect(bindings[0]?.flow.port).toBe(41_000);
  });

  test.each<[string, string, number]>([
    ['<sip:ann@192.168.1.20:5062>', '<sip:%61nn@192.168.1.20:5062>', 1],
    ['<sip:ann@PHONE.example.com>', '<SIP:ann@phone.EXAMPLE.com>', 1],
    ['<sip:ann@192.168.1.20>', '<sip:ann@192.168.1.20:5060>', 2],
    ['<sip:ann@192.168.1.20>', '<sip:Ann@192.168.1.20>', 2],
    ['<sip:ann@192.168.1.20>', '<sip:ann@192.168.1.20;transport=tcp>', 2],
    ['<sip:ann@192.168.1.20;rinstance=1>', '<sip:ann@192.168.1.20>', 1],
    ['<sip:ann@192.168.1.20;rinstance=1>', '<sip:ann@192.168.1.20;rinstance=2>', 2],
  ])('%s and %s are %i by RFC 3261 §19.1.4', async (one, other, count) => {
    expect((await inTurn({ contacts: [one] }, { contacts: [other] })).contacts).toHaveLength(count);
  });

  test.each<[string, RegisterParts, number]>([
    ['the same CSeq', { cseq: 50 }, 500],
    ['a lower one', { cseq: 49 }, 500],
    ['a lower one that removes', { cseq: 49, contacts: [`${A};expires=0`] }, 500],
    ['a lower one that removes all', { cseq: 49, contacts: ['*'], headers: { Expires: '0' } }, 500],
    ['a lower one with a new Contact beside it', { cseq: 49, contacts: [B, A] }, 500],
    ['a higher one', { cseq: 51 }, 200],
    ['the highest there is', { cseq: 2 ** 31 - 1 }, 200],
    ['a lower one of another Call-ID', { cseq: 1, callId: 'other' }, 200],
  ])('within a Call-ID the CSeq grows: %s', async (_, parts, status) => {
    const { statuses, contacts } = await inTurn({ cseq: 50 }, parts);
    expect([statuses, contacts]).toEqual([[200, status], [A]]);
  });

  test('parameters of a Contact are given back', async () => {
    const w = await registrarWorld();
    const answer = await w.register({ contacts: [`"Ann" ${A};q=0.5;${INSTANCE};expires=600`] });
    expect(contactsIn(answer)).toEqual([`${A};expires=600;q=0.5;${INSTANCE}`]);
  });
});

describe('Path (RFC 3327)', () => {
  const Path = '<sip:p1.example.com;lr>, <sip:p2.example.com;lr>';

  test('is kept and given back', async () => {
    const w = await registrarWorld();
    const answer = await w.register({ headers: { Path, Supported: 'path' } });
    expect(answer.headers?.['Path']).toEqual(['<sip:p1.example.com;lr>', '<sip:p2.example.com;lr>']);
    const [binding] = await w.configs.us1.registrations.bindings(AOR);
    expect(binding?.path).toEqual(['<sip:p1.example.com;lr>', '<sip:p2.example.com;lr>']);
  });

  test('of which the device does not know: 420', async () => {
    const w = await registrarWorld();
    const answer = await w.register({ headers: { Path } });
    expect([answer.status, answer.headers?.['Unsupported']]).toEqual([420, 'path']);
  });

  test('that leads nowhere: 400', async () => {
    const { statuses } = await inTurn({ headers: { Path: 'nonsense', Supported: 'path' } });
    expect(statuses).toEqual([400]);
  });
});

describe('outbound (RFC 5626)', () => {
  const flow = (contact: string, regId: number | string) => ({
    contacts: [`${contact};${INSTANCE};reg-id=${regId}`],
    headers: OUTBOUND,
  });

  test('a new flow of the same device and number takes the place of the old one', async () => {
    const { statuses, bindings } = await inTurn(
      { ...flow(A, 1), port: 1_001 },
      { ...flow(B, 1), port: 1_002, callId: 'after-a-restart' },
      { ...flow('<sip:ann@192.168.1.22>', 2), port: 1_003, callId: 'second-flow' },
    );
    expect(statuses).toEqual([200, 200, 200]);
    expect(bindings.map(({ contact, flow: { port } }) => [contact, port])).toEqual([
      ['sip:ann@192.168.1.21:5062', 1_002],
      ['sip:ann@192.168.1.22', 1_003],
    ]);
  });

  test('is required in the answer', async () => {
    const w = await registrarWorld();
    const answer = await w.register(flow(A, 1));
    expect(answer.headers?.['Require']).toBe('outbound');
    expect((await w.register({ callId: 'x' })).headers?.['Require']).toBeUndefined();
  });

  test('without a word of outbound it is the Contact that counts', async () => {
    const { contacts } = await inTurn(
      { ...flow(A, 1), headers: {} },
      { ...flow(B, 1), headers: {}, callId: 'two' },
    );
    expect(contacts).toEqual([A, B]);
  });

  test.each(['0', '-1', 'one', '99999999999'])('reg-id %s: 400', async (regId) => {
    expect((await inTurn(flow(A, regId))).statuses).toEqual([400]);
  });

  test('a proxy that does not know of it: 439; one that does: taken', async () => {
    const via = ['SIP/2.0/UDP 198.51.100.7;branch=z9hG4bKp', 'SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKu'];
    const behind = (path: string) => ({ ...flow(A, 1), via, headers: { ...OUTBOUND, Path: path } });
    const { statuses } = await inTurn(behind('<sip:p.example.com;lr>'), behind('<sip:p.example.com;lr;ob>'));
    expect(statuses).toEqual([439, 200]);
  });

  test('two flows in one message: 400', async () => {
    const contacts = [`${A};${INSTANCE};reg-id=1`, `${B};${INSTANCE};reg-id=2`];
    expect((await inTurn({ contacts, headers: OUTBOUND })).statuses).toEqual([400]);
  });
});

test('whatever a user registers, it is answered, and ten bindings are the most there are', async () => {
  const w = await registrarWorld();
  const number = fc.oneof(fc.integer({ min: -1, max: 4_000 }).map(String), fc.string({ maxLength: 4 }));
  const clean = (text: string) => text.replace(/[^!-~]/g, '');
  const contact = fc
    .tuple(
      fc.constantFrom('sip', 'sips', 'tel', 'SIP', 'http'),
      fc.string({ maxLength: 8 }).map(clean),
      fc.constantFrom('10.1.1.1', '10.1.1.2', '[::1]', 'h', '256.1.1.1'),
      fc.constantFrom('', ';transport=tcp', ';ob', ';x=1', ';x=2', ';lr', '?a=b'),
      number.map(clean),
    )
    .map(([scheme, user, host, rest, expires]) => `<${scheme}:${user}@${host}${rest}>;expires=${expires}`);
  const header = fc.constantFrom('0', '600', '3600', '5', '', 'x');
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof({ weight: 8, arbitrary: contact }, { weight: 1, arbitrary: fc.constant('*') }), {
        maxLength: 14,
      }),
      header,
      fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      fc.constantFrom('a', 'b'),
      async (contacts, expires, cseq, callId) => {
        await w.clock.advance(300);
        const parts = { contacts, cseq, callId, headers: { Expires: expires } };
        const answer = await w.register(parts).catch((error: unknown) => {
          // what the parser turns away never gets here
          if (error instanceof Error && error.message.includes('malformed')) return undefined;
          throw error;
        });
        const bindings = await w.configs.us1.registrations.bindings(AOR);
        expect(bindings.length).toBeLessThanOrEqual(10);
        for (const { expiresAt } of bindings) {
          expect(expiresAt).toBeLessThanOrEqual(w.clock.now() + 3_600_000);
        }
        if (answer?.status === 200) expect(contactsIn(answer)).toHaveLength(bindings.length);
      },
    ),
    { numRuns: 300 },
  );
});
