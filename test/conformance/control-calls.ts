import { createControlClient, type EdgeAddress } from '../../src/control/client.ts';
import { legIdOf } from '../../src/control/leg-id.ts';
import type { CommandResult, InboundLink } from '../../src/control/link.ts';
import type { DialRequest, LegCommand, LegGrant } from '../../src/control/protocol.ts';
import {
  type ClaimAnswer,
  type ClaimRequest,
  type ControlHandler,
  type ControlServer,
  createControlServer,
  type DialAnswer,
  type EdgeEnd,
} from '../../src/control/server.ts';
import { VirtualClock } from '../../src/core/clock.ts';
import { RandomIds } from '../../src/core/ids.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { createOutgoingLeg } from '../../src/leg/remote/outgoing-leg.ts';
import { createRemoteLeg } from '../../src/leg/remote/remote-leg.ts';
import type { MediaFormat } from '../../src/media/format.ts';
import { fork } from '../../src/runtime/forked-link.ts';
import { callJob } from '../support/call-job.ts';
import { dialRequest } from '../unit/control/dial-request.ts';
import { FakeMediaHost, type FakeMediaLeg } from '../unit/leg-remote/fake-media-host.ts';
import type { Placing } from './outgoing-leg.ts';

/** Nothing that a leg waits for takes so much (virtual) time. */
const LONGEST_MS = 600_000;

let nextHandle = 1;

/** A call at the edge, and its peer. */
export class EdgeCall {
  readonly heard: string[] = [];
  readonly commands: LegCommand[] = [];
  readonly notified: number[] = [];
  readonly referredTo: string[] = [];
  answered = false;
  /** Its peer can be heard, and hears, before it is answered. */
  early = false;
  ended = false;
  dismissed: 'cancel' | 'bye' | undefined;
  /** The call that it is bridged with at the edge. */
  direct: EdgeCall | undefined;
  referral: { readonly status: number; readonly notifies: readonly number[] } = { status: 202, notifies: [] };

  constructor(
    readonly callSid: string,
    readonly epoch: number,
    readonly handle: number,
    readonly placing: Placing,
  ) {}

  get audible(): boolean {
    return !this.ended && (this.answered || this.early);
  }

  leave(): void {
    if (this.direct) this.direct.direct = undefined;
    this.direct = undefined;
  }

  end(): void {
    this.ended = true;
    this.leave();
  }
}

const shared = {
  secret: 'both',
  clock: new VirtualClock(), // it stands still: no heartbeats, no timeouts
  ids: new RandomIds(),
  logger: silentLogger,
  heartbeatMs: 60_000,
};

/** An edge process without SIP: its peers say words, which it relays to the worker or to each other. */
export class FakeEdge implements ControlHandler {
  readonly calls = new Map<string, EdgeCall>();
  readonly #host: FakeMediaHost;
  readonly #server: ControlServer;
  readonly #format: MediaFormat = { codec: 'PCMU', payloadType: 0, dtmfPayloadType: 101 };

  constructor(host: FakeMediaHost, processId: string) {
    this.#host = host;
    host.sinks.push((handle, sound) => {
      for (const call of this.calls.values()) {
        if (call.handle === handle && call.audible) call.heard.push(sound);
      }
    });
    this.#server = createControlServer({ ...shared, processId, handler: this });
  }

  listen = () => this.#server.listen({ host: '127.0.0.1', port: 0 });
  close = () => this.#server.close();

  expect(callSid: string, placing: Placing = 'placed'): EdgeCall {
    const call = new EdgeCall(callSid, 1, nextHandle++, placing);
    this.calls.set(callSid, call);
    return call;
  }

  claim({ callSid }: ClaimRequest): ClaimAnswer {
    const call = this.#call(callSid);
    return { granted: { job: callJob({ callSid }), leg: this.#grant(call) } };
  }

  async domainRelated(): Promise<boolean> {
    return false;
  }

  async related(): Promise<boolean> {
    return false;
  }

  async dial(request: DialRequest): Promise<DialAnswer> {
    const call = this.#call(legIdOf(request));
    if (typeof call.placing === 'object') return { notDialled: call.placing.notPlaced };
    if (call.placing === 'unreachable') this.tell(call, { cause: 'unreachable' });
    return { dialling: { sipCallId: `${call.handle}@edge`, leg: this.#grant(call) } };
  }

  async command(callSid: string, epoch: number, command: LegCommand): Promise<CommandResult> {
    const call = this.#call(callSid);
    call.commands.push(command);
    if (call.ended) throw new Error('the leg has ended');
    switch (command.verb) {
      case 'answer':
        call.answered = true;
        return {};
      case 'progress':
        call.early = true;
        return {};
      case 'hangup':
      case 'reject':
        call.dismissed = call.answered ? 'bye' : 'cancel';
        this.tell(call, { cause: 'local-hangup' });
        return {};
      case 'bridge':
        return this.#bridge(call, this.#call(command.with));
      case 'unbridge':
        call.leave();
        return {};
      case 'refer':
        return this.#refer(call, epoch, command.to);
      case 'notify':
        call.notified.push(command.status);
        return {};
    }
  }

  release(callSid: string): void {
    this.calls.get(callSid)?.end();
    this.calls.delete(callSid);
  }

  lost(): void {}

  /** The peer's end of a call: everything it does follows what the worker has said so far. */
  peer(call: EdgeCall, settled: () => Promise<void>) {
    const server = this.#server;
    const { callSid, epoch } = call;
    const act = async (action: () => void) => {
      await settled();
      await this.#host.elapse(20); // a moment, in which a frame that is still being played ends
      action();
      await settled();
    };
    return {
      heard: call.heard,
      notified: call.notified,
      referredTo: call.referredTo,
      get dismissed() {
        return call.dismissed;
      },
      whenReferred: (status: number, notifies: readonly number[]) => {
        call.referral = { status, notifies };
      },
      say: (word: string) => act(() => this.#say(call, word)),
      press: (key: Parameters<FakeMediaLeg['receiveKey']>[0]) =>
        act(() => {
          if (call.direct) this.#hear(call.direct, `key ${key}`);
          else this.#media(call)?.receiveKey(key);
        }),
      ring: (status: number, early: boolean) =>
        act(() => {
          call.early ||= early;
          server.notifyProgress(callSid, epoch, status, early);
        }),
      answer: (headers = {}) =>
        act(() => {
          call.answered = true;
          server.notifyAnswered(callSid, epoch, headers);
        }),
      refuse: (sipStatus: number, headers = {}) =>
        act(() => this.tell(call, { cause: 'rejected', sipStatus, headers })),
      hangup: (headers = {}) =>
        act(() => this.tell(call, { cause: call.answered ? 'peer-hangup' : 'peer-cancelled', headers })),
      refer: (referTo: string) => act(() => server.notifyRefer(callSid, epoch, referTo)),
      format: (format: MediaFormat) => act(() => server.notifyFormat(callSid, epoch, format)),
    };
  }

  tell(call: EdgeCall, end: EdgeEnd): void {
    call.end();
    this.#server.notifyEnded(call.callSid, call.epoch, end);
  }

  #bridge(call: EdgeCall, other: EdgeCall): CommandResult {
    if (!call.answered || !other.answered || other.ended) throw new Error('not both have answered');
    call.leave();
    other.leave();
    call.direct = other;
    other.direct = call;
    return {};
  }

  /** The first NOTIFY overtakes the answer to the REFER. */
  #refer(call: EdgeCall, epoch: number, to: string): CommandResult {
    const { status, notifies } = call.referral;
    call.referredTo.push(to);
    const notify = (index: number) => {
      const next = notifies[index];
      if (next === undefined) return;
      this.#server.notifyReferred(call.callSid, epoch, next, index === notifies.length - 1);
      setImmediate(() => notify(index + 1));
    };
    notify(0);
    return { status };
  }

  #say(call: EdgeCall, word: string): void {
    if (!call.audible) return;
    if (call.direct) this.#hear(call.direct, word);
    else this.#media(call)?.receive(word);
  }

  /** What a worker sends is heard instead of the other peer. */
  #hear(call: EdgeCall, sound: string): void {
    if (call.audible && !this.#media(call)?.playing) call.heard.push(sound);
  }

  #grant(call: EdgeCall): LegGrant {
    const edge = { address: '127.0.0.1', port: 40_000 };
    return { state: 'ringing', media: { handle: call.handle, edge, format: this.#format } };
  }

  #media(call: EdgeCall): FakeMediaLeg | undefined {
    return this.#host.legs[this.#host.opened.findIndex(({ handle }) => handle === call.handle)];
  }

  #call(callSid: string): EdgeCall {
    const call = this.calls.get(callSid);
    if (!call) throw new Error(`no call ${callSid}`);
    return call;
  }
}

/** A worker and its edge processes, over real control connections; only time and sound are not real. */
export class ControlWorld {
  readonly clock = new VirtualClock();
  readonly host = new FakeMediaHost(this.clock);
  readonly #client = createControlClient({ ...shared, worker: 'worker-1', region: 'ie1' });
  readonly #edges: { readonly edge: FakeEdge; readonly address: EdgeAddress; readonly probe: InboundLink }[] =
    [];

  async addEdge(): Promise<FakeEdge> {
    const process = `edge-${this.#edges.length + 1}`;
    const edge = new FakeEdge(this.host, process);
    const address = { process, ...(await edge.listen()) };
    const probe = await this.#claim(edge, address);
    this.#edges.push({ edge, address, probe: probe.link });
    return edge;
  }

  /** Resolves when everything that either side has said by now has been understood by the other. */
  readonly settled = async (): Promise<void> => {
    await Promise.all(this.#edges.map(({ probe }) => probe.command({ verb: 'progress' })));
  };

  /** Awaits `work`: lets messages travel, and time pass while there are none. */
  readonly settle = async <T>(work: Promise<T>): Promise<T> => {
    let done = false;
    const mark = () => {
      done = true;
    };
    work.then(mark, mark);
    const begun = this.clock.monotonic();
    while (!done) {
      if (this.clock.monotonic() - begun > LONGEST_MS) throw new Error('nothing would ever end this wait');
      for (let trip = 0; trip < 5 && !done; trip++) await this.settled();
      if (!done) await this.clock.advance(500);
    }
    return work;
  };

  async inbound(edge: FakeEdge) {
    const { call, link } = await this.#claim(edge, this.#addressOf(edge));
    const leg = createRemoteLeg({ link, media: this.host, clock: this.clock });
    return { leg, link, call, peer: edge.peer(call, this.settled) };
  }

  /** The edge's answer to the dial has not arrived yet. */
  dial(edge: FakeEdge, placing: Placing = 'placed') {
    const request = dialRequest();
    const call = edge.expect(request.job.callSid, placing);
    const link = this.#client.dial(this.#addressOf(edge), request, this.host.inner);
    const leg = createOutgoingLeg({ link, media: this.host, clock: this.clock });
    return { leg, link, call, peer: edge.peer(call, this.settled) };
  }

  async outgoing(edge: FakeEdge, placing: Placing = 'placed') {
    const dialled = this.dial(edge, placing);
    await dialled.link;
    return dialled;
  }

  /** A call that rings at a device at each of these edges. */
  async forked(...edges: readonly FakeEdge[]) {
    const { job } = dialRequest();
    const forks = edges.map((edge, index) => {
      const request = dialRequest({ job, fork: index + 1 });
      const call = edge.expect(legIdOf(request), 'placed');
      const link = this.#client.dial(this.#addressOf(edge), request, this.host.inner);
      return { call, link, peer: edge.peer(call, this.settled) };
    });
    const link = fork(
      forks.map((one) => one.link),
      () => {},
    );
    const leg = createOutgoingLeg({ link, media: this.host, clock: this.clock });
    await link;
    return { leg, forks };
  }

  async close(): Promise<void> {
    await this.#client.close();
    await Promise.all(this.#edges.map(({ edge }) => edge.close()));
  }

  #addressOf(edge: FakeEdge): EdgeAddress {
    const known = this.#edges.find((entry) => entry.edge === edge);
    if (!known) throw new Error('not an edge of this world');
    return known.address;
  }

  async #claim(edge: FakeEdge, address: EdgeAddress): Promise<{ call: EdgeCall; link: InboundLink }> {
    const call = edge.expect(callJob().callSid);
    const link = await this.#client.claim(address, call.callSid, 1, this.host.inner);
    if ('refused' in link) throw new Error(`refused: ${link.refused}`);
    return { call, link };
  }
}
