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

/** A client transaction of any request but INVITE and ACK, RFC 3261 §17.1.2 (figure 6). */
export interface NonInviteClient {
  readonly name: 'trying' | 'proceeding' | 'completed' | 'terminated';
  readonly settings: TransactionSettings;
  readonly request: Buffer;
  /** Timer E's next value. */
  readonly interval: number;
}

type Step = readonly [NonInviteClient, readonly Effect<ClientTold>[]];

export function start(request: Buffer, settings: TransactionSettings): Step {
  const { t1 } = settings.timers;
  const deadline = arm('F', lifetime(settings.timers));
  return [
    { name: 'trying', settings, request, interval: t1 },
    settings.reliable ? [send(request), deadline] : [send(request), arm('E', t1), deadline],
  ];
}

export function step(state: NonInviteClient, event: ClientEvent): Step {
  switch (state.name) {
    case 'trying':
    case 'proceeding':
      return waiting(state, event);
    case 'completed':
      if (event.kind === 'timer' && event.timer === 'K') return [terminated(state), [TERMINATE]];
      return [state, NOTHING];
    case 'terminated':
      return [state, NOTHING];
  }
}

function waiting(state: NonInviteClient, event: ClientEvent): Step {
  const { timers } = state.settings;
  switch (event.kind) {
    case 'response':
      return response(state, event.response);
    case 'timer': {
      if (event.timer === 'F') return [terminated(state), [disarm('E'), TELL_TIMEOUT, TERMINATE]];
      if (event.timer !== 'E') return [state, NOTHING];
      const interval = state.name === 'trying' ? Math.min(state.interval * 2, timers.t2) : timers.t2;
      return [{ ...state, interval }, [send(state.request), arm('E', interval)]];
    }
    case 'transport-error':
      return [terminated(state), [disarm('E'), disarm('F'), TELL_TRANSPORT_ERROR, TERMINATE]];
    case 'cancelled':
      return [state, NOTHING]; // only an INVITE is
  }
}

function response(
  state: NonInviteClient,
  message: Extract<ClientEvent, { kind: 'response' }>['response'],
): Step {
  const { timers, reliable } = state.settings;
  if (message.status < 200) return [{ ...state, name: 'proceeding' }, [tell(message)]];
  const quiet = [disarm('E'), disarm('F')] as const;
  if (reliable) return [terminated(state), [...quiet, tell(message), TERMINATE]];
  return [{ ...state, name: 'completed' }, [...quiet, arm('K', timers.t4), tell(message)]];
}

function terminated(state: NonInviteClient): NonInviteClient {
  return { ...state, name: 'terminated' };
}
