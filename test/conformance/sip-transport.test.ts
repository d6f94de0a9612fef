import { SystemClock } from '../../src/core/clock.ts';
import { MemoryNetwork } from '../../src/sip/transport/memory.ts';
import { bindTcp } from '../../src/sip/transport/tcp.ts';
import { bindUdp } from '../../src/sip/transport/udp.ts';
import { transportConformance } from './sip-transport.ts';

const network = new MemoryNetwork(new SystemClock());

transportConformance('UDP', () => bindUdp, false);
transportConformance('TCP', () => bindTcp, true);
transportConformance('memory as UDP', () => network.udp, false);
transportConformance('memory as TCP', () => network.tcp, true);
