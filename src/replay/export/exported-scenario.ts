import type { TimelineEvent } from '../../call/timeline.ts';
import { isRegisteredAddress } from '../../config/registered-address.ts';
import { parseUri } from '../../sip/message/uri.ts';
import { callsOf, type ExportedCall, type ToldCall } from './exported-call.ts';
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
  const does = (sid: string, by: ExportedStep['by'] = 'party') =>
    placed
      .filter((step) => step.party === sid && step.by === by)
      .map(({ time, step }) => ({ at: `${Math.round(time)}ms`, ...step }));
  const voice = voiceOf(root?.events ?? []);
  const isAnswered = webhooks.some(({ url }) => voice.url !== '' && url === bare(voice.url));
  const rung = dialled.filter(({ dialled: to }) => to && !to.to.startsWith('AP'));
  const devices = rung.filter(isDevice);
  const answered = voice.url === '' || isAnswered;
  const optional: Record<string, readonly unknown[]> = {
    webhooks: answered
      ? webhooks
      : [{ url: bare(voice.url), answers: [{ body: '', delay: '60s' }] }, ...webhooks],
    caller: does(call.sid),
    callees: rung
      .filter((child) => !isDevice(child))
      .map((child) => ({ address: child.dialled?.to ?? '', does: does(child.sid) })),
    domains: [...new Set(devices.filter(hasDomain).map((child) => aorOf(child).split('@')[1] ?? ''))].map(
      (name) => ({ name }),
    ),
    registrations: devices.filter(isPlaced).map((child) => ({ aor: aorOf(child), does: does(child.sid) })),
    applications: applicationsOf(dialled),
    orders: does(call.sid, 'api'),
  };
  const filled = Object.entries(optional).filter(([, list]) => list.length > 0);
  const { region, from, to } = call;
  return { shows, region, from, to, voice, ...Object.fromEntries(filled) };
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
  if (first?.type !== 'webhook') return { url: unconfigured(events) ? '' : UNKNOWN_URL };
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

const isDevice = ({ dialled }: ToldCall) => isRegisteredAddress(dialled?.to ?? '', BASE_DOMAIN);

/** Of a device that is not registered nothing was called; its domain may be unknown, or a stranger's. */
const isPlaced = ({ events }: ToldCall) => events.some(({ type }) => type === 'call-placed');
const hasDomain = ({ events }: ToldCall) =>
  !events.some((event) => event.type === 'diagnostic' && [32002, 32214].includes(event.code));

/** `user@name` of a registered address. */
function aorOf({ dialled }: ToldCall): string {
  const uri = parseUri(dialled?.to ?? '');
  return `${uri?.user ?? ''}@${uri?.host.split('.')[0] ?? ''}`;
}

function applicationsOf(dialled: readonly ToldCall[]) {
  const known = new Map<string, object>();
  for (const { dialled: to, events } of dialled) {
    if (!to?.to.startsWith('AP') || known.has(to.to)) continue;
    if (!events.some(({ type }) => type === 'webhook')) continue; // there was no such application to call
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
