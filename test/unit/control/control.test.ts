import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { EdgeUnreachable } from '../../../src/control/client.ts';
import { encodeFrame, FrameDecoder } from '../../../src/control/frames.ts';
import { type Handshake, proof } from '../../../src/control/proof.ts';
import { createControlServer } from '../../../src/control/server.ts';
import { VirtualClock } from '../../../src/core/clock.ts';
import { RandomIds } from '../../../src/core/ids.ts';
import { LegEnded } from '../../../src/leg/port.ts';
import { callJob } from '../../support/call-job.ts';
import { freePort } from '../../support/free-port.ts';
import { until } from '../../support/until.ts';
import {
  clean,
  collected,
  Edge,
  granted,
  HEARTBEAT_MS,
  inner,
  leg,
  SECRET,
  startEdge,
  startWorker,
} from './world.ts';

describe('the control channel', () => {
  it('grants a call, carries commands and their answers, and gives the call back', async () => {
    const { edge, server, address } = await startEdge();
    const worker = startWorker();
    const job = edge.offer({ notes: ['a note'], sip: { ...callJob().sip, headers: { 'X-Id': 'grüße' } } });
    const link = await granted(worker.claim(address, job.callSid, 1, inner));
    expect(link.job).toEqual(job);
    expect(link.leg).toEqual(leg);
    await link.command({ verb: 'answer' });
    edge.answer = async () => {
      throw new Error('the peer is gone');
    };
    await expect(link.command({ verb: 'reject', status: 486, phrase: 'Busy Here' })).rejects.toThrow(
      'the peer is gone',
    );
    expect(edge.commands).toEqual([{ verb: 'answer' }, { verb: 'reject', status: 486, phrase: 'Busy Here' }]);
    await link.release();
    await link.release();
    await until('the release', () => edge.log.includes('release 1'));
    expect(server.census()).toEqual({ workers: 1, strangers: 0, calls: 0 });
    await expect(link.command({ verb: 'hangup' })).rejects.toThrow('has been released');
  });

  it('shares one connection between calls and closes it when it has been idle', async () => {
    const rare = 600_000; // no heartbeat takes part in this
    const { edge, server, address } = await startEdge(rare);
    const clock = new VirtualClock();
    const worker = startWorker('worker-1', SECRET, clock, rare);
    const links = await Promise.all(
      [1, 2, 3].map(() => granted(worker.claim(address, edge.offer().callSid, 1, inner))),
    );
    expect(server.census()).toEqual({ workers: 1, strangers: 0, calls: 3 });
    clock.tick(60_000);
    for (const link of links) await link.release();
    await until('the calls to be released', () => server.census().calls === 0);
    clock.tick(29_000);
    const again = await granted(worker.claim(address, edge.offer().callSid, 1, inner));
    clock.tick(29_000);
    expect(worker.census()).toEqual({ connections: 1, calls: 1 });
    await again.release();
    clock.tick(29_999);
    expect(worker.census()).toEqual({ connections: 1, calls: 0 });
    clock.tick(1);
    expect(worker.census()).toEqual({ connections: 0, calls: 0 });
    await until('the edge to notice', () => server.census().workers === 0);
    expect(clock.pending).toBe(0);
    await granted(worker.claim(address, edge.offer().callSid, 1, inner)); // opened again on demand
  });

  it('tells the owner what happens to the leg, also when that is before anybody listens', async () => {
    const { edge, server, address } = await startEdge();
    const worker = startWorker();
    const job = edge.offer();
    const link = await granted(worker.claim(address, job.callSid, 1, inner));
    const pcma = { codec: 'PCMA', payloadType: 8, dtmfPayloadType: undefined } as const;
    server.notifyFormat(job.callSid, 1, pcma);
    server.notifyEnded(job.callSid, 1, { cause: 'peer-hangup' });
    server.notifyEnded(job.callSid, 1, { cause: 'no-ack' });
    await link.command({ verb: 'hangup' }); // its answer comes after both
    const seen: unknown[] = [];
    link.onFormat = (format) => seen.push(format);
    link.onEnded = (end) => seen.push(end.cause);
    expect(seen).toEqual([pcma, 'peer-hangup']);
    expect(link.lost.aborted).toBe(false);
  });

  it('carries the status that ended a leg', async () => {
    const { edge, server, address } = await startEdge();
    const job = edge.offer();
    const link = await granted(startWorker().claim(address, job.callSid, 1, inner));
    const ended = new Promise<LegEnded>((resolve) => {
      link.onEnded = resolve;
    });
    server.notifyEnded(job.callSid, 2, { cause: 'no-ack' }); // not this epoch: nobody is told
    server.notifyEnded(job.callSid, 1, { cause: 'peer-cancelled', sipStatus: 487 });
    expect(await ended).toMatchObject({ cause: 'peer-cancelled', sipStatus: 487 });
  });

  it('owns no call twice, and lets nobody but the owner act on it', async () => {
    const { edge, address } = await startEdge();
    const first = startWorker('worker-1');
    const second = startWorker('worker-2');
    const job = edge.offer();
    const link = await granted(first.claim(address, job.callSid, 1, inner));
    expect(await second.claim(address, job.callSid, 1, inner)).toEqual({ refused: 'taken' });
    expect(await second.claim(address, job.callSid, 0, inner)).toEqual({ refused: 'superseded' });
    expect(await second.claim(address, callJob().callSid, 1, inner)).toEqual({ refused: 'gone' });
    // The edge gave the call to somebody else in a later epoch: the first one may do nothing more.
    const later = await granted(second.claim(address, job.callSid, 2, inner));
    const ended = new Promise<LegEnded>((resolve) => {
      link.onEnded = resolve;
    });
    expect((await ended).cause).toBe('epoch-lost');
    await expect(link.command({ verb: 'hangup' })).rejects.toThrow('superseded');
    await link.release();
    await later.command({ verb: 'answer' });
    expect(edge.commands).toEqual([{ verb: 'answer' }]);
    expect(edge.log.filter((line) => line.startsWith('release'))).toEqual([]);
  });

  it('reports a closed connection to both sides, with the calls that were on it', async () => {
    const { edge, server, address } = await startEdge();
    const job = edge.offer();
    const worker = startWorker();
    const link = await granted(worker.claim(address, job.callSid, 1, inner));
    edge.answer = () => new Promise(() => {}); // never
    const waiting = link.command({ verb: 'hangup' });
    const outcome = expect(waiting).rejects.toMatchObject({ cause: 'edge-lost' });
    await until('the command', () => edge.commands.length === 1);
    await server.close();
    await outcome;
    expect(link.lost.reason).toBeInstanceOf(LegEnded);
    const seen: string[] = [];
    link.onEnded = (end) => seen.push(end.cause);
    expect(seen).toEqual(['edge-lost']);
    await link.release(); // nobody to tell
    await expect(link.command({ verb: 'answer' })).rejects.toMatchObject({ cause: 'edge-lost' });
    expect(worker.census()).toEqual({ connections: 0, calls: 0 });
    expect(edge.log).toEqual(['claim worker-1 ie1 1']); // an edge that closes does not report its workers as lost
  });

  it('reports a worker that stops, and ends its calls there with `shutdown`', async () => {
    const { edge, server, address } = await startEdge();
    const worker = startWorker();
    const link = await granted(worker.claim(address, edge.offer().callSid, 1, inner));
    await worker.close();
    expect(link.lost.reason).toMatchObject({ cause: 'shutdown' });
    await until('the loss', () => edge.log.includes('lost worker-1 1'));
    expect(server.census()).toEqual({ workers: 0, strangers: 0, calls: 0 });
  });

  it('keeps an idle connection alive and closes one that has gone silent', async () => {
    const { edge, server, address, edgeClock } = await startEdge();
    const clock = new VirtualClock();
    const worker = startWorker('worker-1', SECRET, clock);
    const link = await granted(worker.claim(address, edge.offer().callSid, 1, inner));
    for (let beat = 0; beat < 8; beat++) {
      await clock.advance(HEARTBEAT_MS);
      await edgeClock.advance(HEARTBEAT_MS);
      await link.command({ verb: 'answer' }).catch(() => {}); // everything sent before has arrived
    }
    expect(server.census().workers).toBe(1);
    // From now on only the edge's time passes: the worker looks dead to it.
    for (let beat = 0; beat < 4; beat++) await edgeClock.advance(HEARTBEAT_MS);
    await until('the loss', () => edge.log.includes('lost worker-1 1'));
    await until('the worker to notice', () => link.lost.aborted);
  });

  it('does not take its own stall for the silence of the other side', async () => {
    const { edge, server, address, edgeClock } = await startEdge();
    await granted(startWorker().claim(address, edge.offer().callSid, 1, inner));
    edgeClock.tick(0);
    // One beat that comes 30 s late, as after a blocked event loop: what was heard meanwhile has not been read yet.
    const late = edgeClock.now() + 30_000;
    const original = edgeClock.monotonic.bind(edgeClock);
    const skew = late - edgeClock.now();
    edgeClock.monotonic = () => original() + skew;
    await edgeClock.advance(HEARTBEAT_MS);
    expect(server.census().workers).toBe(1);
  });
});

describe('authentication of the control channel', () => {
  it('refuses a worker with another secret and tells it what to do', async () => {
    const { edge, server, address, edgeLog } = await startEdge();
    const claim = startWorker('worker-1', 'another secret').claim(address, edge.offer().callSid, 1, inner);
    await expect(claim).rejects.toThrow(/127\.0\.0\.1:\d+ cannot be reached: .*TRUNKLINE_CONTROL_SECRET/);
    expect(edge.log).toEqual([]);
    expect(edgeLog.join()).toContain('the control secrets of worker and edge differ');
    await until('the connection to go', () => server.census().strangers === 0);
  });

  it('refuses an edge that cannot prove that it knows the secret', async () => {
    const nonce = 'ab'.repeat(16);
    const received: unknown[] = [];
    const impostor = await listen((socket) => {
      const decoder = new FrameDecoder();
      socket.write(encodeFrame({ type: 'challenge', process: 'edge-1', nonce }));
      socket.on('data', (chunk) => {
        for (const message of decoder.push(chunk)) {
          received.push(message);
          const { mac } = message as { mac: string };
          socket.write(encodeFrame({ type: 'welcome', mac })); // what the worker said, sent back
        }
      });
    });
    const claim = startWorker().claim({ process: 'edge-1', ...impostor }, callJob().callSid, 1, inner);
    await expect(claim).rejects.toThrow('it does not know the control secret');
    expect(received).toHaveLength(1); // the hello, and no claim
  });

  it('takes a call for gone when another process listens where its edge was', async () => {
    const { edge, address } = await startEdge();
    const claim = startWorker().claim({ ...address, process: 'edge-0' }, edge.offer().callSid, 1, inner);
    expect(await claim).toEqual({ refused: 'gone' });
    expect(edge.log.filter((line) => line.startsWith('claim'))).toEqual([]);
  });

  it('says so, in bounded time, when nobody listens or nobody answers', async () => {
    const port = await freePort();
    const job = callJob();
    const nobody = { process: 'edge-1', host: '127.0.0.1', port };
    const refused = startWorker().claim(nobody, job.callSid, 1, inner);
    await expect(refused).rejects.toThrow(EdgeUnreachable);
    const silent = await listen(() => {});
    const clock = new VirtualClock();
    const unanswered = startWorker('worker-1', SECRET, clock).claim(
      { process: 'edge-1', ...silent },
      job.callSid,
      1,
      inner,
    );
    const outcome = expect(unanswered).rejects.toThrow('it did not answer within 2000 ms');
    await clock.advance(2_000);
    await outcome;
  });

  it('closes a connection that does not authenticate itself in time', async () => {
    const { server, address, edgeClock, edgeLog } = await startEdge();
    const socket = await stranger(address);
    await until('the edge to have it', () => server.census().strangers === 1);
    const closed = once(socket, 'close');
    await edgeClock.advance(3_000);
    await closed;
    expect(edgeLog.join()).toContain('did not authenticate itself within 3000 ms');
    expect(edgeClock.pending).toBe(0);
  });

  it('keeps at most 64 connections that have not authenticated themselves, and still serves workers', async () => {
    const { edge, server, address } = await startEdge();
    const worker = startWorker();
    await granted(worker.claim(address, edge.offer().callSid, 1, inner));
    const sockets = await Promise.all(Array.from({ length: 70 }, () => stranger(address)));
    await until('6 to be closed', () => sockets.filter((socket) => socket.closed).length === 6);
    expect(server.census()).toEqual({ workers: 1, strangers: 64, calls: 1 });
    await granted(worker.claim(address, edge.offer().callSid, 1, inner));
  });

  it('cannot be passed with a hello recorded from another connection', async () => {
    const { address, server } = await startEdge();
    const first = await stranger(address);
    const challenge = (await nextMessage(first)) as { process: string; nonce: string };
    const handshake: Handshake = {
      process: 'edge-1',
      edgeNonce: challenge.nonce,
      worker: 'worker-1',
      region: 'ie1',
      workerNonce: 'cd'.repeat(16),
    };
    const hello = encodeFrame({
      type: 'hello',
      worker: 'worker-1',
      region: 'ie1',
      nonce: handshake.workerNonce,
      mac: proof(SECRET, 'worker', handshake),
    });
    first.write(hello);
    expect(await nextMessage(first)).toEqual({ type: 'welcome', mac: proof(SECRET, 'edge', handshake) });
    const second = await stranger(address);
    await nextMessage(second);
    second.write(hello);
    expect(await nextMessage(second)).toMatchObject({ type: 'denied' });
    await until('the second to be closed', () => second.closed);
    expect(server.census()).toEqual({ workers: 1, strangers: 0, calls: 0 });
  });
});

describe('bad input on the control channel', () => {
  const frame = (value: unknown) => encodeFrame(value as object);

  it.each([
    ['no frame', Buffer.from('GET / HTTP/1.1\r\n\r\n'), /announces \d+ bytes/],
    ['an oversize frame', Buffer.from([0xff, 0xff, 0xff, 0xff]), /announces 4294967295 bytes/],
    [
      'a stranger with a long message',
      frame({ type: 'hello', worker: 'x'.repeat(5_000) }),
      /announces 5\d\d\d bytes, at most 4096/,
    ],
    ['no JSON', Buffer.from([0, 0, 0, 1, 0x7b]), /is not JSON/],
    ['a message without type', frame({ hello: true }), /not a control message/],
    [
      'a hello with a bad field',
      frame({ type: 'hello', worker: 'w', region: 'xx1', nonce: '', mac: '' }),
      /region/,
    ],
    [
      'a claim before hello',
      frame({ type: 'claim', callSid: callJob().callSid, epoch: 1, media: inner }),
      /claim before hello/,
    ],
  ])('%s closes the connection with a reason in the log, and nothing else', async (_, bytes, reason) => {
    const { edge, server, address, edgeLog } = await startEdge();
    const worker = startWorker();
    const link = await granted(worker.claim(address, edge.offer().callSid, 1, inner));
    const socket = await stranger(address);
    socket.write(bytes);
    await once(socket, 'close');
    await until('the log', () => edgeLog.some((line) => reason.test(line)));
    expect(server.census().strangers).toBe(0);
    await link.command({ verb: 'answer' }); // the others do not notice
  });

  it('a handler that fails closes that worker only, and is logged', async () => {
    const { edge, address, edgeLog } = await startEdge();
    const other = await granted(startWorker('worker-2').claim(address, edge.offer().callSid, 1, inner));
    edge.claim = () => {
      throw new Error('a bug');
    };
    const claim = startWorker('worker-1').claim(address, callJob().callSid, 1, inner);
    await expect(claim).rejects.toThrow(EdgeUnreachable);
    expect(edgeLog).toContain('a control message failed');
    await other.command({ verb: 'answer' });
  });

  it('needs a secret', () => {
    expect(() =>
      createControlServer({
        secret: '',
        processId: 'edge-1',
        clock: new VirtualClock(),
        ids: new RandomIds(),
        logger: collected([]),
        heartbeatMs: HEARTBEAT_MS,
        handler: new Edge(),
      }),
    ).toThrow('TRUNKLINE_CONTROL_SECRET');
  });
});

/** A server of one's own on a free port, closed after the test. */
async function listen(onSocket: (socket: Socket) => void): Promise<{ host: string; port: number }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  clean.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return { host: '127.0.0.1', port: typeof address === 'object' && address ? address.port : 0 };
}

/** A bare connection to the edge. */
async function stranger(address: { host: string; port: number }): Promise<Socket> {
  const socket = connect(address);
  socket.on('error', () => {});
  clean.push(() => {
    socket.destroy();
  });
  const decoder = new FrameDecoder();
  const messages: unknown[] = [];
  received.set(socket, messages);
  socket.on('data', (chunk) => messages.push(...decoder.push(chunk)));
  await once(socket, 'connect');
  return socket;
}

const received = new WeakMap<Socket, unknown[]>();

function nextMessage(socket: Socket): Promise<unknown> {
  return until('a message', () => received.get(socket)?.shift());
}
