import type { InboundJob } from '../../src/call/job.ts';

let next = 1;

/** The number that these jobs call. */
export const CALLED_NUMBER = `PN${'b'.repeat(32)}`;

/** A call job as an edge would add it; every one has its own CallSid. */
export function callJob(fields: Partial<InboundJob> = {}): InboundJob {
  const callSid = `CA${(next++).toString(16).padStart(32, '0')}`;
  return {
    callSid,
    epoch: 1,
    accountSid: `AC${'a'.repeat(32)}`,
    region: 'ie1',
    direction: 'inbound',
    from: '+353861234567',
    to: '+35315550100',
    phoneNumberSid: CALLED_NUMBER,
    domain: null,
    callerName: null,
    forwardedFrom: null,
    ingressEdge: 'dublin',
    createdAt: Date.UTC(2026, 10, 3, 9, 30),
    sip: {
      callId: 'f81d4fae@127.0.0.1',
      sourceIp: '127.0.0.1',
      sourcePort: 5080,
      transport: 'udp',
      requestUri: 'sip:+35315550100@127.0.0.1:5064',
      headers: {},
    },
    route: { key: '+35315550100', record: 'explicit', ageMs: 0 },
    notes: [],
    edge: { process: 'edge-1', host: '127.0.0.1', port: 7000 },
    ...fields,
  };
}
