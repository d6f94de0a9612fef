import { join } from 'node:path';
import type { Installation } from '../../compose/installation.ts';
import type { RegionId } from '../../region/region.ts';
import { type ExportedFixture, exportCall } from '../../replay/export/export-call.ts';
import type { ExportedCall } from '../../replay/export/exported-call.ts';
import { ScenarioError } from '../../replay/scenario.ts';
import { CallNotFetched, fetchCall, type RegionApi } from './region-calls.ts';
import { claimDirectory, NotWritten, writeFixture } from './write-fixture.ts';

/** What `trunkline export` is asked for. */
export interface ExportOptions {
  /** Where the call is looked for; absent: in every Region of this installation. */
  readonly region?: string;
  /** In place of the address that this installation has. */
  readonly url?: string;
  readonly account?: string;
  readonly token?: string;
  /** The fixture's directory inside of DIR. */
  readonly name?: string;
  readonly redact: boolean;
  readonly force: boolean;
}

export interface ExportIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly installation: Installation;
}

/** The fixture replays to the timeline of the call. */
const SAME = 0;
/** It was written, and its replay differs. */
const DIFFERS = 1;
/** The arguments make no sense. */
const MISUSED = 2;
/** Nothing was written: there is no such call, it is not over, it cannot be had, or the directory is taken. */
const NOTHING = 3;

/**
 * `trunkline export`: makes a fixture of a finished call, in `directory/name`, and replays it.
 *
 * @returns 0 when the replay leaves the timeline of the call, 1 when it differs, 2 for arguments that make no sense, 3
 * when nothing was written
 */
export async function exportCommand(
  callSid: string,
  directory: string,
  options: ExportOptions,
  { stdout, stderr, installation }: ExportIo,
): Promise<number> {
  const misuse = wrongArgument(callSid, options, installation);
  if (misuse !== undefined) {
    stderr.write(`error: ${misuse}\n`);
    return MISUSED;
  }
  const target = join(directory, options.name ?? `call-${callSid.slice(2, 10)}`);
  try {
    await claimDirectory(target, options.force);
    const call = await findCall(callSid, placesOf(options, installation));
    const fixture = await exportCall(call, options.redact);
    const wrong = await writeFixture(target, fixture);
    stdout.write(reportOf(target, call, fixture, wrong));
    return fixture.difference === undefined && wrong.length === 0 ? SAME : DIFFERS;
  } catch (error) {
    const known = [CallNotFetched, NotWritten, ScenarioError].some((kind) => error instanceof kind);
    if (!known || !(error instanceof Error)) throw error;
    const code = error instanceof CallNotFetched ? ` ${error.code}` : '';
    stderr.write(`error${code}: ${error.message}\n`);
    return NOTHING;
  }
}

function wrongArgument(
  callSid: string,
  { region, url, account, token, name }: ExportOptions,
  { regions, account: own }: Installation,
): string | undefined {
  if (!/^CA[0-9a-f]{32}$/.test(callSid)) return `"${callSid}" is no CallSid: expected CA and 32 of 0-9 a-f`;
  if (region !== undefined && url === undefined && !regions.some(({ id }) => id === region)) {
    return `"${region}" is no Region of this installation: expected ${regions.map(({ id }) => id).join(', ')}`;
  }
  if ((account === undefined) !== (token === undefined)) return 'give --account and --token together';
  if (account === undefined && own === undefined) {
    return 'this home has no credentials: give --account and --token, or set TRUNKLINE_HOME to that of the installation';
  }
  if (url !== undefined && !URL.canParse(url))
    return `--url: "${url}" is no address such as http://127.0.0.1:8080`;
  if (name !== undefined && !/^[\w.-]+$/.test(name)) return `--name: "${name}" is no name of a directory`;
  return undefined;
}

/** Where to look, in order. */
function placesOf(options: ExportOptions, installation: Installation): readonly RegionApi[] {
  const asked = installation.regions.filter(
    ({ id }) => options.region === undefined || id === options.region,
  );
  const places = options.url === undefined ? asked : [{ id: options.region, url: options.url }];
  return places.flatMap(({ id, url }): readonly RegionApi[] => {
    const login = loginOf(options, installation, id as RegionId | undefined);
    return login ? [{ url, ...login }] : [];
  });
}

function loginOf(
  { account, token }: ExportOptions,
  { account: own }: Installation,
  region: RegionId | undefined,
): Omit<RegionApi, 'url'> | undefined {
  if (account !== undefined && token !== undefined) return { account, username: account, password: token };
  const password = own?.tokens.get(region ?? 'us1');
  return own && password !== undefined ? { account: own.sid, username: own.sid, password } : undefined;
}

async function findCall(callSid: string, places: readonly RegionApi[]): Promise<ExportedCall> {
  for (const place of places) {
    try {
      return await fetchCall(place, callSid);
    } catch (error) {
      if (!(error instanceof CallNotFetched) || !error.absent) throw error;
    }
  }
  const where = places.map(({ url }) => url).join(', ');
  throw new CallNotFetched(
    20404,
    `there is no call ${callSid} at ${where || 'any Region that there are credentials for'}. A call is found in the Region that processed it alone: --region names it, --url another installation.`,
  );
}

function reportOf(
  target: string,
  { region, timelines }: ExportedCall,
  fixture: ExportedFixture,
  wrong: readonly string[],
): string {
  const { redacted, missing, difference, files, keys } = fixture;
  const lines = [
    `${target}: a call of ${region} with ${timelines.size - 1} dialled, ${files.size} documents`,
    redacted
      ? `redacted: ${redacted.numbers} numbers, ${redacted.users} users, ${redacted.names} names, ${redacted.sids} SIDs, ${redacted.addresses} private addresses, all passwords`
      : 'redacted: passwords only',
    `left as it was: what is said, host names, queries of addresses${keys > 0 ? `, ${keys} keys that were pressed` : ''}`,
    ...missing.map((what) => `cannot be told: ${what}`),
    ...wrong.map((what) => `wrong with the fixture: ${what}`),
    difference === undefined
      ? 'it replays to the timeline of the live call'
      : `its replay DIFFERS from the live call: ${difference}`,
  ];
  return lines.map((line) => `${line}\n`).join('');
}
