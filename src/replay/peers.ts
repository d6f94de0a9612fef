import type { Clock } from '../core/clock.ts';
import { failure } from '../core/diagnostic.ts';
import type { DtmfKey } from '../leg/port.ts';
import type { AnyPeer } from '../leg/simulated/any-peer.ts';
import type { SimulatedPeer } from '../leg/simulated/simulated-leg.ts';
import type { SimulatedCallee } from '../leg/simulated/simulated-outgoing-leg.ts';
import type { CalleeAction, CallerAction } from './scenario.ts';
import { Script } from './script.ts';
import { speakingTime } from './simulated-audio.ts';

function isKey(character: string): character is DtmfKey {
  return /^[0-9*#A-D]$/.test(character);
}

/** Makes the caller do what the scenario says. */
export function scheduleCaller(
  actions: readonly CallerAction[],
  peer: SimulatedPeer,
  clock: Clock,
): Script<CallerAction> {
  return new Script(actions, {
    clock,
    sounds: peer.sounds,
    perform: (action) => {
      if ('end' in action) peer.end(action.end);
      else if ('hangup' in action) peer.hangup();
      else return act(action, peer, clock);
      return 0;
    },
  });
}

/** What of somebody who is dialled concerns the call. */
export interface CalleeEvents {
  /** After each provisional response. */
  rang(status: number, early: boolean): void;
  /** The API gives its call a document of its own. */
  redirect(url: string): void;
}

/** Makes somebody who is dialled do it, from now on. */
export function scheduleCallee(
  actions: readonly CalleeAction[],
  peer: SimulatedCallee,
  clock: Clock,
  events: CalleeEvents,
): Script<CalleeAction> {
  return new Script(actions, {
    clock,
    sounds: peer.sounds,
    perform: (action) => {
      if ('ring' in action) {
        peer.ring(action.ring, action.early);
        events.rang(action.ring, action.early);
      } else if ('answer' in action) peer.answer(action.answer === true ? {} : action.answer);
      else if ('refuse' in action) peer.refuse(action.refuse, action.headers);
      else if ('hangup' in action) peer.hangup(action.headers);
      else if ('redirect' in action) events.redirect(action.redirect);
      else if ('end' in action) end(action.end, peer);
      else return act(action, peer, clock);
      return 0;
    },
  });
}

function end(cause: Extract<CalleeAction, { end: unknown }>['end'], peer: SimulatedCallee): void {
  const why = failure(13224, 'this number cannot be called (simulated).');
  peer.end(cause, cause === 'not-placed' ? why : undefined);
}

type PeerAction = Exclude<CallerAction & CalleeAction, { hangup: unknown } | { end: unknown }>;

/** Does it; how long it takes, in ms. */
function act(action: PeerAction, peer: AnyPeer, clock: Clock): number {
  if ('press' in action) return press([...action.press].filter(isKey), action.every, peer, clock);
  if ('speak' in action) {
    peer.speak(action.speak);
    return action.speak;
  }
  if ('say' in action) {
    const ms = action.for ?? speakingTime(action.say);
    peer.say(action.say, ms, action.confidence);
    return ms;
  }
  if ('vanish' in action) {
    peer.vanish(action.vanish);
    return action.vanish;
  }
  if ('hold' in action) peer.hold();
  else if ('resume' in action) peer.resume();
  else if ('refer' in action) peer.refer(action.refer);
  else if ('whenReferred' in action) peer.whenReferred(action.whenReferred, action.notifies);
  return 0;
}

function press(keys: readonly DtmfKey[], every: number, peer: AnyPeer, clock: Clock): number {
  for (const [index, key] of keys.entries()) {
    clock.after(index * every, () => peer.press(key), `press: ${key}`);
  }
  return keys.length * every;
}
