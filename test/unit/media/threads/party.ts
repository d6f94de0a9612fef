import type { VirtualClock } from '../../../../src/core/clock.ts';
import { CountingIds } from '../../../../src/core/ids.ts';
import type { Endpoint, MediaDirection, MediaFormat } from '../../../../src/media/format.ts';
import {
  INNER_HEADER_BYTES,
  type InnerFields,
  innerFields,
  parseInner,
} from '../../../../src/media/inner-packet.ts';
import { parseRtp, type RtpFields, rtpFields, writeRtpHeader } from '../../../../src/media/rtp-packet.ts';
import { RelayedLeg, type RelayShare } from '../../../../src/media/threads/relayed-leg.ts';
import { PacketRing, type UdpSocket } from '../../../../src/media/threads/udp.ts';
import { PCMU } from './stage.ts';

export const WORKER: Endpoint = { address: '10.0.0.9', port: 7_000 };
export const SILENCE = 0xff;

export interface Heard extends RtpFields {
  readonly at: number;
  readonly payload: Buffer;
  /** The first byte of the payload: what the test speaks in. */
  readonly code: number;
}

/** One leg in virtual time, its peer and its worker. */
export class Party {
  readonly heard: Heard[] = [];
  readonly toWorker: { readonly at: number; readonly code: number; readonly fields: InnerFields }[] = [];
  readonly reports: Buffer[] = [];
  readonly leg: RelayedLeg;
  readonly #clock: VirtualClock;
  readonly #endpoint: Endpoint;
  /** Gets what the leg sends to its worker. */
  onForwarded: ((fields: InnerFields, payload: Buffer) => void) | undefined;
  ssrc: number;
  sequence = 65_530;
  timestamp = 2 ** 32 - 800;
  payloadType = 0;

  constructor(clock: VirtualClock, handle: number) {
    this.#clock = clock;
    this.ssrc = 1_000 + handle;
    this.#endpoint = { address: '192.0.2.1', port: 4_000 + 2 * handle };
    const socket = (port: number, onSend: (packet: Buffer) => void): UdpSocket => ({
      endpoint: { address: '127.0.0.1', port },
      send: (packet) => onSend(Buffer.from(packet)),
      close: async () => {},
    });
    const inner = socket(1, (packet) => {
      const fields = innerFields();
      parseInner(packet, fields);
      this.toWorker.push({ at: clock.monotonic(), code: packet[INNER_HEADER_BYTES] ?? -1, fields });
      this.onForwarded?.(fields, Buffer.from(packet.subarray(INNER_HEADER_BYTES)));
    });
    const share: RelayShare = {
      clock,
      ids: new CountingIds(),
      inner,
      ring: new PacketRing(),
      silentAfterMs: 3_600_000,
    };
    this.leg = new RelayedLeg(handle, share, () => {});
    const rtp = socket(2, (packet) => {
      const fields = rtpFields();
      if (!parseRtp(packet, fields)) throw new Error('what was sent is not RTP');
      const payload = packet.subarray(fields.start, fields.end);
      this.heard.push({ ...fields, at: clock.monotonic(), payload, code: payload[0] ?? -1 });
    });
    this.leg.start({ rtp, rtcp: socket(3, (packet) => this.reports.push(packet)) }, clock.monotonic());
    this.leg.attach(WORKER);
    this.configure();
  }

  configure(format: MediaFormat = PCMU, direction: MediaDirection = 'sendrecv'): void {
    this.payloadType = format.payloadType;
    this.leg.configure(this.#endpoint, format, direction);
  }

  /** The peer says 20 ms of `code`, or `payload`. */
  say(
    code: number,
    payload: Buffer = Buffer.alloc(160, code),
    payloadType = this.payloadType,
    advance = 160,
  ): void {
    const packet = Buffer.alloc(12 + payload.length);
    const { ssrc, sequence, timestamp } = this;
    writeRtpHeader(packet, { marker: false, payloadType, sequence, timestamp, ssrc });
    packet.set(payload, 12);
    this.sequence = (sequence + 1) & 0xffff;
    this.timestamp = (timestamp + advance) >>> 0;
    this.leg.fromPeer(packet, this.#endpoint.address, this.#endpoint.port);
  }

  /** The worker sends 20 ms of `code`. */
  prompt(code: number): void {
    this.work({ ...innerFields(), timestamp: this.#clock.now() }, Buffer.alloc(160, code));
  }

  /** The worker sends this. */
  work(fields: InnerFields, payload: Buffer): void {
    this.leg.fromWorker(fields, payload, WORKER.address, WORKER.port);
  }

  codes(): number[] {
    return this.heard.map(({ code }) => code);
  }
}
