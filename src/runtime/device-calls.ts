import { deviceName, deviceRefused, type RegisteredDevices } from '../config/registered-address.ts';
import type { Binding } from '../config/registrations.ts';
import type { DialledParty, DialRequest } from '../control/protocol.ts';
import { type Diagnostic, warning } from '../core/diagnostic.ts';
import type { EdgeId } from '../region/edge.ts';
import type { CallParts, Placement } from './call-parts.ts';
import { fork } from './forked-link.ts';
import type { PlacingObserver } from './placing.ts';
import { sendOnce, sendRequest } from './request-sending.ts';

/** An INVITE to a party, from an edge. */
export type RequestTo = (party: DialledParty, edge: EdgeId) => DialRequest;

/**
 * Calls the devices that are registered under an address, all at once, each through the edge process and the flow it
 * registered by: one call, whose link is that of the device which answers.
 *
 * @see https://www.twilio.com/docs/voice/api/sip-registration
 */
export async function callDevices(
  { address, bindings, notes }: RegisteredDevices,
  request: RequestTo,
  parts: CallParts,
  observer: PlacingObserver,
): Promise<Placement> {
  for (const note of notes) observer.note(note);
  const [first] = bindings;
  if (first) observer.edge(first.flow.edge);
  const placements = bindings.map(async (binding, index) => {
    const { accountSid, contact: uri, path, flow } = binding;
    const asked = request({ kind: 'device', accountSid, uri, address, path, flow }, flow.edge);
    const placement = await callDevice(
      binding,
      bindings.length === 1 ? asked : { ...asked, fork: index + 1 },
      parts,
      observer,
    );
    if (!('notDialled' in placement)) observer.invited(flow.edge, uri);
    return placement;
  });
  const [only] = placements;
  if (only && placements.length === 1) return await only;
  return await fork(placements, (branch, end) => {
    const binding = bindings[branch];
    if (binding) observer.note(deviceRefused(binding, end));
  });
}

async function callDevice(
  binding: Binding,
  request: DialRequest,
  parts: CallParts,
  observer: PlacingObserver,
): Promise<Placement> {
  const { flow } = binding;
  const serving = () => parts.edges.serving(flow.edge, flow.process);
  const isOver = () => observer.over;
  // A datagram reaches the device from any process that has the edge's socket.
  if (flow.transport === 'udp') return await sendRequest({ request, processes: serving, parts, isOver });
  const processes = async () => (await serving()).filter(({ process }) => process === flow.process);
  const placement = await sendOnce({ request, processes, parts, isOver });
  return placement === 'nobody' ? { notDialled: flowLost(binding) } : placement;
}

/**
 * A connection is its process's: with that it is gone, and nobody else can have it.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5626#section-5.3
 */
function flowLost(binding: Binding): Diagnostic {
  const message = `The device at ${deviceName(binding)} cannot be called: the connection it registered by is gone with its edge process, ${binding.flow.process}. It can be called again as soon as it has registered anew.`;
  return warning(32011, message, { actual: binding.contact });
}
