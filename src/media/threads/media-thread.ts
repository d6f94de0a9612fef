import type { MessagePort } from 'node:worker_threads';
import { SystemClock } from '../../core/clock.ts';
import { INNER_HEADER_BYTES, innerFields, parseInner } from '../inner-packet.ts';
import { spoolIn } from '../stream/spool-file.ts';
import { HostedLeg, type MediaShare } from './hosted-leg.ts';
import type { MediaCommand, MediaReport, MediaThreadData } from './messages.ts';
import { Turns } from './turns.ts';
import { bindUdp, PacketRing } from './udp.ts';

/** Runs a worker's media in this thread: takes commands from `main` until the thread is terminated. */
export async function runMediaThread(main: MessagePort, data: MediaThreadData): Promise<void> {
  const legs = new Map<number, HostedLeg>();
  const routes = new Map<string, HostedLeg>(); // edges number their legs each on its own
  const clips = new Map<string, Int16Array>();
  const closing = new Set<HostedLeg>();
  const turns = new Turns<HostedLeg>(new SystemClock(), (leg, dueAt, now) => leg.turn(dueAt, now));
  const report = (message: MediaReport) => main.postMessage(message);
  const fields = innerFields();
  const inner = await bindUdp(data.address, 0, (packet, address, port) => {
    if (!parseInner(packet, fields)) return;
    routes.get(route(address, port, fields.handle))?.fromEdge(fields, packet.subarray(INNER_HEADER_BYTES));
  });
  const share: MediaShare = { inner, ring: new PacketRing(), openFile: spoolIn(data.spoolDir) };

  function open(command: Extract<MediaCommand, { type: 'open' }>): void {
    const leg = new HostedLeg(command, share, {
      played: (request) => report({ type: 'played', request }),
      recorded: (request, end) => report({ type: 'recorded', request, end }),
      key: (key) => report({ type: 'key', leg: command.leg, key }),
      speech: (request, speech) => report({ type: 'speech', request, speech }),
    });
    legs.set(command.leg, leg);
    routes.set(route(leg.edge.address, leg.edge.port, leg.handle), leg);
    turns.add(leg);
  }

  async function close(request: number, id: number): Promise<void> {
    const leg = legs.get(id);
    if (!leg) throw new Error(`leg ${id} is not open`); // a host closes each leg once
    legs.delete(id);
    const key = route(leg.edge.address, leg.edge.port, leg.handle);
    if (routes.get(key) === leg) routes.delete(key);
    turns.delete(leg);
    closing.add(leg);
    await leg.close();
    closing.delete(leg);
    report({ type: 'closed', request });
  }

  function play(command: Extract<MediaCommand, { type: 'play' }>): void {
    const pcm = clips.get(command.clip);
    if (!pcm) throw new Error(`clip ${command.clip} was never sent`); // a host sends it first
    legs.get(command.leg)?.play(command.request, pcm, command.loop);
  }

  function bridge(id: number, otherId: number): void {
    const [leg, other] = [legs.get(id), legs.get(otherId)];
    if (leg && other) leg.bridge(other);
  }

  function census(request: number): void {
    const recordings = [...legs.values(), ...closing].reduce((sum, leg) => sum + leg.recordings, 0);
    report({ type: 'counted', request, census: { legs: legs.size, recordings, clips: clips.size } });
  }

  main.on('message', (command: MediaCommand) => {
    switch (command.type) {
      case 'clip':
        clips.set(command.clip, command.pcm);
        break;
      case 'drop-clip':
        clips.delete(command.clip);
        break;
      case 'open':
        open(command);
        break;
      case 'configure':
        legs.get(command.leg)?.configure(command.format);
        break;
      case 'play':
        play(command);
        break;
      case 'digits':
        legs.get(command.leg)?.sendDigits(command.request, command.digits);
        break;
      case 'cancel':
        legs.get(command.leg)?.cancel(command.request);
        break;
      case 'listen':
        legs.get(command.leg)?.listen(command.request, command.options);
        break;
      case 'unlisten':
        legs.get(command.leg)?.stopListening(command.request);
        break;
      case 'record':
        legs.get(command.leg)?.record(command.request, command.options);
        break;
      case 'stop':
        legs.get(command.leg)?.stopRecording(command.request);
        break;
      case 'pause':
        legs.get(command.leg)?.pauseRecording(command.request, command.behavior);
        break;
      case 'resume':
        legs.get(command.leg)?.resumeRecording(command.request);
        break;
      case 'echo':
        legs.get(command.leg)?.echo(command.on);
        break;
      case 'bridge':
        bridge(command.leg, command.other);
        break;
      case 'unbridge':
        legs.get(command.leg)?.unbridge();
        break;
      case 'close':
        void close(command.request, command.leg); // rejects only for a programming error, which ends the thread
        break;
      case 'census':
        census(command.request);
        break;
    }
  });
  report({ type: 'ready', inner: inner.endpoint });
}

function route(address: string, port: number, handle: number): string {
  return `${address} ${port} ${handle}`;
}
