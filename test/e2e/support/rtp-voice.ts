import type { Socket } from 'node:dgram';

const SAMPLES = 160;
const FRAME_MS = 20;

/** A steady sound as RTP (PCMU) to where an SDP says, a packet every 20 ms, until it is stopped. */
export function speakTo(socket: Socket, sdp: string): () => void {
  const port = mediaPortOf(sdp);
  const packet = Buffer.alloc(12 + SAMPLES, 0x55);
  let sent = 0;
  const speak = () => {
    sent += 1;
    packet.writeUInt16BE(0x8000, 0);
    packet.writeUInt16BE(sent & 0xffff, 2);
    packet.writeUInt32BE(sent * SAMPLES, 4);
    packet.writeUInt32BE(port, 8);
    socket.send(packet, port, '127.0.0.1');
  };
  const timer = setInterval(speak, FRAME_MS);
  return () => clearInterval(timer);
}

/** The port of the first audio stream of an SDP. */
export function mediaPortOf(sdp: string): number {
  return Number(/^m=audio (\d+)/m.exec(sdp)?.[1]);
}
