import { startCallWorker } from '../src/compose/call-worker-role.ts';
import { runRole } from '../src/compose/role.ts';
import { regionOf } from '../src/compose/role-arguments.ts';

const scripts = {
  media: new URL('region-media.js', import.meta.url),
  speech: new URL('speech.js', import.meta.url),
};
await runRole(
  'worker',
  () => regionOf(process.argv[2]),
  (context, region) => startCallWorker(context, region, scripts),
);
