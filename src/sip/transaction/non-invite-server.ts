import {
  arm,
  disarm,
  type Effect,
  NOTHING,
  type ServerEvent,
  type ServerTold,
  send,
  TELL_TRANSPORT_ERROR,
  TERMINATE,
} from './effect.ts';
import { lifetime, type TransactionSettings } from './timers.ts';

/** A server transaction of any request but INVITE and ACK, RFC 3261 §17.2.2 (figure 8). */
export interface NonInviteServer {
  readonly name: 'trying' | 'proceeding' | 'completed' | 'terminated';
  readonly settings: TransactionSettings;
  /** The latest response, repeated when the request is. */
  readonly last: Buffer | undefined;
}

type Step = readonly [NonInviteServer, readonly Effect<ServerTold>[]];

export function start(settings: TransactionSettings): NonInviteServer {
  return { name: 'trying', settings, last: undefined };
}

export function step(state: NonInviteServer, event: ServerEvent): Step {
  switch (state.name) {
    case 'trying':
    case 'proceeding':
      return waiting(state, event);
    case 'completed':
      return completed(state, event);
    case 'terminated':
      return [state, NOTHING];
  }
}

function waiting(state: NonInviteServer, event: ServerEvent): Step {
  switch (event.kind) {
    case 'request':
      return [state, state.last === undefined ? NOTHING : [send(state.last)]];
    case 'respond':
      return respond(state, event.status, event.message);
    case 'transport-error':
      return [terminated(state), [TELL_TRANSPORT_ERROR, TERMINATE]];
    default:
      return [state, NOTHING];
  }
}

function respond(state: NonInviteServer, status: number, message: Buffer): Step {
  const { timers, reliable } = state.settings;
  if (status < 200) return [{ ...state, name: 'proceeding', last: message }, [send(message)]];
  if (reliable) return [terminated(state), [send(message), TERMINATE]];
  return [{ ...state, name: 'completed', last: message }, [send(message), arm('J', lifetime(timers))]];
}

function completed(state: NonInviteServer, event: ServerEvent): Step {
  if (event.kind === 'request' && state.last !== undefined) return [state, [send(state.last)]];
  if (event.kind === 'timer' && event.timer === 'J') return [terminated(state), [TERMINATE]];
  if (event.kind === 'transport-error') {
    return [terminated(state), [disarm('J'), TELL_TRANSPORT_ERROR, TERMINATE]];
  }
  return [state, NOTHING];
}

function terminated(state: NonInviteServer): NonInviteServer {
  return { ...state, name: 'terminated', last: undefined };
}
