import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../support/program.ts';

const root = projectRoot();
const require = createRequire(join(root, 'package.json'));
let folder = '';

const PROGRAM = `
import { lint, parse, type LintDiagnostic, type TwimlElement } from 'trunkline/twiml';
const found: readonly LintDiagnostic[] = lint('<Response><Sayy/></Response>', { region: 'ie1' });
const parsed = parse('<Response/>');
const root: TwimlElement | undefined = parsed.ok ? parsed.root : undefined;
const code: number | string | undefined = found[0]?.code;
process.stdout.write(\`\${code} \${root?.name}\`);
`;

const run = (program: string, args: readonly string[], cwd: string) =>
  execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** Where a package of ours is installed. */
function installed(name: string): string {
  const [modules = ''] =
    require.resolve.paths(name)?.filter((path) => {
      try {
        return readdirSync(join(path, name)).length > 0;
      } catch {
        return false;
      }
    }) ?? [];
  return join(modules, name);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'package-'));
  run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], root);
  const [archive = ''] = readdirSync(folder);
  run('tar', ['xzf', archive], folder);
  const modules = join(folder, 'app/node_modules');
  mkdirSync(join(modules, '@types'), { recursive: true });
  symlinkSync(join(folder, 'package'), join(modules, 'trunkline'), 'dir');
  // What it depends on is looked for beside the package itself.
  symlinkSync(dirname(installed('zod')), join(folder, 'package/node_modules'), 'dir');
  symlinkSync(installed('@types/node'), join(modules, '@types/node'), 'dir');
  writeFileSync(join(folder, 'app/main.mts'), PROGRAM);
});

afterAll(() => rmSync(folder, { recursive: true }));

describe('the package', () => {
  it('is imported as trunkline/twiml where it is installed, with its types', () => {
    const app = join(folder, 'app');
    const compiler = join(installed('typescript'), 'bin/tsc');
    const options = ['--module', 'nodenext', '--target', 'es2023', '--strict', '--types', 'node', 'main.mts'];
    run(process.execPath, [compiler, ...options], app);
    expect(run(process.execPath, ['main.mjs'], app)).toBe('12200 Response');
  });

  it('has types that a mistake is found by', () => {
    const app = join(folder, 'app');
    writeFileSync(join(app, 'wrong.mts'), "import { lint } from 'trunkline/twiml';\nlint(1);\n");
    const compiler = join(installed('typescript'), 'bin/tsc');
    const options = ['--noEmit', '--module', 'nodenext', '--target', 'es2023', '--strict', 'wrong.mts'];
    const { stdout, status } = spawnSync(process.execPath, [compiler, ...options], {
      cwd: app,
      encoding: 'utf8',
    });
    expect(status).not.toBe(0);
    expect(stdout).toContain('error TS2345');
  });

  it('brings the command', () => {
    const command = join(folder, 'package/dist/src/bin/trunkline.js');
    expect(run(process.execPath, [command, 'lint', '--help'], folder)).toContain('Exit status:');
  });

  it('imports itself by its name in a clone', () => {
    const program =
      "import { lint } from 'trunkline/twiml'; process.stdout.write(String(lint('<a/>')[0].code));";
    expect(run(process.execPath, ['--input-type=module', '--eval', program], root)).toBe('12102');
  });
});
