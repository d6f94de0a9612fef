import { startEdge } from '../src/compose/edge-role.ts';
import { runRole } from '../src/compose/role.ts';
import { edgesOf } from '../src/compose/role-arguments.ts';

await runRole(
  'edge',
  () => undefined,
  (context) => startEdge(context, edgesOf(process.argv.slice(2)), new URL('edge-media.js', import.meta.url)),
);
