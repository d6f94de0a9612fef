import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callCommand } from '../../src/bin/call/call-command.ts';
import { timelineEvent } from '../../src/call/timeline.ts';
import { noise, share } from '../support/alignment.ts';
import { freePorts } from '../support/free-port.ts';
import { notRun } from '../support/peers.ts';
import { startRedis } from '../support/redis.ts';
import { rgwMissing, startRgw } from '../support/rgw.ts';
import { twilioClient } from '../support/twilio-client.ts';
import { until } from '../support/until.ts';
import { writePcm } from '../support/wav-compare.ts';
import { WebhookApp } from '../support/webhook-app.ts';
import {
  ACCOUNT,
  containerEnvironment,
  type Installation,
  PORTS,
  portsFrom,
  REGIONS,
  type Region,
  token,
} from './support/containers.ts';
import { LoneRole } from './support/lone-role.ts';

const NUMBERS: Record<Region, string> = { us1: '+12025550171', ie1: '+353209155171' };
/** Every call enters at an edge far from its Region: one process per edge. */
const EDGES = { us1: 'dublin', ie1: 'ashburn' } as const;
const scratch = mkdtempSync(join(tmpdir(), 'trunkline-roles-'));

const missing = rgwMissing();
if (missing) notRun('The roles, each alone, with S3 stores', missing);
else {
  describe('the roles, each alone', () => {
    let installation: Installation;
    let app: WebhookApp;
    const roles = new Map<string, LoneRole>();
    const clients = new Map<Region, S3Client>();

    const environment = (service: string, edge?: 'ashburn' | 'dublin') =>
      containerEnvironment(installation, service, edge);
    const run = (args: string[], env: Record<string, string>) => new LoneRole(args, env);

    beforeAll(async () => {
      const [us1, ie1, global, s3] = await Promise.all([
        startRedis(),
        startRedis(),
        startRedis(),
        startRgw(),
      ]);
      installation = {
        redis: { us1, ie1, global },
        s3,
        keys: { us1: await s3.addUser('us1'), ie1: await s3.addUser('ie1') },
        ports: portsFrom(await freePorts(PORTS)),
        folder: scratch,
      };
      const { ports } = installation;
      app = await WebhookApp.start();
      for (const edge of ['dublin', 'ashburn'] as const)
        roles.set(edge, run(['edge', '--edge', edge], environment('edge', edge)));
      for (const region of REGIONS) {
        for (const role of ['worker', 'region'])
          roles.set(`${role}-${region}`, run([role, '--region', region], environment(`${role}-${region}`)));
      }
      roles.set('front', run(['front'], environment('front')));
      await Promise.all([...roles.values()].map((role) => role.ready()));
      const healthz = () =>
        fetch(`http://127.0.0.1:${ports.http}/healthz`).then(({ status }) => status === 200);
      await until('a healthy front', healthz);

      for (const region of REGIONS) {
        app.on(`/${region}/voice`, {
          body: `<Response><Record playBeep="false" maxLength="20" timeout="10" action="/${region}/recorded"/></Response>`,
        });
        app.on(`/${region}/recorded`, { body: '<Response><Hangup/></Response>' });
        await twilioClient(ports.region[region], ACCOUNT, token(region)).incomingPhoneNumbers.create({
          phoneNumber: NUMBERS[region],
          voiceUrl: app.url(`/${region}/voice`),
        });
      }
    }, 300_000);

    afterAll(async () => {
      for (const role of roles.values()) role.kill();
      await Promise.all([...roles.values()].map((role) => role.ended));
      for (const client of clients.values()) client.destroy();
      await app.stop();
      await Promise.all([...Object.values(installation.redis), installation.s3].map((store) => store.stop()));
      rmSync(scratch, { recursive: true, force: true });
    });

    /** The S3 client with one Region's own key. */
    const s3Of = (region: Region): S3Client => {
      const client =
        clients.get(region) ??
        new S3Client({
          endpoint: installation.s3.endpoint,
          region: 'us-east-1',
          forcePathStyle: true,
          credentials: installation.keys[region],
          requestChecksumCalculation: 'WHEN_REQUIRED',
          responseChecksumValidation: 'WHEN_REQUIRED',
        });
      clients.set(region, client);
      return client;
    };
    const keysOf = async (region: Region): Promise<string[]> => {
      const listed = await s3Of(region).send(new ListObjectsV2Command({ Bucket: `trunkline-${region}` }));
      return (listed.Contents ?? []).flatMap(({ Key }) => Key ?? []).sort();
    };
    const read = async (region: Region, key: string): Promise<Buffer> => {
      const { Body } = await s3Of(region).send(
        new GetObjectCommand({ Bucket: `trunkline-${region}`, Key: key }),
      );
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    };

    describe('take a call into each Region', () => {
      const message = noise(2);
      const played = join(scratch, 'message.wav');

      beforeAll(async () => {
        writePcm(played, message);
        const call = (region: Region) => {
          const way = ['--edge', EDGES[region], '--from', `+1555010000${REGIONS.indexOf(region)}`];
          const script = ['--play', played, '--press', '#', '--max', '60s'];
          return callCommand([NUMBERS[region], ...way, ...script], {
            stdout: { write: () => {} },
            sip: `127.0.0.1:${installation.ports.sip}`,
          });
        };
        expect(await Promise.all(REGIONS.map(call))).toEqual([0, 0]);
        // The recording's metadata is written last.
        for (const region of REGIONS) {
          const stored = async () => (await keysOf(region)).some((key) => /RE\w+\.json$/.test(key));
          await until(`the recording in the bucket of ${region}`, stored);
          const record = async () => (await keysOf(region)).some((key) => /CA\w+\.json$/.test(key));
          await until(`the record in the bucket of ${region}`, record);
        }
      });

      it.each(REGIONS)(
        '%s: record, timeline and recording lie in its bucket, and nothing else',
        async (region) => {
          const keys = await keysOf(region);
          const day = /^accounts\/AC7{32}\/calls\/\d{4}\/\d\d\/\d\d\//;
          expect(keys).toEqual([
            expect.stringMatching(/CA[0-9a-f]{32}\.events\.jsonl$/),
            expect.stringMatching(/CA[0-9a-f]{32}\.json$/),
            expect.stringMatching(/^accounts\/AC7{32}\/recordings\/RE[0-9a-f]{32}\.json$/),
            expect.stringMatching(/^accounts\/AC7{32}\/recordings\/RE[0-9a-f]{32}\.wav$/),
          ]);
          const [events = '', record = '', recording = '', wav = ''] = keys;
          expect(events).toMatch(day);
          expect(record).toMatch(day);
          const call: unknown = JSON.parse((await read(region, record)).toString());
          expect(call).toMatchObject({
            region,
            to: NUMBERS[region],
            ingress_edge: EDGES[region],
            status: 'completed',
            worker: expect.stringMatching(new RegExp(`^worker-${region}-`)),
          });
          const timeline = (await read(region, events)).toString().trimEnd().split('\n');
          const types = timeline.map((line) => timelineEvent.parse(JSON.parse(line)).type);
          expect(types[0]).toBe('call-received');
          expect(types).toEqual(expect.arrayContaining(['taken', 'webhook', 'answered', 'call-ended']));
          expect(JSON.parse((await read(region, recording)).toString())).toMatchObject({
            region,
            status: 'completed',
          });
          const audio = await read(region, wav);
          const samples = new Int16Array(audio.buffer, audio.byteOffset + 44, (audio.length - 44) >> 1);
          expect(share(message, samples)).toBeGreaterThan(0.75);
          expect(app.seen.filter(({ path }) => path.startsWith(`/${region}/`))).toHaveLength(2);
        },
      );

      it("a Region's key opens no other Region's bucket", async () => {
        const foreign = new ListObjectsV2Command({ Bucket: 'trunkline-ie1' });
        await expect(s3Of('us1').send(foreign)).rejects.toMatchObject({ name: 'AccessDenied' });
      });

      it('the spool is empty again, and no role keeps objects or secrets of its own', () => {
        for (const region of REGIONS) {
          expect(readdirSync(join(scratch, `region-${region}/spool/${region}`))).toEqual([]);
          expect(readdirSync(join(scratch, `region-${region}`)).sort()).toEqual(['run', 'spool']);
        }
        for (const home of ['edge-dublin', 'edge-ashburn', 'front'])
          expect(readdirSync(join(scratch, home))).toEqual(['run']);
      });

      it('the official client finds the call through the front, by host name', async () => {
        for (const region of REGIONS) {
          const place = { edge: 'dublin', region };
          const [call] = await twilioClient(
            installation.ports.http,
            ACCOUNT,
            token(region),
            place,
          ).calls.list();
          expect(call).toMatchObject({ to: NUMBERS[region], status: 'completed' });
        }
      });
    });

    it('answer for their health and count what they do', async () => {
      const get = async (port: number, path: string) => {
        const response = await fetch(`http://127.0.0.1:${port}${path}`);
        return { status: response.status, text: await response.text() };
      };
      const { metrics, region, http } = installation.ports;
      for (const port of [...Object.values(metrics), ...Object.values(region), http]) {
        expect(await get(port, '/healthz')).toMatchObject({ status: 200 });
        expect((await get(port, '/metrics')).text).toContain('process_cpu_seconds_total');
      }
      for (const [own, place] of Object.entries(EDGES)) {
        const edge = place === 'dublin' ? metrics.dublin : metrics.ashburn;
        expect((await get(edge, '/metrics')).text).toMatch(
          new RegExp(`^trunkline_calls_received_total\\{.*edge="${place}".*\\} 1$`, 'm'),
        );
        expect((await get(own === 'us1' ? metrics.us1 : metrics.ie1, '/metrics')).text).toMatch(
          /^trunkline_calls_answered_total\{.*\} 1$/m,
        );
      }
    });

    describe('say in one line why they cannot start, and end with 1', () => {
      const changed = (service: string, change: Record<string, string | undefined>, edge?: 'dublin') => {
        const all = { ...environment(service, edge), ...change };
        return Object.fromEntries(
          Object.entries(all).filter((one): one is [string, string] => one[1] !== undefined),
        );
      };
      const spare = () => `127.0.0.1:${installation.ports.spare}`;

      it.each<[string, string[], () => Record<string, string>, RegExp]>([
        [
          'a worker without its Redis',
          ['worker', '--region', 'us1'],
          () => changed('worker-us1', { REDIS_URL_US1: undefined }),
          /REDIS_URL_US1/,
        ],
        [
          'an edge without the Redis of a Region',
          ['edge', '--edge', 'dublin'],
          () => changed('edge', { REDIS_URL_IE1: undefined }, 'dublin'),
          /REDIS_URL_IE1/,
        ],
        [
          'an edge without the global Redis',
          ['edge'],
          // Without a name of its own it would be that of us1.
          () => changed('edge', { GLOBAL_REDIS_URL: undefined, REDIS_URL_US1: undefined }, 'dublin'),
          /GLOBAL_REDIS_URL/,
        ],
        [
          'a service without the global Redis',
          ['region', '--region', 'ie1'],
          () => changed('region-ie1', { GLOBAL_REDIS_URL: undefined }),
          /GLOBAL_REDIS_URL/,
        ],
        [
          'a service with half an S3 key',
          ['region', '--region', 'ie1'],
          () => changed('region-ie1', { S3_SECRET_ACCESS_KEY_IE1: undefined }),
          /S3_SECRET_ACCESS_KEY_IE1/,
        ],
        [
          'a service whose port is taken',
          ['region', '--region', 'us1'],
          () => changed('region-us1', {}),
          /TCP 127\.0\.0\.1:\d+, .*us1.* is taken.*TRUNKLINE_HTTP/,
        ],
        ['a front whose port is taken', ['front'], () => changed('front', {}), /is taken.*TRUNKLINE_HTTP/],
        [
          'an edge whose control port is taken',
          ['edge', '--edge', 'dublin'],
          () => changed('edge', { TRUNKLINE_SIP: spare() }, 'dublin'),
          /is taken.*TRUNKLINE_CONTROL/,
        ],
        [
          'an edge whose SIP port is taken',
          ['edge', '--edge', 'dublin'],
          () => changed('edge', { TRUNKLINE_CONTROL: spare() }, 'dublin'),
          /edge dublin, is taken.*TRUNKLINE_SIP/,
        ],
        [
          'a worker whose metrics port is taken',
          ['worker', '--region', 'us1'],
          () => changed('worker-us1', {}),
          /is taken.*TRUNKLINE_METRICS/,
        ],
        [
          'a worker whose own name cannot be resolved',
          ['worker', '--region', 'us1'],
          () => changed('worker-us1', { TRUNKLINE_INNER: 'nowhere.invalid' }),
          /TRUNKLINE_INNER.*nowhere\.invalid/,
        ],
        [
          'a worker of an unknown Region',
          ['worker', '--region', 'de1'],
          () => changed('worker-us1', {}),
          /'de1'.*us1, ie1/,
        ],
        [
          'a service of an unknown Region',
          ['region', '--region', 'de1'],
          () => changed('region-us1', {}),
          /'de1'.*us1, ie1/,
        ],
        [
          'an unknown edge',
          ['edge', '--edge', 'atlantis'],
          () => changed('edge', {}, 'dublin'),
          /"atlantis".*ashburn/,
        ],
      ])('%s', async (_, args, env, words) => {
        const { code, lines } = await run(args, env()).ended;
        expect(lines).toEqual([expect.stringMatching(words)]);
        expect(code).toBe(1);
      });
    });

    it('end with 0 on SIGTERM and take their pid files along', async () => {
      const ended = await Promise.all(
        [...roles].map(async ([name, role]) => [name, (await role.stop()).code] as const),
      );
      expect(ended.filter(([, code]) => code !== 0)).toEqual([]);
      const homes = readdirSync(scratch, { withFileTypes: true }).filter((entry) => entry.isDirectory());
      for (const { name } of homes) expect(readdirSync(join(scratch, name, 'run')), name).toEqual([]);
      const grumbling = [...roles].flatMap(([name, { lines }]) =>
        lines.filter((line) => /"level":"(error|fatal)"/.test(line)).map((line) => `${name}: ${line}`),
      );
      expect(grumbling).toEqual([]);
    });
  });
}
