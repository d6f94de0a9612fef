import { describe, expect, it } from 'vitest';
import { type ControlClient, EdgeUnreachable, type OutgoingLink } from '../../../src/control/client.ts';
import { EdgeConnection } from '../../../src/control/edge-connection.ts';
import type { DialAnswer } from '../../../src/control/server.ts';
import { VirtualClock } from '../../../src/core/clock.ts';
import { failure } from '../../../src/core/diagnostic.ts';
import { RandomIds } from '../../../src/core/ids.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { until } from '../../support/until.ts';
import { dialRequest } from './dial-request.ts';
import { clean, granted, HEARTBEAT_MS, inner, leg, SECRET, startEdge, startWorker } from './world.ts';

const dialling: DialAnswer = { dialling: { sipCallId: 'abc@dublin', leg } };

async function dialled(answer: ReturnType<ControlClient['dial']>): Promise<OutgoingLink> {
  const result = await answer;
  if ('notDialled' in result) throw new Error(`not dialled: ${result.notDialled.message}`);
  return result;
}

async function world() {
  const started = await startEdge();
  started.edge.dial = async () => dialling;
  return { ...started, worker: startWorker() };
}

describe('dialling over the control channel', () => {
  it('has an edge make a call, which is the worker’s until it is released', async () => {
    const { edge, server, address, worker } = await world();
    const asked: unknown[] = [];
    edge.dial = async (...args) => {
      asked.push(args);
      return dialling;
    };
    const request = dialRequest({
      headers: { 'X-Name': 'grüße', 'User-to-User': '00;encoding=hex' },
      credentials: { username: 'alice', password: 'geheim' },
    });
    const link = await dialled(worker.dial(address, request, inner));
    const from = { worker: 'worker-1', region: 'ie1', remote: expect.any(String) };
    expect(asked).toEqual([[request, inner, from]]);
    expect(link).toMatchObject({ job: request.job, leg, sipCallId: 'abc@dublin', process: 'edge-1' });
    expect(server.census().calls).toBe(1);
    expect(worker.census()).toEqual({ connections: 1, calls: 1 });
    await link.command({ verb: 'hangup' });
    expect(edge.commands).toEqual([{ verb: 'hangup' }]);
    await link.release();
    await until('the release', () => edge.log.includes('release 1'));
    expect(server.census().calls).toBe(0);
    await expect(link.command({ verb: 'hangup' })).rejects.toThrow('has been released');
  });

  it('keeps what happens until somebody listens, in order', async () => {
    const { server, address, worker } = await world();
    const { job } = dialRequest();
    const link = await dialled(worker.dial(address, dialRequest({ job }), inner));
    const { callSid } = job;
    const diagnostic = failure(32014, 'no audio');
    server.notifyProgress(callSid, 1, 180, false);
    server.notifyProgress(callSid, 1, 183, true);
    server.notifyAnswered(callSid, 1, { 'X-Agent': '7' });
    server.notifyRefer(callSid, 1, '<sip:a@b>');
    server.notifyReferred(callSid, 1, 100, false);
    server.notifyReferred(callSid, 1, 200, true);
    server.notifyEnded(callSid, 1, { cause: 'peer-hangup', headers: { 'X-Score': '5' }, diagnostic });
    await link.command({ verb: 'unbridge' }); // its answer comes after all of them
    const seen: unknown[] = [];
    link.onProgress = (...args) => seen.push(args);
    link.onAnswered = (headers) => seen.push(headers);
    link.onRefer = (referTo) => seen.push(referTo);
    link.onReferred = (...args) => seen.push(args);
    link.onEnded = ({ cause, headers, diagnostic: told }) => seen.push([cause, headers, told]);
    expect(seen).toEqual([
      [180, false],
      [183, true],
      { 'X-Agent': '7' },
      '<sip:a@b>',
      [100, false],
      [200, true],
      ['peer-hangup', { 'X-Score': '5' }, diagnostic],
    ]);
  });

  it('tells of a call only after it has said that it dials', async () => {
    const { edge, server, address, worker } = await world();
    edge.dial = async ({ job }) => {
      server.notifyProgress(job.callSid, 1, 100, false);
      server.notifyProgress(job.callSid, 2, 180, false); // of no epoch that anybody holds
      server.notifyEnded(job.callSid, 1, { cause: 'unreachable' });
      return dialling;
    };
    const link = await dialled(worker.dial(address, dialRequest(), inner));
    await link.command({ verb: 'unbridge' });
    const seen: unknown[] = [];
    link.onProgress = (status) => seen.push(status);
    link.onEnded = ({ cause }) => seen.push(cause);
    expect(seen).toEqual([100, 'unreachable']);
  });

  it('says what kept a call from being placed; nobody holds it then', async () => {
    const { edge, server, address, worker } = await world();
    const diagnostic = failure(13224, 'no carrier', { actual: '+1', url: 'https://example.com/' });
    edge.dial = async () => ({ notDialled: diagnostic });
    expect(await worker.dial(address, dialRequest(), inner)).toEqual({ notDialled: diagnostic });
    expect(server.census().calls).toBe(0);
    expect(worker.census().calls).toBe(0);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('a bug');
      },
    ],
    ['rejects', async () => Promise.reject(new Error('a bug'))],
  ])('survives an edge whose dialling %s', async (_, dial) => {
    const { edge, server, address, worker, edgeLog } = await world();
    const other = await granted(worker.claim(address, edge.offer().callSid, 1, inner));
    edge.dial = dial;
    expect(await worker.dial(address, dialRequest(), inner)).toMatchObject({ notDialled: { code: 12400 } });
    expect(edgeLog).toContain('dialling a call failed');
    expect(server.census().calls).toBe(1);
    await other.command({ verb: 'answer' });
  });

  it('makes no call twice', async () => {
    const { server, address, worker } = await world();
    const request = dialRequest();
    const link = await dialled(worker.dial(address, request, inner));
    await expect(worker.dial(address, request, inner)).rejects.toThrow('has been dialled before');
    const later = { ...request, job: { ...request.job, epoch: 2 } };
    for (const [client, again] of [
      [startWorker('worker-2'), request],
      [startWorker('worker-3'), later],
      [worker, later],
    ] as const) {
      const answer = await client.dial(address, again, inner);
      expect(answer).toMatchObject({ notDialled: { code: 12400 } });
    }
    expect(server.census().calls).toBe(1);
    await link.command({ verb: 'hangup' });
    await link.release();
    await until('the release', () => server.census().calls === 0);
    await dialled(worker.dial(address, later, inner));
  });

  it('does not let a call that it makes be claimed', async () => {
    const { address, worker } = await world();
    const request = dialRequest();
    await dialled(worker.dial(address, request, inner));
    const claim = startWorker('worker-2').claim(address, request.job.callSid, 1, inner);
    expect(await claim).toEqual({ refused: 'taken' });
  });

  it('reports a call as lost whose worker goes before the edge has answered', async () => {
    const { edge, server, address, worker } = await world();
    let answer: (answer: DialAnswer) => void = () => {};
    const lost: string[] = [];
    edge.lost = (_, callSids) => lost.push(...callSids);
    const asked: string[] = [];
    edge.dial = ({ job }) => {
      asked.push(job.callSid);
      return new Promise((resolve) => {
        answer = resolve;
      });
    };
    const outcome = expect(worker.dial(address, dialRequest(), inner)).rejects.toThrow(EdgeUnreachable);
    await until('the dial', () => asked.length === 1);
    expect(server.census().calls).toBe(1);
    await worker.close();
    await outcome;
    await until('the loss', () => lost.length === 1);
    expect(lost).toEqual(asked);
    answer(dialling); // nobody to tell
    expect(server.census().calls).toBe(0);
  });

  it('reports a call as lost whose worker goes later', async () => {
    const { edge, address, worker } = await world();
    const link = await dialled(worker.dial(address, dialRequest(), inner));
    const lost: string[] = [];
    edge.lost = (_, callSids) => lost.push(...callSids);
    await worker.close();
    await until('the loss', () => lost.length === 1);
    expect(lost).toEqual([link.job.callSid]);
    expect(link.lost.reason).toMatchObject({ cause: 'shutdown' });
  });

  it('ends calls whose edge goes, and those that it had not answered', async () => {
    const { edge, server, address, worker } = await world();
    const link = await dialled(worker.dial(address, dialRequest(), inner));
    const unanswered = dialRequest();
    edge.dial = () => new Promise(() => {});
    const outcome = expect(worker.dial(address, unanswered, inner)).rejects.toThrow(EdgeUnreachable);
    await until('the dial', () => server.census().calls === 2);
    await server.close();
    await outcome;
    const seen: string[] = [];
    link.onEnded = ({ cause }) => seen.push(cause);
    expect(seen).toEqual(['edge-lost']);
  });

  it('tries nothing at another process that listens where the edge was', async () => {
    const { address, worker } = await world();
    const dial = worker.dial({ ...address, process: 'edge-0' }, dialRequest(), inner);
    await expect(dial).rejects.toThrow('edge-1 listens there now');
  });

  it('keeps the connection of a call alive, and closes it when nothing needs it', async () => {
    const { edge, address } = await world();
    const clock = new VirtualClock();
    const worker = startWorker('worker-1', SECRET, clock, 600_000);
    const link = await dialled(worker.dial(address, dialRequest(), inner));
    clock.tick(60_000);
    expect(worker.census()).toEqual({ connections: 1, calls: 1 });
    await link.release();
    edge.dial = async () => ({ notDialled: failure(13224, 'no carrier') });
    clock.tick(29_000);
    await worker.dial(address, dialRequest(), inner);
    clock.tick(29_999);
    expect(worker.census().connections).toBe(1);
    clock.tick(1);
    expect(worker.census().connections).toBe(0);
  });

  it('carries the peer’s status in the answer to a command', async () => {
    const { edge, address, worker } = await world();
    const link = await dialled(worker.dial(address, dialRequest(), inner));
    edge.answer = async () => ({ status: 202 });
    expect(await link.command({ verb: 'refer', to: 'sip:a@b' })).toEqual({ status: 202 });
    edge.answer = async () => ({});
    expect(await link.command({ verb: 'bridge', with: dialRequest().job.callSid })).toEqual({});
  });
});

describe('what does not fit through the control channel', () => {
  it.each([
    ['a header with a line break', { headers: { 'X-A': 'a\r\nX-B: b' } }, /request\.headers/],
    ['a header whose name is none', { headers: { 'X A': 'a' } }, /request\.headers/],
    ['301 headers', { headers: headers(301, 1) }, /more than 300 headers/],
    ['long headers', { headers: headers(10, 2_000) }, /16384 characters/],
    ['a long URI', { party: { kind: 'sip', uri: `sip:${'a'.repeat(5_000)}` } }, /request\.party\.uri/],
    ['a user with a line break', { from: 'a\nb' }, /request\.from/],
  ] as const)('%s: the call is not dialled, and the others do not notice', async (_, fields, reason) => {
    const { address, worker } = await world();
    const link = await dialled(worker.dial(address, dialRequest(), inner));
    const answer = await worker.dial(address, dialRequest(fields), inner);
    expect(answer).toMatchObject({ notDialled: { code: 12400, message: expect.stringMatching(reason) } });
    await link.command({ verb: 'hangup' });
  });

  it('takes as many headers as it allows', async () => {
    const { edge, address, worker } = await world();
    const most = headers(300, 40);
    const asked: unknown[] = [];
    edge.dial = async (request) => {
      asked.push(request.headers);
      return dialling;
    };
    await dialled(worker.dial(address, dialRequest({ headers: most }), inner));
    expect(asked).toEqual([most]);
  });

  it('a command: it fails, and the call goes on', async () => {
    const { edge, address, worker } = await world();
    const link = await dialled(worker.dial(address, dialRequest(), inner));
    const refer = link.command({ verb: 'refer', to: 'sip:a@b\r\nX-Evil: 1' });
    await expect(refer).rejects.toMatchObject({ name: 'CommandFailed' });
    await link.command({ verb: 'hangup' });
    expect(edge.commands).toEqual([{ verb: 'hangup' }]);
  });

  it('what a peer says: as much as fits is told', async () => {
    const { server, address, worker } = await world();
    const link = await dialled(worker.dial(address, dialRequest(), inner));
    const { callSid } = link.job;
    const long = 'x'.repeat(10_000);
    server.notifyAnswered(callSid, 1, headers(400, 10));
    server.notifyRefer(callSid, 1, long);
    const diagnostic = failure(32014, long, { url: long, actual: long, expected: long });
    server.notifyEnded(callSid, 1, {
      cause: 'rejected',
      sipStatus: 486,
      headers: headers(3, 7_000),
      diagnostic,
    });
    await link.command({ verb: 'unbridge' });
    const seen: unknown[] = [];
    link.onAnswered = (told) => seen.push(Object.keys(told).length);
    link.onRefer = (referTo) => seen.push(referTo.length);
    link.onEnded = (end) => seen.push(Object.keys(end.headers).length, end.diagnostic?.message.length);
    expect(seen).toEqual([300, 4_096, 2, 4_096]);
    expect(link.lost.aborted).toBe(false);
  });

  it('what a peer says without end: the latest of it is kept', async () => {
    const { server, address, worker } = await world();
    const link = await dialled(worker.dial(address, dialRequest(), inner));
    for (let n = 0; n < 99; n++) server.notifyProgress(link.job.callSid, 1, 100 + n, false);
    await link.command({ verb: 'unbridge' });
    const seen: number[] = [];
    link.onProgress = (status) => seen.push(status);
    expect(seen).toEqual(Array.from({ length: 64 }, (_, n) => 135 + n));
  });
});

describe('a call that rings at several devices', () => {
  const { job } = dialRequest();
  const forks = [1, 2].map((fork) => dialRequest({ job, fork }));
  const [first, second] = [`${job.callSid}-1`, `${job.callSid}-2`];

  it('has a leg for each of them, which are told of and commanded apart', async () => {
    const { edge, server, address, worker } = await world();
    const commanded: string[] = [];
    edge.command = async (id, _epoch, { verb }) => {
      commanded.push(`${id} ${verb}`);
      return {};
    };
    const links = await Promise.all(forks.map((request) => dialled(worker.dial(address, request, inner))));
    expect(links.map(({ id, job: { callSid } }) => [id, callSid])).toEqual([
      [first, job.callSid],
      [second, job.callSid],
    ]);
    expect(server.census().calls).toBe(2);
    const told: string[] = [];
    for (const link of links) {
      link.onProgress = (status) => told.push(`${link.id} ${status}`);
      link.onAnswered = () => told.push(`${link.id} answered`);
      link.onEnded = ({ cause }) => told.push(`${link.id} ${cause}`);
    }
    server.notifyProgress(second, 1, 180, false);
    server.notifyAnswered(first, 1, {});
    server.notifyEnded(second, 1, { cause: 'rejected', sipStatus: 486 });
    await links[0]?.command({ verb: 'hangup' });
    expect(told).toEqual([`${second} 180`, `${first} answered`, `${second} rejected`]);
    expect(commanded).toEqual([`${first} hangup`]);
    await links[0]?.release();
    await until('the release of one', () => server.census().calls === 1);
    await links[1]?.command({ verb: 'hangup' });
  });

  it('is lost in all its legs with its worker', async () => {
    const { edge, address, worker } = await world();
    const lost: (readonly string[])[] = [];
    edge.lost = (_worker, ids) => void lost.push(ids);
    for (const request of forks) await dialled(worker.dial(address, request, inner));
    await worker.close();
    await until('the loss', () => lost.length === 1);
    expect(lost).toEqual([[first, second]]);
  });
});

describe('whether two accounts are related', () => {
  const accounts = ['AC1', 'AC2'] as const;

  it.each([true, false])('is asked of an edge: %s', async (related) => {
    const { edge, address, worker } = await world();
    const asked: unknown[] = [];
    edge.related = async (pair) => {
      asked.push(pair);
      return related;
    };
    expect(await worker.related(address, accounts)).toBe(related);
    expect(asked).toEqual([accounts]);
    expect(worker.census()).toEqual({ connections: 1, calls: 0 });
  });

  it.each([true, false])('is asked of an edge for a SIP domain of another Region: %s', async (related) => {
    const { edge, address, worker } = await world();
    const asked: unknown[] = [];
    edge.domainRelated = async (...question) => {
      asked.push(question);
      return related;
    };
    expect(await worker.domainRelated(address, 'acme', 'AC1')).toBe(related);
    expect(asked).toEqual([['acme', 'AC1']]);
    expect(worker.census()).toEqual({ connections: 1, calls: 0 });
  });

  it('is not known when the edge cannot look it up, or is not there', async () => {
    const { edge, server, address, worker } = await world();
    edge.related = () => Promise.reject(new Error('the global Redis is away'));
    await expect(worker.related(address, accounts)).rejects.toThrow('the global Redis is away');
    edge.related = () => new Promise(() => {});
    const unanswered = worker.related(address, accounts);
    const outcome = expect(unanswered).rejects.toBeInstanceOf(EdgeUnreachable);
    await server.close();
    await outcome;
  });
});

describe('acting on a call that an edge makes', () => {
  const connect = (address: { process: string; host: string; port: number }) => {
    const connection = new EdgeConnection(address, {
      secret: SECRET,
      worker: 'worker-1',
      region: 'ie1',
      clock: new VirtualClock(),
      ids: new RandomIds(),
      logger: silentLogger,
      heartbeatMs: HEARTBEAT_MS,
      connectMs: 2_000,
      idleMs: 30_000,
      onClosed: () => {},
    });
    clean.push(() => connection.shutDown());
    return connection;
  };

  it('is refused in an epoch that is not the call’s, and to another worker', async () => {
    const { edge, server, address } = await world();
    const request = dialRequest();
    const job = { ...request.job, epoch: 2 };
    const { callSid } = job;
    const connection = connect(address);
    await dialled(connection.dial({ ...request, job }, inner));
    await expect(connection.command(callSid, 1, { verb: 'hangup' })).rejects.toThrow('superseded');
    await connection.release(callSid, 1);
    const stranger = connect(address);
    await granted(stranger.claim(edge.offer().callSid, 1, inner));
    await expect(stranger.command(callSid, 2, { verb: 'hangup' })).rejects.toThrow('taken');
    expect(edge.commands).toEqual([]);
    expect(server.census().calls).toBe(2);
    await connection.command(callSid, 2, { verb: 'hangup' });
  });

  it('may be a release before the edge has answered, which it then need not', async () => {
    const { edge, server, address } = await world();
    const answers: ((answer: DialAnswer) => void)[] = [];
    edge.dial = () => new Promise((resolve) => answers.push(resolve));
    const connection = connect(address);
    const request = dialRequest();
    const outcome = connection.dial(request, inner).catch((error: unknown) => error);
    await until('the dial', () => answers.length === 1);
    await connection.release(request.job.callSid, 1);
    await until('the release', () => edge.log.includes('release 1'));
    for (const answer of answers) answer(dialling);
    await granted(connection.claim(edge.offer().callSid, 1, inner)); // what was said before it has arrived
    expect(connection.calls).toBe(1);
    expect(server.census().calls).toBe(1);
    await connection.shutDown();
    expect(await outcome).toBeInstanceOf(EdgeUnreachable);
  });
});

function headers(count: number, length: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, n) => [`X-${n}`, 'v'.repeat(length)]));
}
