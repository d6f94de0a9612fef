import { describe, expect, it } from 'vitest';
import { LegEnded } from '../../../src/leg/port.ts';
import type { SimulatedLeg } from '../../../src/leg/simulated/simulated-leg.ts';
import { runCall } from '../../../src/twiml/interpreter/run-call.ts';
import type { Checkpoint } from '../../../src/twiml/interpreter/world.ts';
import { setUp } from './call-world.ts';

const NEVER = new AbortController().signal;

const heardClips = (leg: SimulatedLeg) =>
  leg.heard.flatMap((event) => (event.kind === 'played' ? [event.clip] : []));

describe('runCall', () => {
  it('leaves a checkpoint before each top-level verb, as plain JSON', async () => {
    const body = '<Response><Say>One</Say><Pause/><Say>Two</Say></Response>';
    const { clock, world, checkpoints } = setUp({ '/voice': body });
    await clock.run(runCall(world, { kind: 'fresh' }, NEVER));
    expect(checkpoints.map(({ verb, answered }) => [verb, answered])).toEqual([
      [0, false],
      [1, true],
      [2, true],
    ]);
    expect(checkpoints[0]?.document.body).toBe(body);
    expect(JSON.parse(JSON.stringify(checkpoints))).toEqual(checkpoints);
  });

  it.each(['<Play>two.wav</Play>', '<Pause length="4"/>', '<Say>Two</Say>'])(
    'resumes a call in %s from the start of that verb, without fetching or answering again',
    async (verb) => {
      const body = `<Response><Say>One</Say>${verb}<Say>Three</Say><Sai/></Response>`;
      const { clock, world, leg, requests, diagnostics } = setUp({});
      await leg.answer();
      const document = { url: 'http://app.test/voice', contentType: 'text/xml', body };
      const point: Checkpoint = { document, verb: 1, name: 'Play', answered: true };
      const end = await clock.run(runCall(world, { kind: 'resume', point }, NEVER));
      expect(end.status).toBe('completed');
      expect(heardClips(leg)).not.toContain('One');
      expect(heardClips(leg).at(-1)).toBe('Three');
      expect(leg.heard.filter(({ kind }) => kind === 'answered')).toHaveLength(1);
      expect(requests).toEqual([]);
      expect(diagnostics).toEqual([]); // what was said about the document was said when it was fetched
    },
  );

  it('asks for the current document again with the password and overrides it was requested with', async () => {
    const { clock, world, leg, requests, checkpoints } = setUp(
      { '/voice': '<Response><Gather numDigits="1"/></Response>' },
      'http://user:secret@app.test/voice#rc=2',
    );
    clock.after(1_000, () => leg.peer.press('1'));
    clock.after(2_000, () => leg.peer.hangup());
    await clock.run(runCall(world, { kind: 'fresh' }, NEVER));
    expect(requests[1]).toMatchObject({
      url: 'http://user:secret@app.test/voice#rc=2',
      params: { Digits: '1' },
    });
    expect(checkpoints.at(-1)?.document.url).toBe('http://app.test/voice');
  });

  it('shows no password in the timeline', async () => {
    const { clock, world, timeline } = setUp({
      '/voice': '<Response><Redirect>http://user:secret@app.test/next</Redirect></Response>',
      '/next': '<Response/>',
    });
    await clock.run(runCall(world, { kind: 'fresh' }, NEVER));
    expect(timeline.filter(({ type }) => type === 'verb-ended')).toEqual([
      { type: 'verb-ended', verb: 'Redirect', outcome: 'redirect POST http://app.test/next' },
    ]);
  });

  it('hands a recording over before it resolves when the worker shuts down', async () => {
    const { clock, world, leg, finished, requests } = setUp({
      '/voice': '<Response><Record action="/done"/></Response>',
      '/done': '<Response/>',
    });
    const shutdown = new AbortController();
    clock.after(3_000, () => shutdown.abort(new LegEnded('shutdown')));
    leg.peer.speak(60_000);
    const end = await clock.run(runCall(world, { kind: 'fresh' }, shutdown.signal));
    expect(end).toEqual({ status: 'completed', cause: 'the worker was shut down during <Record>' });
    expect(finished).toEqual(['RE1']);
    expect(requests.map(({ url }) => url)).toEqual(['http://app.test/voice']); // nobody hung up: no Digits=hangup
  });

  it('makes no request for a call that another worker owns', async () => {
    const { clock, world, leg, requests } = setUp({
      '/voice': '<Response><Record action="/done"/></Response>',
      '/done': '<Response/>',
    });
    leg.peer.speak(60_000);
    clock.after(3_000, () => leg.peer.end('epoch-lost'));
    await clock.run(runCall(world, { kind: 'fresh' }, NEVER));
    expect(requests.map(({ url }) => url)).toEqual(['http://app.test/voice']);
  });

  it('rejects with a programming error instead of calling it the end of the call', async () => {
    const { clock, world } = setUp({});
    await expect(clock.run(runCall(world, { kind: 'fresh' }, NEVER))).rejects.toThrow(
      'no document at /voice',
    );
  });

  it('leaves no timer behind', async () => {
    const { clock, world, leg } = setUp({ '/voice': '<Response><Gather><Say>One</Say></Gather></Response>' });
    clock.after(500, () => leg.peer.press('1'));
    clock.after(700, () => leg.peer.hangup());
    await clock.run(runCall(world, { kind: 'fresh' }, NEVER));
    expect(clock.pending).toBe(0);
  });

  describe('with a document that the API ordered', () => {
    const twiml = (inside: string) => ({ kind: 'twiml', twiml: `<Response>${inside}</Response>` }) as const;
    const byUrl = (path: string, fallback = '') =>
      ({
        kind: 'url',
        url: `http://app.test${path}`,
        method: 'GET',
        fallbackUrl: fallback && `http://app.test${fallback}`,
        fallbackMethod: 'POST',
        params: { Extra: '1' },
      }) as const;

    it('starts with it, by URL', async () => {
      const { clock, world, leg, requests } = setUp({ '/other': '<Response><Say>Other</Say></Response>' });
      await leg.answer();
      const end = await clock.run(runCall(world, { kind: 'document', document: byUrl('/other') }, NEVER));
      expect(end.status).toBe('completed');
      expect(requests).toMatchObject([{ method: 'GET', params: { CallStatus: 'in-progress', Extra: '1' } }]);
      expect(heardClips(leg)).toEqual(['Other']);
    });

    it('starts with it, given as text: nothing is requested', async () => {
      const { clock, world, leg, requests, checkpoints } = setUp({});
      await clock.run(runCall(world, { kind: 'document', document: twiml('<Say>Hi</Say>') }, NEVER));
      expect(requests).toEqual([]);
      expect(heardClips(leg)).toEqual(['Hi']);
      expect(JSON.parse(JSON.stringify(checkpoints[0]?.document))).toEqual(checkpoints[0]?.document);
    });

    it('asks its fallback when it fails', async () => {
      const { clock, world, leg, requests } = setUp({
        '/other': 'no TwiML',
        '/fallback': '<Response><Say>Fallback</Say></Response>',
      });
      const document = byUrl('/other', '/fallback');
      await clock.run(runCall(world, { kind: 'document', document }, NEVER));
      expect(requests[1]).toMatchObject({
        purpose: 'fallback',
        params: { ErrorCode: '12100', ErrorUrl: 'http://app.test/other' },
      });
      expect(heardClips(leg)).toEqual(['Fallback']);
    });

    it('goes on with the newest of those that came at once', async () => {
      const { clock, world, leg } = setUp({ '/voice': '<Response><Pause length="60"/></Response>' });
      clock.after(1_000, () => {
        world.onRedirect?.(twiml('<Say>First</Say>'));
        world.onRedirect?.(twiml('<Say>Second</Say>'));
      });
      await clock.run(runCall(world, { kind: 'fresh' }, NEVER));
      expect(heardClips(leg)).toEqual(['Second']);
      expect(world.onRedirect).toBeUndefined();
    });

    it('ends with the call when both come at once', async () => {
      const { clock, world, leg } = setUp({ '/voice': '<Response><Pause length="60"/></Response>' });
      clock.after(1_000, () => {
        leg.peer.hangup();
        world.onRedirect?.(twiml('<Say>Late</Say>'));
      });
      const end = await clock.run(runCall(world, { kind: 'fresh' }, NEVER));
      expect(end.status).toBe('no-answer');
      expect(heardClips(leg)).toEqual([]);
    });
  });
});
