import { afterAll, beforeAll, expect, it } from 'vitest';
import { EVERYTHING, nothingHeld } from '../e2e/support/gauges.ts';
import { DeviceWorld } from './support/device-world.ts';
import { answers, RawCallee, refuses, rings } from './support/raw-callee.ts';

const CALLS = 200;
const AT_ONCE = 20;

let world: DeviceWorld;
let devices: readonly RawCallee[];

beforeAll(async () => {
  world = await DeviceWorld.start();
  devices = await Promise.all([rings, rings, rings].map((behave) => RawCallee.open(behave)));
});

afterAll(async () => {
  for (const device of devices) device.close();
  await world.stop();
});

it('two hundred calls to three devices leave no leg, transaction, dialog or timer behind', async () => {
  const [one, two, three] = devices;
  if (!one || !two || !three) throw new Error('three were opened');
  const user = world.user();
  await world.bind(user, [
    [one, 'dublin'],
    [two, 'tokyo'],
    [three, 'dublin'],
  ]);
  const statuses: Record<string, number> = {};
  for (let begun = 0; begun < CALLS; begun += AT_ONCE) {
    // In turn: one answers; two do, and their answers cross; nobody does.
    const turn = (begun / AT_ONCE) % 3;
    one.onInvite = turn === 1 ? answers : rings;
    two.onInvite = turn === 2 ? refuses(603) : answers;
    const calls = Array.from({ length: AT_ONCE }, () =>
      world.dials.dial(`<Sip>${world.address(user)}</Sip>`, 'timeLimit="1"'),
    );
    for (const { from } of calls) {
      const { DialCallStatus: status = '' } = await world.dials.after(from);
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  }
  expect(statuses).toEqual({ completed: 140, busy: 60 });
  await nothingHeld(world.dials.trunkline, EVERYTHING);
}, 600_000);
