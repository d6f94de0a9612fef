import { restHost } from '../../region/host-names.ts';
import { REGION_IDS, type RegionId } from '../../region/region.ts';
import type { Finding } from './finding.ts';
import { errorOf, type Login, type RegionServices, type Reply } from './region-services.ts';

const EDGE = 'a credential belongs to a Region; edges take none';

/** Answered to whoever a Region lets in, and with nothing about anybody. */
const HARMLESS = '/trunkline/v1/Connections';

/** What stands in for a secret. */
const HIDDEN = '(secret not shown)';

/** Claims that a text looks like a credential, well made or not: it must not be shown as it is. */
export function isCredential(text: string): boolean {
  return /^(AC|SK)[0-9a-z]{6,}/i.test(text) || /^[0-9a-f]{32}$/i.test(text) || /^(AC|SK)[^.@]*:/i.test(text);
}

/** `AC…`, `AC…:token`, `SK…` or `SK…:secret`: which Regions of the running installation accept it. */
export async function examineCredential(text: string, services: RegionServices): Promise<Finding> {
  const colon = text.indexOf(':');
  const [sid, password] = colon < 0 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)];
  const subject = colon < 0 ? sid : `${sid}:${HIDDEN}`;
  if (/^[0-9a-f]{32}$/i.test(text))
    return unreadable(HIDDEN, 'A secret alone names nobody: write SID:secret.');
  if (!/^(AC|SK)[0-9a-f]{32}$/.test(sid)) {
    const expected = 'expected AC or SK and 32 of 0-9 a-f, then a colon and the secret';
    return unreadable(subject, `'${sid.slice(0, 34)}' is no SID of an account or a key: ${expected}.`);
  }
  if (password === '') return unreadable(subject, `Nothing follows the colon: expected ${sid}:secret.`);
  if (password !== undefined) {
    const replies = await services.askAll(HARMLESS, (): Login => ({ user: sid, password }));
    return judged(subject, replies, services);
  }
  return sid.startsWith('SK') ? key(sid, services) : account(sid, services);
}

function unreadable(subject: string, problem: string): Finding {
  const region = { id: null, why: 'nothing was asked' };
  return {
    subject,
    kind: 'credential',
    edge: { id: null, why: EDGE },
    region,
    problems: [problem],
    notes: [],
  };
}

/** An account's SID is global; with the tokens of this home its Regions can be asked all the same. */
async function account(sid: string, services: RegionServices): Promise<Finding> {
  const own = services.installation.account;
  if (own?.sid !== sid) {
    const why = 'an account is the same in every Region; its auth token is regional';
    const note = `No token of ${sid} is known here: write ${sid}:token to see which Regions accept it.`;
    const region = { id: null, why };
    return {
      subject: sid,
      kind: 'credential',
      edge: { id: null, why: EDGE },
      region,
      problems: [],
      notes: [note],
    };
  }
  const subject = `${sid}, with the auth tokens of this home`;
  return judged(subject, (await services.askOwn(() => HARMLESS)) ?? [], services);
}

/** A key without its secret: which Regions have it, as far as the first account can see. */
async function key(sid: string, services: RegionServices): Promise<Finding> {
  const replies = await services.askOwn((own) => `/2010-04-01/Accounts/${own}/Keys/${sid}.json`);
  if (!replies) {
    return unreadable(
      sid,
      `No account of this installation is known here: write ${sid}:secret to ask its Regions.`,
    );
  }
  return judged(sid, replies, services);
}

function judged(subject: string, replies: readonly Reply[], services: RegionServices): Finding {
  const { domain } = services.installation;
  const heard = replies.flatMap((reply) => ('silent' in reply ? [] : [reply]));
  const taken = heard.filter(accepts).map(({ region }) => region);
  const [only] = taken;
  return {
    subject,
    kind: 'credential',
    edge: { id: null, why: EDGE },
    region: { id: taken.length === 1 && only ? only : null, why: regionWhy(taken, heard.length) },
    problems: taken.length > 0 ? [] : [nobody(replies)],
    notes: [...replies.map(said), ...taken.map((region) => use(region, domain))],
  };
}

function accepts(reply: Exclude<Reply, { silent: string }>): boolean {
  return reply.status >= 200 && reply.status < 300;
}

function regionWhy(taken: readonly RegionId[], heard: number): string {
  if (taken.length > 1) return `${taken.join(', ')} accept it`;
  if (taken.length === 1) return `${taken[0]} accepts it, and no other that was asked`;
  return heard > 0 ? 'no Region that was asked accepts it' : 'no Region could be asked';
}

function nobody(replies: readonly Reply[]): string {
  const missing = REGION_IDS.filter((id) => {
    const reply = replies.find(({ region }) => region === id);
    return !reply || 'silent' in reply;
  });
  const silent = missing.length > 0 ? ` ${missing.join(', ')} could not be asked.` : '';
  return (
    `No Region that was asked accepts it.${silent} Credentials are regional: a key or token works in the Region it was ` +
    'made in and nowhere else; look for one of the Region you want, or make one there.'
  );
}

function said(reply: Reply): string {
  if ('silent' in reply) return `${reply.region} was not asked: ${reply.silent}.`;
  if (reply.status === 404) return `${reply.region} does not have it.`;
  return accepts(reply) ? `${reply.region} accepts it.` : `${reply.region} refuses it (${errorOf(reply)}).`;
}

function use(region: RegionId, domain: string): string {
  return `With ${region} use the host ${restHost('api', region, domain)}.`;
}
