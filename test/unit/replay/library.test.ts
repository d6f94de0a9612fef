import { createServer } from 'node:http';
import express from 'express';
import twilio from 'twilio';
import { afterAll, describe, expect, it, vi } from 'vitest';
import {
  type AppRequest,
  assertDialed,
  assertEnded,
  assertHeard,
  assertNothingReported,
  assertRequested,
  scenario,
} from '../../../src/replay/index.ts';
import '../../../src/replay/vitest.ts';

const BOB = 'sip:bob@example.com';
const say = (text: string) => `<Response><Say>${text}</Say></Response>`;

/** A menu that connects callers to Bob. */
function menu({ url, params }: AppRequest): string {
  const { pathname } = new URL(url);
  if (pathname === '/voice')
    return `<Response><Gather numDigits="1" action="/choice"><Say>Welcome. Press 1 for Bob.</Say></Gather></Response>`;
  if (pathname === '/done') return say(`Bob was ${params['DialCallStatus']}.`);
  if (params['Digits'] !== '1') return '<Response><Say>Sorry.</Say><Redirect>/voice</Redirect></Response>';
  return `<Response><Say>Connecting.</Say><Dial action="/done" timeout="20"><Sip>${BOB}</Sip></Dial></Response>`;
}

describe('a call under test', () => {
  it('walks through a menu, is connected and told how that ended', async () => {
    const call = await scenario({ app: menu });
    expect(await call.hears(/welcome/i)).toBe('Welcome. Press 1 for Bob.');
    await call.press('1');
    expect(call).toHaveRequested('/choice', { params: { Digits: '1' } });
    const bob = call.callee(BOB);
    expect((await bob.isDialed()).from).toBe('+15005550001');
    await bob.answers();
    await call.says('hello');
    await bob.hears('hello');
    await bob.hangsUp();
    await call.hears(/bob was completed/i);
    const { status, duration, diagnostics } = await call.ended;
    expect({ status, duration, diagnostics }).toEqual({ status: 'completed', duration: 3, diagnostics: [] });
    expect(call).toHaveDialed(BOB, { from: '+15005550001', status: 'completed' });
    expect(call).toHaveEnded({ status: 'completed', cause: 'the TwiML ended' });
    expect(call).not.toHaveReported();
  });

  it('rings until it is said what a callee does, or for as long as the document has it', async () => {
    const call = await scenario({ app: menu });
    await call.press('1');
    await call.hears('bob was no-answer', { within: '1m' });
    expect(call).toHaveDialed(BOB, { status: 'no-answer' });
  });

  it.each([
    ['busy', 'busy'],
    ['rejects', 'busy'],
    ['unreachable', 'failed'],
  ] as const)('has callees that %s', async (plan, status) => {
    const call = await scenario({ app: menu, callees: { [BOB]: plan } });
    await call.press('1');
    await call.hears(`Bob was ${status}`);
  });

  it('has callees that follow the steps of a scenario', async () => {
    const steps = [
      { ring: 183, early: true },
      { wait: '3s' },
      { answer: { 'X-Desk': '7' } },
      { wait: '2s' },
      { hangup: true },
    ];
    const call = await scenario({ app: menu, callees: { [BOB]: steps } });
    await call.press('1');
    await call.ended;
    expect(call).toHaveRequested('/done', { params: { DialCallDuration: '2' } });
  });

  it('gives what was planned before the call dials', async () => {
    const call = await scenario({ app: menu });
    await call.callee(BOB).isBusy();
    await call.press('1');
    await call.hears('busy');
  });

  it('says what was heard instead', async () => {
    const call = await scenario({ app: menu });
    await expect(call.hears('goodbye', { within: '2s' })).rejects.toThrow(
      /"goodbye" was not heard: not within 2 s\.\nHeard meanwhile:\n {2}"Welcome\. Press 1 for Bob\."/,
    );
    expect(call.now).toBe(2_000);
  });

  it('says that the call ended before anything was heard', async () => {
    const call = await scenario({ app: () => say('Hi.') });
    await expect(call.hears('goodbye')).rejects.toThrow(
      '"goodbye" was not heard: the call ended: the TwiML ended',
    );
  });

  it('says who waits for what when nothing can happen any more', async () => {
    const call = await scenario({ app: menu, callees: { [BOB]: 'answers' } });
    await call.press('1');
    await expect(call.ended).rejects.toThrow(
      `<Dial> (line 1) waits: the caller and ${BOB} are connected, and neither of them does anything more`,
    );
  });

  it('says what the application understands', async () => {
    const call = await scenario({
      app: ({ params }) =>
        params['SpeechResult'] === undefined
          ? '<Response><Gather input="speech" action="/said"><Say>Whom do you want?</Say></Gather></Response>'
          : say(`You said ${params['SpeechResult']}.`),
    });
    await call.hears('whom do you want');
    await call.says('the sales department');
    await call.hears('You said the sales department');
    expect(call).toHaveRequested('/said', { params: { SpeechResult: 'the sales department' } });
  });

  it('presses nothing in a call that is not answered, or over', async () => {
    const app = '<Response><Dial answerOnBridge="true"><Sip>sip:bob@example.com</Sip></Dial></Response>';
    const call = await scenario({ app: () => app });
    await expect(call.press('1')).rejects.toThrow('the caller cannot press 1: nobody has answered yet');
    call.hangup();
    await call.ended;
    await expect(call.press('1')).rejects.toThrow('the caller cannot press 1: it is over');
    await expect(call.press('x')).rejects.toThrow('found "x" in "x": expected keys');
  });

  it('says what a program without types handed over', async () => {
    const call = await scenario({ app: menu });
    // @ts-expect-error: a number
    await expect(call.press(1)).rejects.toThrow("found 1, which is no text: expected keys such as '1'");
    // @ts-expect-error: nothing
    await expect(call.hears()).rejects.toThrow('found undefined: expected text or a regular expression');
    call.hangup();
    await call.ended;
  });

  it.each([
    ['no options', undefined, 'found undefined: expected options such as'],
    ['no application', {}, 'app: found undefined: expected a URL, an application'],
    ['a number for an application', { app: 5 }, 'app: found 5: expected'],
    ['a misspelt option', { app: menu, frm: '+1' }, 'unknown option "frm": did you mean from?'],
    ['a number for a text', { app: menu, from: 5 }, 'from: found 5: expected text'],
    ['another method', { app: menu, method: 'PUT' }, 'method: found PUT: expected GET or POST'],
    [
      'a Region that is none',
      { app: menu, region: 'de1' },
      'region: found de1: expected one of us1, ie1, au1',
    ],
    ['a text for a seed', { app: menu, seed: 'a' }, 'seed: found a: expected a number'],
    ['one host for a list', { app: menu, allowHosts: 'a.io' }, 'allowHosts: found a.io: expected a list'],
  ])('is not made with %s', async (_what, options, message) => {
    // @ts-expect-error: what a program without types may do
    await expect(scenario(options)).rejects.toThrow(message);
  });

  it('may wait for several things at once', async () => {
    const call = await scenario({ app: menu });
    await call.press('1');
    const [dialed] = await Promise.all([call.callee(BOB).isDialed(), call.hears('connecting')]);
    expect(dialed.status).toBe('ringing');
  });

  it('stands still while the test does other things', async () => {
    const call = await scenario({ app: menu });
    await call.waits('1.5s');
    await new Promise((resolve) => setImmediate(resolve));
    expect(call.now).toBe(1_500);
  });

  it('minds no timers that a test has replaced', async () => {
    vi.useFakeTimers();
    try {
      const call = await scenario({ app: menu });
      await call.hears('welcome');
      await call.waits('1h');
      expect((await call.ended).status).toBe('completed');
    } finally {
      vi.useRealTimers();
    }
  });

  it('leaves nothing behind when nobody hangs up', async () => {
    await scenario({ app: menu });
    await using call = await scenario({ app: menu });
    await call.hears('welcome');
  });

  it('has other identifiers each time, unless a seed is given', async () => {
    const sids = await Promise.all(
      [{}, {}, { seed: 7 }, { seed: 7 }].map(
        async (options) => (await scenario({ app: menu, ...options })).sid,
      ),
    );
    expect(new Set(sids).size).toBe(3);
    expect(sids[2]).toBe(sids[3]);
  });
});

describe('an application under test', () => {
  it('may be answers by URL', async () => {
    const app = {
      '/voice': '<Response><Play>/hello.wav</Play><Redirect>/next</Redirect></Response>',
      '/hello.wav': { audio: 2_000 },
      '/next': () => new Response(say('Next.'), { headers: { 'content-type': 'text/xml' } }),
    };
    const call = await scenario({ app });
    await call.hears('hello.wav');
    await call.hears('next');
    expect(call.heard.map(({ at, text, ms }) => ({ at, text, ms }))).toEqual([
      { at: 0, text: 'http://app.test/hello.wav', ms: 2_000 },
      { at: 2_000, text: 'Next.', ms: 350 },
    ]);
  });

  it("may answer with a builder's document", async () => {
    const document = new twilio.twiml.VoiceResponse();
    document.say('Built.');
    const call = await scenario({ app: async () => document });
    await call.hears('built');
  });

  it('plays files of other servers without fetching them', async () => {
    const call = await scenario({
      app: () => '<Response><Play>https://cdn.example.com/music.mp3</Play></Response>',
    });
    await call.hears('music.mp3');
    const { requests, duration, diagnostics } = await call.ended;
    expect([requests.length, duration, diagnostics]).toEqual([1, 3, []]);
  });

  it('is the only one that is asked', async () => {
    const call = await scenario({
      app: () => '<Response><Redirect>https://elsewhere.example.com/voice</Redirect></Response>',
    });
    await call.ended;
    expect(call.diagnostics.map(({ code, message }) => [code, message])).toEqual([
      [
        11200,
        expect.stringContaining(
          'elsewhere.example.com is not the application that is tested, http://app.test; allow this host',
        ),
      ],
    ]);
  });

  it('has other servers whose answers the test gives', async () => {
    const call = await scenario({
      app: () => '<Response><Redirect>https://elsewhere.example.com/voice</Redirect></Response>',
      webhooks: { 'https://elsewhere.example.com/voice': say('From elsewhere.') },
    });
    await call.hears('from elsewhere');
  });

  it('is asked at its fallback, and told of the end', async () => {
    const call = await scenario({
      app: ({ url }) => (url.endsWith('/voice') ? { status: 500 } : say('Something is wrong.')),
      fallback: '/sorry',
      statusCallback: '/status',
    });
    await call.hears('something is wrong');
    await call.ended;
    expect(call).toHaveRequested('/sorry', { params: { ErrorCode: '11200' } });
    expect(call).toHaveRequested('/status', { params: { CallStatus: 'completed', CallDuration: '1' } });
    expect(call).toHaveReported(11200);
  });

  it('fails the test with its own error', async () => {
    const broken = new Error('a bug of the application');
    await expect(
      scenario({
        app: () => {
          throw broken;
        },
      }),
    ).rejects.toBe(broken);
  });

  it('has to answer something', async () => {
    // @ts-expect-error: what a program without types may do
    await expect(scenario({ app: () => 42 })).rejects.toThrow(
      'answered http://app.test/voice with number: expected TwiML',
    );
  });

  it.each(['ftp://example.com/voice', 'nowhere'])('is not at %s', async (app) => {
    await expect(scenario({ app })).rejects.toThrow(app);
  });
});

describe('an application that runs', () => {
  const app = express();
  app.use(express.urlencoded({ extended: false }));
  app.post('/voice', twilio.webhook('secret-token', { protocol: 'http' }), (_request, response) => {
    response.type('text/xml').send('<Response><Gather action="/choice" numDigits="1"/></Response>');
  });
  app.post('/choice', (request, response) => {
    response.type('text/xml').send(say(`You pressed ${request.body.Digits}.`));
  });
  const server = createServer(app);
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it('is asked over HTTP, signed, and takes no virtual time', async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (typeof address !== 'object' || !address) throw new Error('no port');
    const url = `http://127.0.0.1:${address.port}/voice`;
    const call = await scenario({ app: url, token: 'secret-token' });
    await call.press('5');
    await call.hears('You pressed 5');
    expect(call.requests.map(({ at, status }) => [at, status])).toEqual([
      [0, 200],
      [0, 200],
    ]);
    const refused = await scenario({ app: url, token: 'another token' });
    await refused.ended;
    expect(refused.requests[0]?.status).toBe(403);
  });

  it('may be given itself, and listens meanwhile', async () => {
    for (const given of [app, server]) {
      const call = await scenario({ app: given, token: 'secret-token' });
      await call.press('5');
      await call.hears('You pressed 5');
    }
  });

  it('that is gone is a diagnostic', async () => {
    const call = await scenario({ app: 'http://127.0.0.1:1/voice' });
    await call.ended;
    expect(call).toHaveReported(11202);
  });
});

describe('what is claimed of a call', () => {
  it('says what was found', async () => {
    const call = await scenario({ app: menu });
    expect(() => expect(call).toHaveDialed(BOB)).toThrow(
      `expected the call to have dialled "${BOB}"; it dialled nobody`,
    );
    expect(() => expect(call).toHaveEnded('completed')).toThrow('it goes on; await call.ended first');
    expect(() => expect(call).toHaveRequested('/choice', { params: { Digits: '1' } })).toThrow(
      /have requested "\/choice", params Digits=1; it requested \n {2}POST http:\/\/app\.test\/voice/,
    );
    expect(() => expect(call).not.toHaveHeard('welcome')).toThrow(
      'expected the call not to have heard "welcome"',
    );
    expect(() => expect('no call').toHaveHeard('welcome')).toThrow('expected a call');
    expect(() => expect(call).toHaveReported()).toThrow('nothing was reported');
  });

  it('is the same as assertions', async () => {
    const call = await scenario({ app: menu, callees: { [BOB]: 'busy' } });
    assertHeard(call, 'welcome');
    await call.press('1');
    assertRequested(call, '/choice');
    await call.ended;
    assertDialed(call, BOB, { status: 'busy' });
    assertEnded(call, 'completed');
    assertNothingReported(call);
    expect(() => assertDialed(call, 'sip:eve@example.com')).toThrow(
      `it dialled \n  ${BOB} as +15005550001: busy`,
    );
    expect(() => assertEnded(call, 'busy')).toThrow('it ended completed after');
  });
});
