import type { CalledDomain, CallJob, InboundJob } from '../call/job.ts';
import type { CallRecord } from '../call/record.ts';
import type { TimelineEvent } from '../call/timeline.ts';
import type { HttpMethod, RegionalConfig } from '../config/port.ts';
import { type Diagnostic, failure } from '../core/diagnostic.ts';
import type { VoiceConfig } from '../twiml/interpreter/world.ts';

/** What a number, a SIP domain or its application says of the calls that come in, in this Region. */
export interface CallConfiguration extends VoiceConfig {
  readonly statusCallback: string;
  readonly statusCallbackMethod: HttpMethod;
  readonly voiceCallerIdLookup: boolean;
}

/** What was called. */
type Called = Pick<InboundJob, 'phoneNumberSid' | 'to' | 'region' | 'accountSid'> & {
  readonly domain: Pick<CalledDomain, 'sid' | 'domainName'> | null;
};

/**
 * What this Region has for what was called, or why it has nothing: never another Region's. An application that a number
 * names stands in place of the number's own URLs.
 *
 * @see https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource
 */
export function callConfiguration(
  called: Called,
  config: RegionalConfig,
): Promise<CallConfiguration | Diagnostic> {
  return called.domain ? ofDomain(called.domain.sid, called, config) : ofNumber(called, config);
}

async function ofDomain(
  domainSid: string,
  { region, domain }: Called,
  config: RegionalConfig,
): Promise<CallConfiguration | Diagnostic> {
  const found = await config.records.domains.fetch(domainSid);
  if (!found) {
    const message = `The SIP domain ${domain?.domainName} is routed to ${region} but is not there any more: create it on the ${region} host, or route it to a Region that has it.`;
    return failure(22199, message);
  }
  return {
    ...found,
    statusCallback: found.voiceStatusCallbackUrl,
    statusCallbackMethod: found.voiceStatusCallbackMethod,
    voiceCallerIdLookup: false,
  };
}

async function ofNumber(
  { phoneNumberSid, to, region, accountSid }: Called,
  config: RegionalConfig,
): Promise<CallConfiguration | Diagnostic> {
  const number = phoneNumberSid === null ? undefined : await config.number(phoneNumberSid);
  if (!number) {
    const message = `${to} is routed to ${region} but has no voice configuration there: set its VoiceUrl on the ${region} host, or route it to a Region where it has one.`;
    return failure(22199, message);
  }
  const applicationSid = number.voiceApplicationSid;
  if (!applicationSid) return number;
  const application = await config.records.applications.fetch(applicationSid);
  if (application?.accountSid === accountSid) return application;
  const message = `${to} is answered by the application ${applicationSid}, which ${region} does not have: set another VoiceApplicationSid on the ${region} host, or none.`;
  return failure(21420, message, { actual: applicationSid });
}

/** Where an end is told. */
type EndCallback = Pick<CallConfiguration, 'statusCallback' | 'statusCallbackMethod'>;

/** Where the end of a call that came in is told; undefined: nowhere. */
export async function endCallback(job: CallJob, config: RegionalConfig): Promise<EndCallback | undefined> {
  if (job.direction !== 'inbound') return undefined;
  return found(await callConfiguration(job, config));
}

/** The same, of a call of which only its record and its timeline are left. */
export async function recordedEndCallback(
  { phone_number_sid: phoneNumberSid, to, region, account_sid: accountSid, direction }: CallRecord,
  timeline: readonly TimelineEvent[],
  config: RegionalConfig,
): Promise<EndCallback | undefined> {
  if (direction !== 'inbound') return undefined;
  const routed = timeline.find((event) => event.type === 'routed');
  const domain =
    phoneNumberSid === null && routed ? await config.records.domains.find(routed.key) : undefined;
  return found(
    await callConfiguration({ phoneNumberSid, to, region, accountSid, domain: domain ?? null }, config),
  );
}

function found(configuration: CallConfiguration | Diagnostic): EndCallback | undefined {
  return 'code' in configuration ? undefined : configuration;
}
