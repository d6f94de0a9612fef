import type { TimelineEvent } from '../../call/timeline.ts';
import { isRegisteredAddress } from '../../config/registered-address.ts';
import { parseUri } from '../../sip/message/uri.ts';
import { createdTarget } from '../../twiml/interpreter/created-call.ts';
import { callsOf, type ExportedCall, type ToldCall } from './exported-call.ts';
import { writeCreation } from './exported-creation.ts';
import type { ExportedStep } from './exported-steps.ts';
import type { ExportedApplication } from './exported-webhooks.ts';

/** A step with its time: milliseconds since the call of its party began. */
export interface PlacedStep extends Pick<ExportedStep, 'party' | 'by' | 'step'> {
  readonly time: number;
}

/** A scenario as YAML has it. */
export type WrittenScenario = Readonly<Record<string, unknown>>;

/** Where a call went whose application was never asked, or did not answer before the call was over. */
const UNKNOWN_URL = 'http://app.test/voice';

/** The base domain of the world that a scenario is replayed in. */
const BASE_DOMAIN = 'trunkline.localhost';

/** `scenario.yaml` of a call: its parties do these steps. */
export function writeScenario(
  call: ExportedCall,
  { webhooks }: ExportedApplication,
  placed: readonly PlacedStep[],
  shows: string,
): WrittenScenario {
  const [root, ...dialled] = callsOf(call);
  const created = root?.created;
  const does = (sid: string, by: ExportedStep['by'] = 'party') =>
    placed
      .filter((step) => step.party === sid && step.by === by)
      .map(({ time, step }) => ({ at: `${Math.round(time)}ms`, ...step }));
  const rung = dialled.filter(({ dialled: to }) => to && !to.to.startsWith('AP'));
  const parties = root && created ? [root, ...rung] : rung;
  const devices = parties.filter(isDevice);
  const optional: Record<string, readonly unknown[]> = {
    webhooks: created ? webhooks : [...unanswered(root, webhooks), ...webhooks],
    caller: created ? [] : does(call.sid),
    callees: parties
      .filter((party) => !isDevice(party))
      .map((party) => ({ address: addressOf(party), does: does(party.sid) })),
    domains: [...new Set(devices.filter(hasDomain).map((party) => aorOf(party).split('@')[1] ?? ''))].map(
      (name) => ({ name }),
    ),
    registrations: devices.flatMap((party) => registrationsOf(party, does(party.sid))),
    applications: applicationsOf(dialled),
    orders: does(call.sid, 'api'),
  };
  const filled = Object.entries(optional).filter(([, list]) => list.length > 0);
  const { region, from, to } = call;
  const begins = created ? { created: writeCreation(created) } : { voice: voiceOf(root?.events ?? []) };
  const speech = speechOf(call);
  return { shows, region, from, to, ...begins, ...speech, ...Object.fromEntries(filled) };
}

/** The application that a call's number has and that did not answer before the call was over. */
function unanswered(root: ToldCall | undefined, webhooks: ExportedApplication['webhooks']) {
  const { url } = voiceOf(root?.events ?? []);
  const isAnswered = url === '' || webhooks.some((webhook) => webhook.url === bare(url));
  return isAnswered ? [] : [{ url: bare(url), answers: [{ body: '', delay: '60s' }] }];
}

/** Whom a call that we made was made to: a number or a URI. */
function addressOf({ dialled, created }: ToldCall): string {
  const to = created?.to ?? dialled?.to ?? '';
  const target = created ? createdTarget({ to, credentials: null }).target : undefined;
  return target?.kind === 'sip' ? target.uri : to;
}

function bare(url: string): string {
  const parsed = new URL(url);
  for (const part of ['search', 'hash', 'username', 'password'] as const) parsed[part] = '';
  return parsed.href;
}

/** What the number was configured with, as far as the call shows it. */
function voiceOf(events: readonly TimelineEvent[]) {
  const first = events.find((event) => event.type === 'webhook' && event.purpose === 'document');
  const fallback = events.find((event) => event.type === 'webhook' && event.purpose === 'fallback');
  if (first?.type !== 'webhook')
    return { url: unconfigured(events) ? '' : UNKNOWN_URL, ...statusCallbackOf(events) };
  const [method, login] = [first.method === 'GET' ? { method: 'GET' } : {}, loggedIn(events, first)];
  return {
    url: login
      ? first.url.replace('://', '://user:***@')
      : withoutParameters(first.url, first.method) + retried(events, first),
    ...method,
    ...(fallback?.type === 'webhook' && {
      fallbackUrl: withoutParameters(fallback.url, fallback.method),
      ...(fallback.method === 'GET' && { fallbackMethod: 'GET' }),
    }),
    ...statusCallbackOf(events),
  };
}

/** Where the number has the end of its calls told. */
function statusCallbackOf(events: readonly TimelineEvent[]) {
  const told = events.find((event) => event.type === 'webhook' && event.purpose === 'status-callback');
  if (told?.type !== 'webhook') return {};
  return {
    statusCallback: withoutParameters(told.url, told.method),
    ...(told.method === 'GET' && { statusCallbackMethod: 'GET' }),
  };
}

/** The number has no voice URL. */
function unconfigured(events: readonly TimelineEvent[]): boolean {
  return events.some((event) => event.type === 'diagnostic' && event.code === 11100);
}

/** The connection override that has the first request repeated as often as it was. */
function retried(events: readonly TimelineEvent[], first: TimelineEvent): string {
  if (first.type !== 'webhook' || (first.status ?? 500) < 400) return '';
  const repeated = events
    .slice(events.indexOf(first) + 1)
    .findIndex(
      (event, index) => event.type !== 'webhook' || event.attempt !== index + 2 || event.url !== first.url,
    );
  return repeated > 0 ? `#rc=${repeated}&rp=all` : '';
}

/** Claims that the first request was repeated with a login. */
function loggedIn(events: readonly TimelineEvent[], first: TimelineEvent): boolean {
  const next = events[events.indexOf(first) + 1];
  if (first.type !== 'webhook' || next?.type !== 'webhook') return false;
  return first.status === 401 && next.attempt === 2 && next.url === first.url;
}

/** The address of a GET carries the parameters of the call, behind those of its own. */
function withoutParameters(url: string, method: string): string {
  return method === 'GET' ? url.replace(/[?&]CallSid=.*$/, '') : url;
}

const isDevice = (party: ToldCall) => isRegisteredAddress(addressOf(party), BASE_DOMAIN);

/** The domain of a device may be unknown, or a stranger's. */
const hasDomain = ({ events }: ToldCall) =>
  !events.some((event) => event.type === 'diagnostic' && [32002, 32214].includes(event.code));

/** `user@name` of a registered address. */
function aorOf(party: ToldCall): string {
  const uri = parseUri(addressOf(party));
  return `${uri?.user ?? ''}@${uri?.host.split('.')[0] ?? ''}`;
}

/**
 * The devices that were rung. Which of several did something is not told: the first one, and refusals are everybody's,
 * for otherwise the call would have gone on.
 */
function registrationsOf(party: ToldCall, does: readonly object[]) {
  const placed = party.events.filter(({ type }) => type === 'call-placed');
  const aor = aorOf(party);
  return placed.map((_, index) => ({
    aor,
    does: index === 0 ? does : does.filter((step) => 'refuse' in step),
  }));
}

/** Diagnostics that say who understands speech: nobody does, or what should fails. */
const SPEECH: readonly (readonly [code: number, speech: 'none' | 'fails'])[] = [
  [13343, 'none'],
  [13619, 'none'],
  [13340, 'fails'],
  [13620, 'fails'],
];

function speechOf({ timelines }: ExportedCall): { readonly speech?: 'none' | 'fails' } {
  const told = [...timelines.values()].flat();
  const found = SPEECH.find(([code]) =>
    told.some((event) => event.type === 'diagnostic' && event.code === code),
  );
  return found ? { speech: found[1] } : {};
}

function applicationsOf(dialled: readonly ToldCall[]) {
  const known = new Map<string, object>();
  for (const { dialled: to, events } of dialled) {
    if (!to?.to.startsWith('AP') || known.has(to.to)) continue;
    const isKnown = events.some(({ type }) => type === 'webhook') || unconfigured(events);
    if (!isKnown) continue; // there was no such application to call
    const { url, ...more } = voiceOf(events);
    const { method, fallbackUrl }: { method?: string; fallbackUrl?: string } = more;
    known.set(to.to, {
      sid: to.to,
      voiceUrl: url,
      ...(method !== undefined && { voiceMethod: method }),
      ...(fallbackUrl !== undefined && { voiceFallbackUrl: fallbackUrl }),
    });
  }
  return [...known.values()];
}
