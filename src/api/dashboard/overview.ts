import type { Request } from 'express';
import { z } from 'zod';
import { DEFAULT_REGION } from '../../region/region.ts';
import type { RegionOptions } from '../region-options.ts';

const call = z.object({
  sid: z.string(),
  from: z.string(),
  to: z.string(),
  status: z.string(),
  direction: z.string(),
  date_created: z.string(),
  duration: z.string().nullable(),
  ingress_edge: z.string().nullish(),
  cause: z.string().nullish(),
});

const callList = z.object({ calls: z.array(call) });

const numberList = z.object({
  incoming_phone_numbers: z.array(
    z.object({
      sid: z.string(),
      phone_number: z.string(),
      friendly_name: z.string(),
      voice_url: z.string().nullable(),
    }),
  ),
});

const route = z.object({ voice_region: z.string() });

const LIVE = ['queued', 'ringing', 'in-progress'] as const;
const SHOWN = 25; // our choice: one screen

/** What the dashboard shows, read from this Region's REST API like any other client of it. */
export async function overview(options: RegionOptions, req: Request): Promise<object> {
  const read = await reader(options, req);
  const account = `/2010-04-01/Accounts/${options.accountSid}`;
  const callsOf = async (query: string) =>
    callList.parse(await read(`${account}/Calls.json?PageSize=${SHOWN}${query}`)).calls;
  const [latest, owned, ...live] = await Promise.all([
    callsOf(''),
    read(`${account}/IncomingPhoneNumbers.json?PageSize=${SHOWN}`),
    ...LIVE.map((status) => callsOf(`&Status=${status}`)),
  ]);
  const numbers = numberList.parse(owned).incoming_phone_numbers.map(async (number) => {
    const record = route.safeParse(await read(`/v2/PhoneNumbers/${number.phone_number}`));
    return { ...number, voice_region: record.success ? record.data.voice_region : DEFAULT_REGION };
  });
  return { region: options.region.id, live: live.flat(), calls: latest, numbers: await Promise.all(numbers) };
}

/** GETs paths of the listener that took this very request; undefined when the resource does not exist. */
async function reader(options: RegionOptions, req: Request): Promise<(path: string) => Promise<unknown>> {
  const { localAddress = '127.0.0.1', localPort } = req.socket;
  const host = localAddress.includes(':') ? `[${localAddress}]` : localAddress;
  const { primary } = await options.config.tokens.tokensOf(options.accountSid);
  const secret = Buffer.from(`${options.accountSid}:${primary}`).toString('base64');
  return async (path) => {
    const response = await fetch(`http://${host}:${localPort}${path}`, {
      headers: { authorization: `Basic ${secret}` },
    });
    if (response.ok) return response.json();
    const answer = await response.text();
    if (response.status === 404) return undefined;
    throw new Error(`${path} answered ${response.status}: ${answer}`);
  };
}
