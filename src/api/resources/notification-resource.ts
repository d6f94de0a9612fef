import type { CallRecord } from '../../call/record.ts';
import type { TimelineEvent } from '../../call/timeline.ts';
import { rfc2822 } from '../../core/dates.ts';
import type { Diagnostic } from '../../core/diagnostic.ts';
import { type Exchange, exchangesOf } from './event-exchanges.ts';
import { notificationSid } from './notification-sid.ts';

/** One diagnostic of a call. */
export interface Notification {
  readonly call: CallRecord;
  /** Its place among the call's diagnostics. */
  readonly index: number;
  readonly diagnostic: Diagnostic;
  /** When it was raised, milliseconds. */
  readonly at: number;
  /** The request that it is about, where there was one. */
  readonly exchange: Exchange | undefined;
}

/** The diagnostics of a call in their order, with what its timeline knows of them. */
export function notificationsOf(
  call: CallRecord,
  timeline: readonly TimelineEvent[],
): readonly Notification[] {
  const exchanges = exchangesOf(timeline);
  const told = timeline.flatMap((event) => (event.type === 'diagnostic' ? [event] : []));
  return call.diagnostics.map((diagnostic, index) => {
    const found = told.findIndex(
      ({ code, message }) => code === diagnostic.code && message === diagnostic.message,
    );
    const [event] = found < 0 ? [] : told.splice(found, 1); // the same one may be raised again later
    const at = event ? Date.parse(event.at) : Date.parse(call.end_time ?? call.date_created);
    const before = exchanges.filter(
      (exchange) => exchange.url === diagnostic.url && Date.parse(exchange.at) <= at,
    );
    return { call, index, diagnostic, at, exchange: before.at(-1) };
  });
}

/** Twilio's level: 0 is an error, 1 a warning. */
export function levelOf({ level }: Diagnostic): '0' | '1' {
  return level === 'error' ? '0' : '1';
}

/**
 * The Notification resource as lists have it: without what was sent and answered.
 *
 * @param parent the path it is found under, `/Calls/CA…` for one of a call
 * @see https://www.twilio.com/docs/usage/api/notification
 */
export function notificationItem({ call, index, diagnostic, at, exchange }: Notification, parent: string) {
  const sid = notificationSid(call.sid, index);
  const date = rfc2822(at);
  return {
    account_sid: call.account_sid,
    api_version: call.api_version,
    call_sid: call.sid,
    date_created: date,
    date_updated: date,
    error_code: String(diagnostic.code),
    log: levelOf(diagnostic),
    message_date: date,
    message_text: messageText(diagnostic),
    more_info: `https://www.twilio.com/docs/errors/${diagnostic.code}`,
    request_method: exchange?.method ?? null,
    request_url: diagnostic.url ?? '',
    sid,
    uri: `/2010-04-01/Accounts/${call.account_sid}${parent}/Notifications/${sid}.json`,
  };
}

/** With the request that it is about, as only one notification by itself shows it. */
export function notificationResource(notification: Notification, parent: string) {
  const { exchange } = notification;
  const headers = new URLSearchParams(exchange?.contentType ? { 'Content-Type': exchange.contentType } : {});
  return {
    ...notificationItem(notification, parent),
    request_variables: new URLSearchParams(exchange?.parameters ?? {}).toString(),
    response_body: exchange?.body ?? null,
    response_headers: exchange?.status === undefined ? null : headers.toString(),
  };
}

/** As Twilio writes it: a form, so that a program finds the parts. */
function messageText({ code, level, message, url, line, column }: Diagnostic): string {
  const text = new URLSearchParams({ LogLevel: level === 'error' ? 'ERROR' : 'WARN', Msg: message });
  text.set('ErrorCode', String(code));
  if (url !== undefined) text.set('url', url);
  if (line !== undefined) text.set('line', String(line));
  if (column !== undefined) text.set('column', String(column));
  return text.toString();
}
