import { createSocket } from 'node:dgram';
import { createInterface } from 'node:readline';

/*
 * One side of many calls, as a process of its own: one socket that sends 50 packets a second to each port it is told
 * and notes what comes. Payloads say when they were sent; the clock is the machine's, the same in every process.
 */

const HEADER = 12;
const SENT_AT = HEADER;
const MARK = SENT_AT + 8;
const SPOKEN = 0x5350_4b4e;
const PACKET = HEADER + 160;

const millis = () => Number(process.hrtime.bigint()) / 1e6;

const socket = createSocket({ type: 'udp4', lookup: (host, _options, found) => found(null, host, 4) });
const last = new Map<number, { at: number; pause: number }>(); // by the port it came from
const gaps: number[] = [];
const delays: number[] = [];
let received = 0;
let filled = 0;

socket.on('message', (packet, from) => {
  const now = millis();
  const before = last.get(from.port);
  if (packet.length !== PACKET || packet.readUInt32BE(MARK) !== SPOKEN) {
    if (before) before.pause++;
    return;
  }
  received++;
  delays.push(now - packet.readDoubleBE(SENT_AT));
  last.set(from.port, { at: now, pause: 0 });
  if (!before) return;
  filled += before.pause;
  gaps.push(Math.abs(now - before.at - 20));
});

const packet = Buffer.alloc(PACKET);
packet.writeUInt8(0x80, 0);
packet.writeUInt32BE(SPOKEN, MARK);

/** A quarter of the streams every 5 ms, as calls that began at any time are. */
function speak(ports: readonly number[], turns: number, done: (sent: number) => void): void {
  const start = millis();
  let [turn, sent] = [0, 0];
  const tick = () => {
    for (; start + turn * 5 <= millis() && turn < turns; turn++) {
      packet.writeUInt16BE((turn >> 2) & 0xffff, 2);
      packet.writeUInt32BE((turn >> 2) * 160, 4);
      for (let i = turn & 3; i < ports.length; i += 4) {
        packet.writeUInt32BE(i + 1, 8);
        packet.writeDoubleBE(millis(), SENT_AT);
        socket.send(Buffer.from(packet), 0, PACKET, ports[i], '127.0.0.1');
        sent++;
      }
    }
    if (turn < turns) setTimeout(tick, 1);
    else setTimeout(() => done(sent), 300);
  };
  tick();
}

const part = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

socket.bind(0, '127.0.0.1', () => {
  try {
    socket.setRecvBufferSize(4 << 20);
  } catch {
    // the default size stays
  }
  process.stdout.write(`${socket.address().port}\n`);
});

createInterface({ input: process.stdin }).once('line', (line) => {
  const { ports, seconds }: { readonly ports: readonly number[]; readonly seconds: number } =
    JSON.parse(line);
  speak(ports, seconds * 200, (sent) => {
    gaps.sort((a, b) => a - b);
    delays.sort((a, b) => a - b);
    const result = {
      sent,
      received,
      filled,
      gaps: { p50: part(gaps, 0.5), p99: part(gaps, 0.99), worst: part(gaps, 1) },
      delays: { p50: part(delays, 0.5), p99: part(delays, 0.99), worst: part(delays, 1) },
    };
    process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit());
  });
});
