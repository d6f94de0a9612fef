import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { peer } from '../support/program.ts';
import { benchBridge } from './bridge.ts';
import { benchCallPath } from './call-path.ts';
import { benchInviteAcl } from './invite-acl.ts';
import { benchQueue } from './queue.ts';
import { benchRefresh } from './refresh.ts';
import { benchRegister } from './register.ts';
import { benchReplay } from './replay.ts';
import { benchRest } from './rest.ts';
import { benchRouteLookups } from './route-lookups.ts';
import { benchRtpPacing } from './rtp-pacing.ts';
import { benchRtpRelay } from './rtp-relay.ts';
import { benchSipCalls } from './sip-calls.ts';
import { benchSipParse } from './sip-parse.ts';
import { benchTappedBridge } from './tapped-bridge.ts';
import { benchTwimlParse } from './twiml-parse.ts';
import { benchWebhook } from './webhook.ts';

/**
 * `npm run bench [name…]`: every figure beside a floor or a peer measured in the same run. Ratios hold from
 * machine to machine; absolute figures do not.
 */
const workers = new URL('../../workers/', import.meta.url);

const benches: Readonly<Record<string, () => unknown>> = {
  'sip-parse': () => benchSipParse(),
  'sip-calls': () => {
    const sipp = peer('sipp');
    return sipp === undefined ? 'not run: sipp is not installed' : benchSipCalls(sipp);
  },
  'twiml-parse': () => benchTwimlParse(),
  replay: () => benchReplay(),
  webhook: () => benchWebhook(),
  queue: () => benchQueue(),
  register: () => benchRegister(),
  refresh: () => benchRefresh(),
  'invite-acl': () => {
    const sipp = peer('sipp');
    return sipp === undefined ? 'not run: sipp is not installed' : benchInviteAcl();
  },
  rest: () => benchRest(),
  routes: () => benchRouteLookups(),
  'rtp-relay': () => benchRtpRelay(workers),
  bridge: () => benchBridge(workers),
  'tapped-bridge': () => benchTappedBridge(workers),
  'rtp-pacing': () => benchRtpPacing(workers),
  'call-path': () => benchCallPath(),
};

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !(name in benches));
if (unknown !== undefined) {
  process.stderr.write(`no benchmark "${unknown}": there are ${Object.keys(benches).join(', ')}\n`);
  process.exit(2);
}

const [only] = asked;
if (asked.length === 1 && only !== undefined) {
  process.stdout.write(`${only}\n${table(await benches[only]?.(), '  ')}`);
  process.exit(0);
}
// Each in a process of its own: what one leaves warm or behind must not show in the next one's figures.
for (const name of asked.length > 0 ? asked : Object.keys(benches)) {
  const { status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), name], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exitCode = 1;
}

function table(value: unknown, indent: string): string {
  if (typeof value !== 'object' || value === null) return `${indent}${round(value)}\n`;
  return Object.entries(value)
    .map(([key, inner]) =>
      typeof inner === 'object'
        ? `${indent}${key}\n${table(inner, `${indent}  `)}`
        : `${indent}${key.padEnd(18)} ${round(inner)}\n`,
    )
    .join('');
}

function round(value: unknown): string {
  if (typeof value !== 'number') return String(value);
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2);
}
