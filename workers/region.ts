import { startRegion } from '../src/compose/region-role.ts';
import { runRole } from '../src/compose/role.ts';
import { regionOf } from '../src/compose/role-arguments.ts';

await runRole('region', () => regionOf(process.argv[2]), startRegion);
