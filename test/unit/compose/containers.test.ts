import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSettings } from '../../../src/compose/settings.ts';
import { EDGE_IDS, edgePort } from '../../../src/region/edge.ts';
import { REGION_IDS, REGIONS, type RegionId } from '../../../src/region/region.ts';
import { type ComposeService, composeFile, exampleEnvironment } from '../../support/compose-file.ts';

const root = join(import.meta.dirname, '../../..');
const example = exampleEnvironment();
const { services, volumes } = composeFile(example);

const everything = Object.entries(services);
const roles = everything.filter(([, { build }]) => build !== undefined);
/** The Region a service belongs to by its name, when it belongs to one. */
const regionOfName = (name: string) => REGION_IDS.find((id) => name.endsWith(`-${id}`));

function service(name: string): ComposeService {
  const found = services[name];
  if (!found) throw new Error(`docker-compose.yml has no service ${name}`);
  return found;
}

/** What the roles understand of a service's environment. */
const settingsOf = (name: string) => readSettings(service(name).environment).settings;

describe('docker-compose.yml', () => {
  it('has every role of every Region, and its stores', () => {
    const regional = REGION_IDS.flatMap((id) =>
      ['redis', 'minio', 'worker', 'region'].map((n) => `${n}-${id}`),
    );
    expect(Object.keys(services).sort()).toEqual([...regional, 'redis-global', 'edge', 'front'].sort());
  });

  it('wants exactly what .env.example has', () => {
    for (const name of Object.keys(example)) {
      const { [name]: _, ...others } = example;
      if (name === 'TRUNKLINE_INGRESS_ALLOW') expect(() => composeFile(others)).not.toThrow();
      else expect(() => composeFile(others), name).toThrow(name);
    }
  });

  it.each(roles)(
    '%s runs a role with settings that are all known and usable',
    (name, { command, environment }) => {
      const region = regionOfName(name);
      const [role] = name.split('-');
      expect(command).toEqual(region ? [role, '--region', region] : [role]);
      const { unknown } = readSettings(environment);
      expect(unknown).toEqual([]);
      const store = /^(GLOBAL_)?REDIS_URL(_|$)|^S3_|^TRUNKLINE_/;
      expect(Object.keys(environment).filter((variable) => !store.test(variable))).toEqual([]);
      expect(environment['TRUNKLINE_HOME']).toBeUndefined(); // the image's: /data
    },
  );

  it.each(everything)('%s belongs to one Region or to none, and names no other', (name, own) => {
    const region = regionOfName(name);
    if (name === 'edge' || name === 'front') return; // they serve every Region
    const said = JSON.stringify([own.environment, own.command, own.volumes, own.depends_on]);
    const withoutList = said.replace('us1,ie1,au1', ''); // TRUNKLINE_REGIONS decides the port of each
    for (const other of REGION_IDS.filter((id) => id !== region)) {
      expect(withoutList, other).not.toMatch(new RegExp(`[-_]${other}\\b`, 'i'));
    }
  });

  it('gives every role the secrets it works with and no others', () => {
    const secrets = (name: string) =>
      Object.keys(service(name).environment).filter((variable) =>
        /REDIS_URL|^S3_.*KEY|AUTH_TOKEN|CONTROL_SECRET/.test(variable),
      );
    const redis = (id: RegionId) => `REDIS_URL_${REGIONS[id].variable}`;
    for (const id of REGION_IDS) {
      const { variable } = REGIONS[id];
      const token = `TRUNKLINE_AUTH_TOKEN_${variable}`;
      expect(secrets(`worker-${id}`).sort()).toEqual(['TRUNKLINE_CONTROL_SECRET', token, redis(id)].sort());
      const keys = [`S3_ACCESS_KEY_ID_${variable}`, `S3_SECRET_ACCESS_KEY_${variable}`];
      expect(secrets(`region-${id}`).sort()).toEqual(['GLOBAL_REDIS_URL', token, redis(id), ...keys].sort());
    }
    expect(secrets('edge').sort()).toEqual(
      ['GLOBAL_REDIS_URL', 'TRUNKLINE_CONTROL_SECRET', ...REGION_IDS.map(redis)].sort(),
    );
    expect(secrets('front')).toEqual([]);
  });

  it('points every role at the stores of the same file, with their passwords', () => {
    const values = Object.fromEntries(
      Object.entries(example).map(([name]) => [name, `of${name}`.replaceAll('_', '')]),
    );
    const sid = { TRUNKLINE_ACCOUNT_SID: `AC${'0'.repeat(32)}`, TRUNKLINE_ADVERTISE: '192.0.2.1' };
    const filled = composeFile({ ...values, ...sid, TRUNKLINE_INGRESS_ALLOW: '::1' }).services;
    for (const [name, { environment }] of Object.entries(filled)) {
      for (const [variable, value] of Object.entries(environment)) {
        if (!/REDIS_URL|S3_ENDPOINT/.test(variable)) continue;
        const { hostname, port, password } = new URL(value);
        const store = filled[hostname];
        expect(store, `${name}: ${value}`).toBeDefined();
        expect(port).toBe(hostname.startsWith('redis') ? '6379' : '9000');
        if (hostname.startsWith('redis')) {
          expect(store?.command).toContain(password);
          expect(store?.environment['REDISCLI_AUTH']).toBe(password); // what the health check says
        } else {
          const { variable: suffix } = REGIONS[regionOfName(name) ?? 'us1'];
          expect(store?.environment).toEqual({
            MINIO_ROOT_USER: environment[`S3_ACCESS_KEY_ID_${suffix}`],
            MINIO_ROOT_PASSWORD: environment[`S3_SECRET_ACCESS_KEY_${suffix}`],
          });
        }
      }
    }
  });

  it('starts nothing before the stores it needs are healthy', () => {
    for (const [name, { environment, depends_on }] of roles) {
      const hosts = Object.entries(environment)
        .filter(([variable]) => /REDIS_URL|S3_ENDPOINT/.test(variable))
        .map(([, value]) => new URL(value).hostname);
      expect(Object.keys(depends_on).sort(), name).toEqual(hosts.sort());
    }
  });

  it('runs images of one version each', () => {
    const foreign = new Set(everything.flatMap(([, { build, image }]) => (build ? [] : [image])));
    expect([...foreign].sort()).toEqual([
      'quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z',
      expect.stringMatching(/^redis:\d+\.\d+-bookworm$/),
    ]);
  });

  it('keeps data in volumes it declares; a worker and its service share the spool', () => {
    for (const [name, { volumes: own }] of everything) {
      expect(own, name).toHaveLength(1);
      const [volume = '', path] = (own[0] ?? '').split(':');
      expect(path).toBe('/data');
      expect(volumes, name).toHaveProperty([volume]);
    }
    expect(
      Object.keys(volumes).filter((v) => !everything.some(([, s]) => s.volumes[0]?.startsWith(`${v}:`))),
    ).toEqual([]);
    for (const id of REGION_IDS)
      expect(service(`worker-${id}`).volumes).toEqual(service(`region-${id}`).volumes);
  });

  it.each(roles)('%s is asked for its health where it listens', (name, { healthcheck }) => {
    const url = /fetch\('([^']+)'\)/.exec(healthcheck.test.join(' '))?.[1];
    const { metrics, http, regions } = settingsOf(name);
    const region = regionOfName(name);
    const port = name.startsWith('region')
      ? http.port + 1 + regions.indexOf(region ?? 'us1')
      : name === 'front'
        ? http.port
        : metrics?.port;
    expect(url).toBe(`http://127.0.0.1:${port}/healthz`);
  });

  it('publishes the ports people use, the same inside and outside', () => {
    const published = (name: string) =>
      service(name).ports.flatMap((text) => {
        const [, from, to, inside, kind = 'tcp'] =
          /^([\d]+)(?:-(\d+))?:([\d-]+)(?:\/(\w+))?$/.exec(text) ?? [];
        expect(inside, text).toBe(to ? `${from}-${to}` : from); // SDP and Contact carry the inner port
        return [{ first: Number(from), last: Number(to ?? from), kind }];
      });
    const { sip, rtp, control } = settingsOf('edge');
    const open = (port: number, kind: string) =>
      published('edge').some((range) => range.kind === kind && range.first <= port && port <= range.last);
    for (const edge of EDGE_IDS) {
      expect(open(edgePort(edge, sip.port), 'udp') && open(edgePort(edge, sip.port), 'tcp'), edge).toBe(true);
      expect(edgePort(edge, sip.port)).not.toBe(control.port);
    }
    expect(open(rtp.first, 'udp') && open(rtp.last, 'udp')).toBe(true);
    expect(open(control.port, 'tcp')).toBe(false); // for workers alone
    for (const [name, port] of [
      ['front', 8080],
      ['region-us1', 8081],
      ['region-ie1', 8082],
      ['region-au1', 8083],
    ] as const)
      expect(published(name)).toEqual([{ first: port, last: port, kind: 'tcp' }]);
  });

  it('lets the front and the workers reach the Regions and edges by the names of this file', () => {
    const { regionUrl, regions, http } = settingsOf('front');
    for (const id of REGION_IDS)
      expect(regionUrl[id]).toBe(`http://region-${id}:${http.port + 1 + regions.indexOf(id)}`);
    expect(settingsOf('edge').control.host).toBe('edge');
    for (const name of ['edge', ...REGION_IDS.map((id) => `worker-${id}`)])
      expect(settingsOf(name).inner).toBe(name);
  });

  it('hands out URLs that belong to the Region, the same from its worker and its service', () => {
    for (const id of REGION_IDS) {
      const urls = [settingsOf(`worker-${id}`), settingsOf(`region-${id}`)].map(({ publicUrl }) => publicUrl);
      expect(urls).toEqual([`http://127.0.0.1:${8081 + REGION_IDS.indexOf(id)}`, urls[0]]);
    }
  });

  it('waits for draining calls before it ends a container', () => {
    for (const [name, { stop_grace_period }] of roles)
      expect(Number.parseInt(stop_grace_period ?? '', 10) * 1000, name).toBeGreaterThan(
        settingsOf(name).drainMs + 10_000,
      );
  });
});

describe('the image', () => {
  const lines = readFileSync(join(root, 'Dockerfile'), 'utf8').split('\n');
  const copied = lines.flatMap((line) => {
    const [, from, sources = ''] = /^COPY (--from=\S+ )?(.*) \S+$/.exec(line) ?? [];
    return from === undefined ? sources.split(' ').filter(Boolean) : [];
  });

  it('copies files that exist and that .dockerignore lets through', () => {
    const ignored = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n').filter(Boolean);
    expect(copied).toEqual(expect.arrayContaining(['package.json', 'package-lock.json', 'src', 'workers']));
    for (const name of copied) {
      expect(existsSync(join(root, name)), name).toBe(true);
      expect(ignored).not.toContain(name);
    }
    expect(ignored).toEqual(expect.arrayContaining(['node_modules', 'dist', '.git', '.trunkline', '.env']));
  });

  it('has everything the build reads', () => {
    const { extends: base, include } = JSON.parse(
      readFileSync(join(root, 'tsconfig.build.json'), 'utf8'),
    ) as {
      extends: string;
      include: string[];
    };
    expect(copied).toEqual(
      expect.arrayContaining(['tsconfig.build.json', base.replace('./', ''), ...include]),
    );
  });

  it('runs as a user of its own, who owns the data', () => {
    expect(lines).toContain('USER node');
    expect(lines).toContain('RUN mkdir /data && chown node:node /data');
    expect(lines.findIndex((line) => line.startsWith('VOLUME /data'))).toBeGreaterThan(
      lines.findIndex((line) => line.includes('chown')),
    );
    expect(lines.some((line) => /^ENV .*TRUNKLINE_HOME=\/data\b/.test(line))).toBe(true);
  });

  it('is of a Node that package.json allows', () => {
    const versions = lines.flatMap((line) => /^FROM node:(\d+)-bookworm-slim/.exec(line)?.[1] ?? []);
    expect(versions).toHaveLength(2);
    expect(versions.every((version) => Number(version) >= 20)).toBe(true);
  });
});
