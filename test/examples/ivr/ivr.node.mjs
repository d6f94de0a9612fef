import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertDialed, assertNothingReported, assertRequested, scenario } from 'trunkline/replay';
import { app } from './app.mjs';

const SALES = 'sip:sales@acme.example';

test('opening hours', async () => {
  const call = await scenario({ app });
  await call.hears(/opening hours, press 2/i);
  await call.press('2');
  await call.hears('from nine to five');
  const { status, duration } = await call.ended;
  assert.equal(status, 'completed');
  assert.ok(duration < 15);
  assertRequested(call, '/menu', { params: { Digits: '2' } });
  assertNothingReported(call);
});

test('sales is busy', async () => {
  const call = await scenario({ app, callees: { [SALES]: 'busy' } });
  await call.press('1');
  await call.hears('nobody is free');
  assertDialed(call, SALES, { status: 'busy' });
}); // nobody hangs up: nothing is left behind, and the tests end
