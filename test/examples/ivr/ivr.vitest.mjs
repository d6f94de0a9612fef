import { scenario } from 'trunkline/replay';
import 'trunkline/replay/vitest';
import { expect, test } from 'vitest';
import { app } from './app.mjs';

const SALES = 'sip:sales@acme.example';

test('sales is called, and the caller talks to them', async () => {
  const call = await scenario({ app, from: '+353861234567' });
  await call.hears(/welcome to acme/i);
  await call.press('1');
  await call.hears('connecting you');
  const sales = call.callee(SALES);
  await sales.isDialed();
  await sales.answers();
  await call.says('I would like a hundred anvils.');
  await sales.hears('anvils');
  await sales.hangsUp();

  expect(await call.ended).toMatchObject({ status: 'completed' });
  expect(call).toHaveDialed(SALES, { from: '+353861234567', status: 'completed' });
  expect(call).not.toHaveReported();
});

test('when nobody answers, the caller leaves a message', async () => {
  const call = await scenario({ app });
  await call.press('1');
  await call.hears('leave a message'); // twenty seconds later, and at once
  await call.waits('2s');
  await call.says('Please call me back.');
  await call.press('#');
  await call.hears('thank you');
  await call.ended;

  expect(call).toHaveDialed(SALES, { status: 'no-answer' });
  expect(call).toHaveRequested('/thanks', { params: { Digits: '#', RecordingDuration: /^[1-9]/ } });
  expect(call.recordings).toHaveLength(1);
});

test.each(['3', '9'])('%s is no choice', async (key) => {
  const call = await scenario({ app });
  await call.press(key);
  await call.hears('no such choice');
  await call.hears('welcome');
  call.hangup();
  await call.ended;
  expect(call).toHaveEnded('completed');
});

test('whoever presses nothing is told so', async () => {
  const call = await scenario({ app });
  await call.hears('we did not get your choice', { within: '1m' });
  expect(call.now).toBeGreaterThan(5_000);
});
