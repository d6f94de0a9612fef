import { scenario } from 'trunkline/replay';
import 'trunkline/replay/jest';
import { app } from './app.mjs';

test('opening hours', async () => {
  const call = await scenario({ app });
  await call.press('2');
  await call.hears('from nine to five');
  expect(await call.ended).toMatchObject({ status: 'completed' });
  expect(call).toHaveRequested('/menu', { params: { Digits: '2' } });
  expect(call).not.toHaveReported();
});
