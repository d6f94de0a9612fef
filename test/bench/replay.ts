import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { fixturesAt } from '../../src/replay/fixtures.ts';
import { replayAll } from '../../src/replay/replay-all.ts';
import { runFixture } from '../../src/replay/run-fixture.ts';
import { scenarioSchema } from '../../src/replay/scenario.ts';

const FIXTURES = 'twiml-fixtures';
const WANTED = 1_000;

export interface ReplayResult {
  readonly fixtures: number;
  /** Each run twice, compared with itself and with its golden files. */
  readonly fixturesPerSecond: number;
  /** Seconds of one core that a thousand of them take. */
  readonly thousandSeconds: number;
  /** The floor: the same files read, their YAML parsed, nothing run. */
  readonly readOnlyPerSecond: number;
  /** Time of a fixture over time of reading it. */
  readonly ratio: number;
  /** Milliseconds of one core for a call of an hour, by what it is spent with. */
  readonly hour: Readonly<Record<keyof typeof HOURS, number>>;
}

/** A thousand fixtures are copies of those of the repository, on a disk of their own names. */
export async function benchReplay(turns = 3): Promise<ReplayResult> {
  const home = mkdtempSync(join(tmpdir(), 'trunkline-bench-'));
  try {
    copyFixtures(home);
    await replayAll(FIXTURES); // warm up
    readOnly(FIXTURES);
    const fixtures = fixturesAt([home]).length;
    let [replayed, read] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let turn = 0; turn < turns; turn++) {
      replayed = Math.min(replayed, await time(async () => expectAllSame(home)));
      read = Math.min(read, await time(async () => readOnly(home)));
    }
    return {
      fixtures,
      fixturesPerSecond: (fixtures * 1000) / replayed,
      thousandSeconds: replayed / fixtures,
      readOnlyPerSecond: (fixtures * 1000) / read,
      ratio: replayed / read,
      hour: await benchHours(),
    };
  } finally {
    rmSync(home, { recursive: true });
  }
}

function copyFixtures(home: string): void {
  const own = fixturesAt([FIXTURES]);
  for (let copy = 0; copy * own.length < WANTED; copy++) {
    for (const { name, directory } of own.slice(0, WANTED - copy * own.length)) {
      mkdirSync(join(home, `${copy}`), { recursive: true });
      cpSync(directory, join(home, `${copy}`, name), { recursive: true });
    }
  }
}

async function expectAllSame(home: string): Promise<void> {
  const verdicts = await replayAll(home);
  const bad = verdicts.find(({ kind }) => kind !== 'same');
  if (bad) throw new Error(`${bad.name} is ${bad.kind}`);
}

/** Everything that replay reads of the same fixtures. */
function readOnly(home: string): void {
  for (const { directory } of fixturesAt([home])) {
    for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
      if (!entry.isFile()) continue;
      const text = readFileSync(join(entry.parentPath, entry.name), 'utf8');
      if (entry.name === 'scenario.yaml') parse(text);
    }
  }
}

const voice = { url: 'http://app.test/voice' };
const answering = (body: string) => [{ url: voice.url, answers: [{ body }] }];

/** Calls of an hour. */
const HOURS = {
  pause: { webhooks: answering('<Response><Pause length="3600"/></Response>') },
  conversation: {
    webhooks: answering('<Response><Dial>+15005550009</Dial></Response>'),
    callees: [{ address: '+15005550009', does: [{ ring: 180 }, { wait: '5s' }, { answer: true }] }],
    caller: [{ at: '1h', hangup: true }],
  },
  music: {
    webhooks: [
      ...answering('<Response><Play loop="0">http://app.test/music.wav</Play></Response>'),
      { url: 'http://app.test/music.wav', answers: [{ audio: '3m' }] },
    ],
    caller: [{ at: '1h', hangup: true }],
  },
  /** A question every ten seconds: 360 documents. */
  menu: {
    webhooks: answering(
      '<Response><Gather numDigits="1" timeout="9"><Say>Press one.</Say></Gather><Redirect/></Response>',
    ),
    caller: [{ at: '1h', hangup: true }],
  },
};

async function benchHours(): Promise<ReplayResult['hour']> {
  const ms = async (name: keyof typeof HOURS) => {
    const scenario = scenarioSchema.parse({ shows: name, voice, ...HOURS[name] });
    let best = Number.POSITIVE_INFINITY;
    for (let turn = 0; turn < 10; turn++) {
      best = Math.min(best, await time(() => runFixture({ scenario, files: new Map() })));
    }
    return best;
  };
  return {
    pause: await ms('pause'),
    conversation: await ms('conversation'),
    music: await ms('music'),
    menu: await ms('menu'),
  };
}

/** Processor time of this process, in ms: a busy machine takes nothing away from it. */
async function time(work: () => Promise<unknown>): Promise<number> {
  const begun = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1000;
}
