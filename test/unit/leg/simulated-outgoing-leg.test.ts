import { VirtualClock } from '../../../src/core/clock.ts';
import type { Heard } from '../../../src/leg/simulated/heard.ts';
import { SimulatedLeg } from '../../../src/leg/simulated/simulated-leg.ts';
import { SimulatedOutgoingLeg } from '../../../src/leg/simulated/simulated-outgoing-leg.ts';
import { bridgeConformance } from '../../conformance/bridge.ts';
import { outgoingLegConformance } from '../../conformance/outgoing-leg.ts';

outgoingLegConformance('the simulated leg', async (placing) => {
  const clock = new VirtualClock();
  const leg = new SimulatedOutgoingLeg(clock, 'call-id');
  if (placing === 'unreachable') leg.peer.end('unreachable');
  else if (placing !== 'placed') leg.peer.end('not-placed', placing.notPlaced);
  const told = <K extends Heard['kind']>(kind: K) =>
    leg.heard.filter((event): event is Extract<Heard, { kind: K }> => event.kind === kind);
  return {
    leg,
    peer: {
      ring: leg.peer.ring,
      answer: leg.peer.answer,
      refuse: leg.peer.refuse,
      hangup: leg.peer.hangup,
      press: leg.peer.press,
      refer: leg.peer.refer,
      whenReferred: leg.peer.whenReferred,
      get notified() {
        return told('notified').map(({ status }) => status);
      },
      get referredTo() {
        return told('referred').map(({ uri }) => uri);
      },
      get dismissed() {
        return leg.peer.dismissed;
      },
    },
    settle: (work) => clock.run(work),
    close: async () => {},
  };
});

function wordsOf(heard: readonly Heard[]): readonly string[] {
  return heard.flatMap((event) => {
    if (event.kind === 'voice') return [event.said];
    if (event.kind === 'key') return [`key ${event.key}`];
    return event.kind === 'played' ? [event.clip] : [];
  });
}

bridgeConformance('the simulated leg', async () => {
  const clock = new VirtualClock();
  const caller = new SimulatedLeg(clock);
  const callees = [new SimulatedOutgoingLeg(clock, '1'), new SimulatedOutgoingLeg(clock, '2')] as const;
  const ears = ({ heard, peer }: SimulatedLeg | SimulatedOutgoingLeg) => ({
    say: async (word: string) => {
      peer.speak(20, word);
      await clock.advance(20);
    },
    press: peer.press,
    hangup: () => peer.hangup(),
    get heard() {
      return wordsOf(heard);
    },
  });
  const called = (leg: SimulatedOutgoingLeg) => {
    const { say, press, hangup } = ears(leg);
    const { ring, answer } = leg.peer;
    const peer = {
      say,
      press,
      hangup,
      ring,
      answer: () => answer(),
      get heard() {
        return wordsOf(leg.heard);
      },
    };
    return { leg, peer };
  };
  return {
    caller: { leg: caller, peer: ears(caller) },
    callee: called(callees[0]),
    another: called(callees[1]),
    settle: (work) => clock.run(work),
    close: async () => {},
  };
});
