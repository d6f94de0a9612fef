import type { Clock } from '../core/clock.ts';
import { failure } from '../core/diagnostic.ts';
import type { DtmfKey } from '../leg/port.ts';
import type { AnyPeer } from '../leg/simulated/base-leg.ts';
import type { SimulatedPeer } from '../leg/simulated/simulated-leg.ts';
import type { SimulatedCallee } from '../leg/simulated/simulated-outgoing-leg.ts';
import type { CalleeAction, CallerAction } from './scenario.ts';
import { speakingTime } from './simulated-audio.ts';

function isKey(character: string): character is DtmfKey {
  return /^[0-9*#A-D]$/.test(character);
}

/** Makes the caller do what the scenario says. */
export function scheduleCaller(actions: readonly CallerAction[], peer: SimulatedPeer, clock: Clock): void {
  for (const action of actions) {
    clock.after(action.at, () => {
      if ('end' in action) peer.end(action.end);
      else if ('hangup' in action) peer.hangup();
      else act(action, peer, clock);
    });
  }
}

/** Makes somebody who is dialled do it, from now on. `redirect` gives its call a document of its own. */
export function scheduleCallee(
  actions: readonly CalleeAction[],
  peer: SimulatedCallee,
  clock: Clock,
  redirect: (url: string) => void,
): void {
  for (const action of actions) {
    clock.after(action.at, () => {
      if ('ring' in action) peer.ring(action.ring, action.early);
      else if ('answer' in action) peer.answer(action.answer === true ? {} : action.answer);
      else if ('refuse' in action) peer.refuse(action.refuse, action.headers);
      else if ('hangup' in action) peer.hangup(action.headers);
      else if ('redirect' in action) redirect(action.redirect);
      else if ('end' in action) end(action.end, peer);
      else act(action, peer, clock);
    });
  }
}

function end(cause: Extract<CalleeAction, { end: unknown }>['end'], peer: SimulatedCallee): void {
  const why = failure(13224, 'this number cannot be called (simulated).');
  peer.end(cause, cause === 'not-placed' ? why : undefined);
}

type PeerAction = Exclude<CallerAction & CalleeAction, { hangup: unknown } | { end: unknown }>;

function act(action: PeerAction, peer: AnyPeer, clock: Clock): void {
  if ('press' in action) {
    const keys = [...action.press].filter(isKey);
    for (const [index, key] of keys.entries()) clock.after(index * action.every, () => peer.press(key));
  } else if ('speak' in action) peer.speak(action.speak);
  else if ('say' in action) {
    peer.say(action.say, action.for ?? speakingTime(action.say), action.confidence);
  } else if ('vanish' in action) peer.vanish(action.vanish);
  else if ('refer' in action) peer.refer(action.refer);
  else peer.whenReferred(action.whenReferred, action.notifies);
}
