import {
  arm,
  type ClientEvent,
  type ClientTold,
  disarm,
  type Effect,
  NOTHING,
  send,
  TELL_TIMEOUT,
  TELL_TRANSPORT_ERROR,
  TERMINATE,
  tell,
} from './effect.ts';
import { lifetime, type TransactionSettings } from './timers.ts';

/** An INVITE client transaction, RFC 3261 §17.1.1 (figure 5) as amended by RFC 6026 §7.2 (Accepted). */
export interface InviteClient {
  readonly name: 'calling' | 'proceeding' | 'completed' | 'accepted' | 'terminated';
  readonly settings: TransactionSettings;
  readonly request: Buffer;
  /** Timer A's next value. */
  readonly interval: number;
}

const NO_BYTES = Buffer.alloc(0);

type Step = readonly [InviteClient, readonly Effect<ClientTold>[]];

export function start(request: Buffer, settings: TransactionSettings): Step {
  const { t1 } = settings.timers;
  const deadline = arm('B', lifetime(settings.timers));
  return [
    { name: 'calling', settings, request, interval: t1 },
    settings.reliable ? [send(request), deadline] : [send(request), arm('A', t1), deadline],
  ];
}

export function step(state: InviteClient, event: ClientEvent): Step {
  switch (state.name) {
    case 'calling':
    case 'proceeding':
      return waiting(state, event);
    case 'completed':
      return completed(state, event);
    case 'accepted':
      return accepted(state, event);
    case 'terminated':
      return [state, NOTHING];
  }
}

/** Calling and Proceeding differ in the timers that run: A and B before the first response, B after CANCEL. */
function waiting(state: InviteClient, event: ClientEvent): Step {
  switch (event.kind) {
    case 'response':
      return response(state, event);
    case 'timer':
      if (event.timer === 'A' && state.name === 'calling') {
        const interval = state.interval * 2;
        return [{ ...state, interval }, [send(state.request), arm('A', interval)]];
      }
      if (event.timer !== 'B') return [state, NOTHING];
      return [terminated(state), [disarm('A'), TELL_TIMEOUT, TERMINATE]];
    case 'transport-error':
      return [terminated(state), [disarm('A'), disarm('B'), TELL_TRANSPORT_ERROR, TERMINATE]];
    case 'cancelled':
      if (state.name === 'calling') return [state, NOTHING]; // CANCEL waits for a provisional response
      return [state, [arm('B', lifetime(state.settings.timers))]];
  }
}

function response(state: InviteClient, event: Extract<ClientEvent, { kind: 'response' }>): Step {
  const { status } = event.response;
  const { timers, reliable } = state.settings;
  if (status < 200) {
    if (state.name === 'proceeding') return [state, [tell(event.response)]];
    return [{ ...state, name: 'proceeding' }, [disarm('A'), disarm('B'), tell(event.response)]];
  }
  const quiet = [disarm('A'), disarm('B')] as const;
  if (status < 300) {
    return [{ ...state, name: 'accepted' }, [...quiet, arm('M', lifetime(timers)), tell(event.response)]];
  }
  const ack = event.ack ?? NO_BYTES;
  if (reliable) return [terminated(state), [...quiet, send(ack), tell(event.response), TERMINATE]];
  return [{ ...state, name: 'completed' }, [...quiet, send(ack), arm('D', timers.d), tell(event.response)]];
}

function completed(state: InviteClient, event: ClientEvent): Step {
  if (event.kind === 'response' && event.response.status >= 300)
    return [state, [send(event.ack ?? NO_BYTES)]];
  if (event.kind === 'timer' && event.timer === 'D') return [terminated(state), [TERMINATE]];
  // §17.1.1.2: the refusal has been told already; there is only the ACK's repetition left to lose
  if (event.kind === 'transport-error') return [terminated(state), [disarm('D'), TERMINATE]];
  return [state, NOTHING];
}

/** RFC 6026 §7.2: every 2xx goes up, since each (a repetition, or another fork's) must be acknowledged there. */
function accepted(state: InviteClient, event: ClientEvent): Step {
  if (event.kind === 'timer' && event.timer === 'M') return [terminated(state), [TERMINATE]];
  if (event.kind !== 'response') return [state, NOTHING];
  const { status } = event.response;
  return [state, status >= 200 && status < 300 ? [tell(event.response)] : NOTHING];
}

function terminated(state: InviteClient): InviteClient {
  return { ...state, name: 'terminated' };
}
