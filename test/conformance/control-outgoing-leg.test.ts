import { bridgeConformance } from './bridge.ts';
import { ControlWorld } from './control-calls.ts';
import { outgoingLegConformance } from './outgoing-leg.ts';

// Remote legs over real control connections; what a peer says takes the way that edge and media host were told.

outgoingLegConformance('the remote leg', async (placing) => {
  const world = new ControlWorld();
  const { leg, peer } = await world.outgoing(await world.addEdge(), placing);
  return { leg, peer, settle: world.settle, close: () => world.close() };
});

bridgeConformance('the bridge of remote legs at one edge process', async () => {
  const world = new ControlWorld();
  const edge = await world.addEdge();
  return {
    caller: await world.inbound(edge),
    callee: await world.outgoing(edge),
    another: await world.outgoing(edge),
    settle: world.settle,
    close: () => world.close(),
  };
});

bridgeConformance('the bridge of remote legs at different edge processes', async () => {
  const world = new ControlWorld();
  const edge = await world.addEdge();
  return {
    caller: await world.inbound(edge),
    callee: await world.outgoing(await world.addEdge()),
    another: await world.outgoing(edge),
    settle: world.settle,
    close: () => world.close(),
  };
});
