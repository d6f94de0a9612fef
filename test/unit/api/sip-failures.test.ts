import { beforeEach, describe, expect, it } from 'vitest';
import type { RegionOptions } from '../../../src/api/region-options.ts';
import { mappingsOf } from '../../../src/config/sip.ts';
import { SipWorld } from './sip-world.ts';
import { ACCOUNT } from './support/region.ts';
import { type Form, Rest } from './support/rest.ts';

let sip: SipWorld;

beforeEach(() => {
  sip = new SipWorld();
});

/** Counts what is done to stores, and lets nothing through from the `fatal`th on: as a process that is killed there. */
class Steps {
  taken = 0;

  constructor(readonly fatal: number) {}

  /** A store whose methods are steps. */
  of<T extends object>(store: T): T {
    return new Proxy(store, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          if (++this.taken >= this.fatal) return Promise.reject(new Error('killed here'));
          return Reflect.apply(value, target, args);
        };
      },
    });
  }

  options({ config, names, routes }: RegionOptions): Partial<RegionOptions> {
    const { records } = config;
    const stepwise = {
      ...records,
      domains: this.of(records.domains),
      mappings: this.of(records.mappings),
      accessLists: this.of(records.accessLists),
      addresses: this.of(records.addresses),
      credentialLists: this.of(records.credentialLists),
      credentials: this.of(records.credentials),
    };
    return {
      config: { ...config, records: stepwise, registrations: this.of(config.registrations) },
      names: this.of(names),
      routes: this.of(routes),
    };
  }
}

/** Asks ie1 again and again, each time killed one step later, until a request gets through. */
async function killedAtEveryStep(
  ask: (rest: Rest) => PromiseLike<{ status: number; body: { message?: string } }>,
  between: () => Promise<void> = async () => {},
): Promise<{ status: number; body: { message?: string } }> {
  for (let fatal = 1; fatal < 200; fatal++) {
    const steps = new Steps(fatal);
    const rest = new Rest(sip.regions.ie1, steps.options(sip.regions.ie1.options()));
    const answer = await ask(rest);
    if (steps.taken < fatal) return answer;
    expect(answer.status).toBe(500);
    await between();
  }
  throw new Error('never got through');
}

const recordsOf = () => sip.regions.ie1.config.records;

describe('a process that is killed', () => {
  it('while it creates a domain leaves what the next attempt completes', async () => {
    const form = { DomainName: 'acme.sip.twilio.com', VoiceUrl: 'https://example.com/' };
    // The step after the record is written is the answer's own reading: such a domain exists.
    const last = async () => {
      const [made] = await recordsOf().domains.list(ACCOUNT);
      if (made) await sip.remove('ie1', `Domains/${made.sid}`);
    };
    const { status } = await killedAtEveryStep((rest) => rest.post(sip.path('Domains'), form), last);
    expect(status).toBe(201);
    expect(await recordsOf().domains.count(ACCOUNT)).toBe(1);
    expect(await sip.world.names.regionsOf('sip-domain', 'acme')).toEqual(['ie1']);
    expect(await sip.route('acme')).toMatchObject({ voiceRegion: 'ie1', accountSid: ACCOUNT });
  });

  it('while it deletes a domain leaves what the next attempt completes', async () => {
    const domain = await sip.domain('ie1', 'acme');
    const acl = await sip.list('ie1', 'IpAccessControlLists');
    const cl = await sip.list('ie1', 'CredentialLists');
    const map = (path: string, form: Form) => sip.post('ie1', `${domain}/${path}`, form);
    await map('IpAccessControlListMappings', { IpAccessControlListSid: acl });
    await map('Auth/Calls/CredentialListMappings', { CredentialListSid: cl });
    await map('Auth/Registrations/CredentialListMappings', { CredentialListSid: cl });
    const domainSid = domain.split('/')[1] ?? '';
    let gone = false;
    const { status } = await killedAtEveryStep(
      (rest) => rest.delete(sip.path(domain)),
      async () => {
        gone = (await recordsOf().domains.fetch(domainSid)) === undefined;
        // Whoever still sees the domain can go on; when it is gone, nothing of it may be left.
        if (!gone) return;
        expect(await sip.world.names.ownerOf('sip-domain', 'acme')).toBeUndefined();
        expect(await sip.route('acme')).toBeUndefined();
        expect(await mappingsOf(recordsOf().mappings, domainSid)).toEqual([]);
      },
    );
    expect(status).toBe(gone ? 404 : 204);
    expect(await recordsOf().domains.list(ACCOUNT)).toEqual([]);
    expect(await mappingsOf(recordsOf().mappings, domainSid)).toEqual([]);
    expect(await sip.world.names.ownerOf('sip-domain', 'acme')).toBeUndefined();
    expect(await sip.route('acme')).toBeUndefined();
    await sip.domain('us1', 'acme');
  });

  it('while it renames a domain leaves what the next attempt completes', async () => {
    const domain = await sip.domain('ie1', 'acme');
    const { status } = await killedAtEveryStep((rest) =>
      rest.post(sip.path(domain), { DomainName: 'new.sip.twilio.com' }),
    );
    expect(status).toBe(200);
    expect((await sip.get('ie1', domain)).body.domain_name).toBe('new.sip.twilio.com');
    expect(await sip.world.names.ownerOf('sip-domain', 'acme')).toBeUndefined();
    expect(await sip.world.names.regionsOf('sip-domain', 'new')).toEqual(['ie1']);
    expect([await sip.route('acme'), (await sip.route('new'))?.voiceRegion]).toEqual([undefined, 'ie1']);
  });

  it.each([
    ['IpAccessControlLists', 'IpAddresses', { FriendlyName: 'a', IpAddress: '192.0.2.1' }],
    ['CredentialLists', 'Credentials', { Username: 'alice', Password: 'IWasAtSignal2018' }],
  ] as const)(
    'while it deletes one of %s leaves what the next attempt completes',
    async (kind, members, form) => {
      const list = await sip.list('ie1', kind);
      await sip.post('ie1', `${kind}/${list}/${members}`, form);
      const records = kind === 'CredentialLists' ? recordsOf().credentials : recordsOf().addresses;
      const lists = kind === 'CredentialLists' ? recordsOf().credentialLists : recordsOf().accessLists;
      await killedAtEveryStep(
        (rest) => rest.delete(sip.path(`${kind}/${list}`)),
        async () => {
          if (!(await lists.fetch(list))) expect(await records.list(list)).toEqual([]);
        },
      );
      expect([await lists.list(ACCOUNT), await records.list(list)]).toEqual([[], []]);
    },
  );
});
