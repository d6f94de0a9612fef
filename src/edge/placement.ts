import type { TwimlChoices } from '../call/choices.ts';
import type { CallChain } from '../call/job.ts';
import { legIdOf } from '../control/leg-id.ts';
import type { DialRequest } from '../control/protocol.ts';
import type { DialAnswer } from '../control/server.ts';
import { type Diagnostic, failure } from '../core/diagnostic.ts';
import type { Ids } from '../core/ids.ts';
import type { Endpoint } from '../media/format.ts';
import type { RelayLeg } from '../media/threads/port.ts';
import type { SipAgent } from '../sip/agent/port.ts';
import type { Credentials } from '../sip/digest/digest.ts';
import { fromHeader } from './caller-id.ts';
import { type DialTarget, redirection, type TargetOptions, targetOf } from './dial-target.ts';
import type { EdgeCallOptions } from './edge-call.ts';
import { offerMedia } from './media-session.ts';
import { OutboundCall } from './outbound-call.ts';
import { asBytes } from './parties.ts';

/** A callee that says nothing for this long is unreachable. Reference §7. */
const SILENT_MS = 4_000;

export interface PlacementOptions extends TargetOptions, Omit<EdgeCallOptions, 'relayLeg' | 'media'> {
  readonly choices: TwimlChoices;
  readonly agent: SipAgent;
  readonly ids: Ids;
  /** The worker that dials, and its inner socket. */
  readonly worker: string;
  readonly workerMedia: Endpoint;
  /** Asked when all else is ready: what the call's chain has become, or why it is not to be made after all. */
  readonly chain: () => CallChain | Diagnostic;
}

type Placed = {
  readonly call: OutboundCall;
  readonly dialling: Extract<DialAnswer, { dialling: unknown }>['dialling'];
};

/** Sends the INVITE that a worker asks for, or says why not: then nothing of the call is left. */
export async function place(request: DialRequest, options: PlacementOptions): Promise<Placed | Diagnostic> {
  const target = await targetOf(request, options);
  if ('code' in target) return target;
  let relayLeg: RelayLeg;
  try {
    relayLeg = await options.relay.open(target.listener.bound.address);
  } catch (error) {
    options.logger.error({ error }, 'no media ports are left: raise TRUNKLINE_RTP');
    return failure(20503, 'The edge has no media port left: raise TRUNKLINE_RTP.');
  }
  try {
    const chain = options.chain();
    if (!('code' in chain)) return send(request, target, chain, relayLeg, options);
    await relayLeg.close();
    return chain;
  } catch (error) {
    await relayLeg.close();
    throw error;
  }
}

function send(
  request: DialRequest,
  target: DialTarget,
  chain: CallChain,
  relayLeg: RelayLeg,
  options: PlacementOptions,
): Placed {
  const { listener, uri, headers, credentials } = target;
  const { address } = listener.advertised;
  const media = offerMedia({ address, port: relayLeg.port, sessionId: options.ids.uint32() });
  const call = new OutboundCall({
    ...options,
    relayLeg,
    media,
    target,
    id: legIdOf(request),
    job: { ...request.job, chain },
  });
  const dialling = call.place((body) =>
    options.agent.invite({
      listener,
      uri,
      ...wayTo(target),
      from: fromHeader(request.from, listener),
      headers: { ...headers, 'Max-Forwards': `${chain.forwards}` },
      body,
      ...(credentials ? { credentials: bytesOf(credentials) } : {}),
      silentMs: SILENT_MS,
      redirect: (contacts) => (REDIRECTED.has(target.kind) ? redirection(contacts, options) : undefined),
    }),
  );
  return { call, dialling };
}

/** Whose 3xx is followed; a device's is not. @see https://www.twilio.com/docs/voice/api/sip-registration */
const REDIRECTED: ReadonlySet<DialTarget['kind']> = new Set(['sip', 'carrier']);

function wayTo({ destination, device }: DialTarget) {
  if (!device) return { destination };
  return { flow: destination, routes: device.path, to: `<${device.address}>` };
}

/** RFC 7616 §3.4.4: names and passwords are UTF-8. */
function bytesOf({ username, password }: Credentials): Credentials {
  return { username: asBytes(username), password: asBytes(password) };
}
