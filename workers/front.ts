import { startFront } from '../src/compose/front-role.ts';
import { runRole } from '../src/compose/role.ts';

await runRole('front', () => undefined, startFront);
