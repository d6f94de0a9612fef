import type { MessagePort } from 'node:worker_threads';
import { SystemClock } from '../../core/clock.ts';
import { RandomIds } from '../../core/ids.ts';
import { INNER_HEADER_BYTES, innerFields, parseInner } from '../inner-packet.ts';
import type { RelayCommand, RelayReport, RelayThreadData } from './messages.ts';
import { PortPairs } from './port-pairs.ts';
import { RelayedLeg, type RelayShare } from './relayed-leg.ts';
import { Turns } from './turns.ts';
import { bindUdp, PacketRing } from './udp.ts';

/** Runs an edge's media in this thread: takes commands from `main` until the thread is terminated. */
export async function runRelayThread(main: MessagePort, data: RelayThreadData): Promise<void> {
  const clock = new SystemClock();
  const ids = new RandomIds();
  const legs = new Map<number, RelayedLeg>();
  const ports = new PortPairs(data.ports, ids.uint32());
  const turns = new Turns<RelayedLeg>(clock, (leg, _dueAt, now) => leg.turn(now));
  const report = (message: RelayReport) => main.postMessage(message);
  const fields = innerFields();
  const inner = await bindUdp(data.address, 0, (packet, address, port) => {
    if (!parseInner(packet, fields)) return;
    legs.get(fields.handle)?.fromWorker(fields, packet.subarray(INNER_HEADER_BYTES), address, port);
  });
  const share: RelayShare = { clock, ids, inner, ring: new PacketRing(), silentAfterMs: data.silentAfterMs };

  async function open(request: number, handle: number, address: string): Promise<void> {
    const leg = new RelayedLeg(handle, share, () => report({ type: 'silent', handle }));
    try {
      const pair = await ports.open(
        address,
        (packet, from, port) => leg.fromPeer(packet, from, port),
        (packet, from) => leg.fromPeerControl(packet, from),
      );
      legs.set(handle, leg);
      leg.start(pair, turns.add(leg));
      report({ type: 'opened', request, port: pair.rtp.endpoint.port });
    } catch (error) {
      report({ type: 'refused', request, problem: error instanceof Error ? error.message : String(error) });
    }
  }

  async function close(request: number, handle: number): Promise<void> {
    const leg = legs.get(handle);
    legs.delete(handle);
    if (!leg) throw new Error(`leg ${handle} is not open`); // a host closes each leg once
    turns.delete(leg);
    const stats = leg.end();
    if (leg.pair) await ports.close(leg.pair);
    report({ type: 'closed', request, stats });
  }

  /** A leg that has closed meanwhile bridges nothing. */
  function bridge(handle: number, other: number, gently: boolean): void {
    const [one, another] = [legs.get(handle), legs.get(other)];
    if (one && another) one.bridge(another, gently);
  }

  main.on('message', (command: RelayCommand) => {
    switch (command.type) {
      case 'open':
        void open(command.request, command.handle, command.address); // reports its own failure
        break;
      case 'configure':
        legs.get(command.handle)?.configure(command.remote, command.format, command.direction);
        break;
      case 'attach':
        legs.get(command.handle)?.attach(command.worker);
        break;
      case 'bridge':
        bridge(command.handle, command.other, command.gently);
        break;
      case 'unbridge':
        legs.get(command.handle)?.unbridge(command.gently);
        break;
      case 'close':
        void close(command.request, command.handle); // closing a bound socket does not fail
        break;
      case 'census':
        report({
          type: 'counted',
          request: command.request,
          census: { legs: legs.size, sockets: legs.size * 2 },
        });
        break;
    }
  });
  report({ type: 'ready', inner: inner.endpoint });
}
