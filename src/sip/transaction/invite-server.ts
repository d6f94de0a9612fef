import {
  arm,
  disarm,
  type Effect,
  NOTHING,
  type ServerEvent,
  type ServerTold,
  send,
  TELL_TIMEOUT,
  TELL_TRANSPORT_ERROR,
  TERMINATE,
} from './effect.ts';
import { lifetime, type TransactionSettings } from './timers.ts';

/** An INVITE server transaction, RFC 3261 §17.2.1 (figure 7) as amended by RFC 6026 §7.1 (Accepted). */
export interface InviteServer {
  readonly name: 'proceeding' | 'completed' | 'confirmed' | 'accepted' | 'terminated';
  readonly settings: TransactionSettings;
  /** The latest response, repeated when the request is. */
  readonly last: Buffer | undefined;
  /** Timer G's next value. */
  readonly interval: number;
}

type Step = readonly [InviteServer, readonly Effect<ServerTold>[]];

const TELL_ACK = { kind: 'tell', event: { kind: 'ack' } } as const;

export function start(settings: TransactionSettings): InviteServer {
  return { name: 'proceeding', settings, last: undefined, interval: settings.timers.t1 };
}

export function step(state: InviteServer, event: ServerEvent): Step {
  switch (state.name) {
    case 'proceeding':
      return proceeding(state, event);
    case 'completed':
      return completed(state, event);
    case 'confirmed':
      if (event.kind === 'timer' && event.timer === 'I') return [terminated(state), [TERMINATE]];
      return [state, NOTHING];
    case 'accepted':
      return accepted(state, event);
    case 'terminated':
      return [state, NOTHING];
  }
}

function proceeding(state: InviteServer, event: ServerEvent): Step {
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

function respond(state: InviteServer, status: number, message: Buffer): Step {
  const { timers, reliable } = state.settings;
  const end = lifetime(timers);
  if (status < 200) return [{ ...state, last: message }, [send(message)]];
  if (status < 300) {
    return [{ ...state, name: 'accepted', last: undefined }, [send(message), arm('L', end)]];
  }
  const next: InviteServer = { ...state, name: 'completed', last: message };
  if (reliable) return [next, [send(message), arm('H', end)]];
  return [next, [send(message), arm('G', timers.t1), arm('H', end)]];
}

function completed(state: InviteServer, event: ServerEvent): Step {
  const { timers, reliable } = state.settings;
  switch (event.kind) {
    case 'request':
      return [state, state.last === undefined ? NOTHING : [send(state.last)]];
    case 'ack': {
      const quiet = [disarm('G'), disarm('H')] as const;
      if (reliable) return [terminated(state), [...quiet, TELL_ACK, TERMINATE]];
      return [{ ...state, name: 'confirmed', last: undefined }, [...quiet, arm('I', timers.t4), TELL_ACK]];
    }
    case 'timer': {
      if (event.timer === 'H') return [terminated(state), [disarm('G'), TELL_TIMEOUT, TERMINATE]];
      if (event.timer !== 'G' || state.last === undefined) return [state, NOTHING];
      const interval = Math.min(state.interval * 2, timers.t2);
      return [{ ...state, interval }, [send(state.last), arm('G', interval)]];
    }
    case 'transport-error':
      return [terminated(state), [disarm('G'), disarm('H'), TELL_TRANSPORT_ERROR, TERMINATE]];
    case 'respond':
      return [state, NOTHING];
  }
}

/** RFC 6026 §7.1: absorbs repeated INVITEs; the transaction user repeats the 2xx itself. */
function accepted(state: InviteServer, event: ServerEvent): Step {
  switch (event.kind) {
    case 'respond':
      return [state, event.status >= 200 && event.status < 300 ? [send(event.message)] : NOTHING];
    case 'ack':
      return [state, [TELL_ACK]];
    case 'timer':
      return event.timer === 'L' ? [terminated(state), [TERMINATE]] : [state, NOTHING];
    case 'transport-error':
      return [state, [TELL_TRANSPORT_ERROR]];
    case 'request':
      return [state, NOTHING];
  }
}

function terminated(state: InviteServer): InviteServer {
  return { ...state, name: 'terminated', last: undefined };
}
