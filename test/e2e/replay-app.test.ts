import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { projectRoot } from './support/readme.ts';

const run = promisify(execFile);
const scratch = mkdtempSync(join(tmpdir(), 'trunkline-library-'));
const example = join(projectRoot, 'test/examples/ivr');

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Without what a run of Vitest tells its own children. */
function environment(): NodeJS.ProcessEnv {
  const own = /^(VITEST|NODE_OPTIONS|NODE_TEST_CONTEXT|NODE_ENV|TEST$|CI$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)));
}

describe("a voice application's own tests", () => {
  it('run with node:test', async () => {
    const file = join(example, 'ivr.node.mjs');
    const { stdout } = await run(process.execPath, ['--test', '--test-reporter=tap', file], {
      cwd: projectRoot,
      env: environment(),
    });
    expect(stdout).toMatch(/# pass 2\n# fail 0/);
  });

  it('run with Vitest', async () => {
    const vitest = join(projectRoot, 'node_modules/vitest/vitest.mjs');
    const args = [vitest, 'run', '--root', example, '--reporter=json'];
    const { stdout } = await run(process.execPath, args, { cwd: projectRoot, env: environment() });
    const report: unknown = JSON.parse(stdout.slice(stdout.indexOf('{')));
    expect(report).toMatchObject({ numPassedTests: 5, numFailedTests: 0 });
  });
});

describe('the package as it is installed', () => {
  const modules = join(scratch, 'node_modules');

  it('has the library, its types and its command', async () => {
    mkdirSync(join(modules, 'trunkline'), { recursive: true });
    await run('npm', ['pack', '--silent', '--pack-destination', scratch], { cwd: projectRoot });
    const [archive = ''] = readdirSync(scratch).filter((name) => name.endsWith('.tgz'));
    await run('tar', [
      'xzf',
      join(scratch, archive),
      '--strip-components=1',
      '-C',
      join(modules, 'trunkline'),
    ]);
    for (const name of readdirSync(join(projectRoot, 'node_modules'))) {
      if (name !== 'trunkline') symlinkSync(join(projectRoot, 'node_modules', name), join(modules, name));
    }
    writeFileSync(join(scratch, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(scratch, 'call.test.ts'), TYPED_TEST);
    writeFileSync(join(scratch, 'call.mjs'), CALL);
    writeFileSync(
      join(scratch, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: STRICT, files: ['call.test.ts'] }),
    );
    const tsc = join(modules, 'typescript/bin/tsc');
    const checked = await run(process.execPath, [tsc, '-p', scratch]).catch((error: unknown) => error);
    expect(checked).toMatchObject({ stdout: '' });
    const called = await run(process.execPath, [join(scratch, 'call.mjs')], { cwd: scratch });
    expect(called.stdout).toBe('completed: Hi +15005550001\n');
    const command = join(modules, 'trunkline/dist/src/bin/trunkline.js');
    const helped = await run(process.execPath, [command, 'replay', '--app', '--help'], { cwd: scratch });
    expect(helped.stdout).toContain('--script <steps>');
  });
});

const STRICT = {
  module: 'nodenext',
  target: 'es2022',
  lib: ['es2023', 'esnext.disposable'],
  types: ['node'],
  strict: true,
  noEmit: true,
};

const CALL = `
import { scenario } from 'trunkline/replay';
const call = await scenario({ app: ({ params }) => '<Response><Say>Hi ' + params.From + '</Say></Response>' });
const { status, heard } = await call.ended;
console.log(status + ': ' + heard[0].text);
`;

const TYPED_TEST = `
import { scenario, type Call, type CallOutcome } from 'trunkline/replay';
import 'trunkline/replay/vitest';
import { expect } from 'vitest';

const call: Call = await scenario({ app: ({ params, url }) => params['Digits'] ?? url, callees: { '+353861234567': 'busy' } });
await call.hears(/welcome/i, { within: '30s' });
const outcome: CallOutcome = await call.ended;
expect(call).toHaveDialed('+353861234567', { status: outcome.status });
// @ts-expect-error: keys are text
await call.press(1);
// @ts-expect-error: no such plan
await scenario({ app: 'http://localhost:3000/voice', callees: { '+353861234567': 'sleeps' } });
// @ts-expect-error: no such status
expect(call).toHaveEnded('finished');
`;
