import { chmod, mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Ids } from '../core/ids.ts';
import { REGION_IDS, type RegionId } from '../region/region.ts';
import { type Settings, SettingsError } from './settings.ts';

/** The first account and the secrets between our own processes, as far as this process needs them. */
export interface Credentials {
  readonly accountSid: string;
  /** An auth token is valid in its own Region alone, and known to that Region's processes alone. */
  readonly authTokens: ReadonlyMap<RegionId, string>;
  /** '' in a process that is no end of the control channel. */
  readonly controlSecret: string;
}

/** What a process needs: the tokens of these Regions, and whether it is an end of the control channel. */
export interface CredentialNeeds {
  readonly regions: readonly RegionId[];
  readonly control: boolean;
}

const secret = z.string().min(1);
const stored = z.object({
  accountSid: z.string().regex(/^AC[0-9a-f]{32}$/, 'expected AC and 32 of 0-9 a-f'),
  authTokens: z.record(z.enum(REGION_IDS), secret),
  controlSecret: secret,
});

type Kept = z.infer<typeof stored>;

/**
 * The credentials of this home: what the environment says, else what `credentials.json` keeps, else new ones.
 * The file is read only when the environment leaves out something that is needed; when it is missing it is
 * written, readable by its owner alone.
 */
export async function loadCredentials(
  settings: Settings,
  ids: Ids,
  needs: CredentialNeeds,
): Promise<Credentials> {
  const { accountSid } = settings;
  const controlSecret = needs.control ? settings.controlSecret : '';
  const given = needs.regions.map((id) => [id, settings.region[id].authToken] as const);
  const complete = given.flatMap(([id, token]) => (token === undefined ? [] : [[id, token] as const]));
  if (accountSid && controlSecret !== undefined && complete.length === needs.regions.length) {
    return { accountSid, controlSecret, authTokens: new Map(complete) };
  }
  const path = join(settings.home, 'credentials.json');
  await mkdir(settings.home, { recursive: true });
  const kept = (await readKept(path)) ?? (await create(path, ids));
  return {
    accountSid: accountSid ?? kept.accountSid,
    controlSecret: controlSecret ?? kept.controlSecret,
    authTokens: new Map(given.map(([id, token]) => [id, token ?? kept.authTokens[id]])),
  };
}

async function readKept(path: string): Promise<Kept | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return stored.parse(JSON.parse(text));
  } catch (error) {
    throw new SettingsError(
      `${path} cannot be read as credentials (${wrong(error)}): ` +
        'restore it from a copy, or remove it to have new ones made',
    );
  }
}

async function create(path: string, ids: Ids): Promise<Kept> {
  const tokens = REGION_IDS.map((id) => [id, ids.token(16)]);
  const made: Kept = {
    accountSid: ids.sid('AC'),
    authTokens: Object.fromEntries(tokens) as Record<RegionId, string>, // one entry per REGION_IDS
    controlSecret: ids.token(32),
  };
  const temporary = `${path}.${ids.token(4)}`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(made, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await chmod(path, 0o600);
  return made;
}

/** A Region's auth token in a process that serves that Region. */
export function tokenOf(credentials: Credentials, region: RegionId): string {
  const token = credentials.authTokens.get(region);
  if (token === undefined) throw new Error(`this process has no auth token of ${region}`);
  return token;
}

function wrong(error: unknown): string {
  if (!(error instanceof z.ZodError)) return error instanceof Error ? error.message : String(error);
  return error.issues.map(({ path, message }) => `${path.join('.') || 'the whole'}: ${message}`).join('; ');
}
