const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

const two = (n: number) => String(n).padStart(2, '0');

/**
 * RFC 2822 as the 2010-04-01 API and the webhooks write it: `Tue, 31 Aug 2010 20:36:28 +0000`
 * (`toUTCString` ends in `GMT`, which the official clients do not expect).
 */
export function rfc2822(ms: number): string {
  const d = new Date(ms);
  const date = `${DAYS[d.getUTCDay()]}, ${two(d.getUTCDate())} ${MONTHS[d.getUTCMonth()]} ${d.getUTCFullYear()}`;
  return `${date} ${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())} +0000`;
}

/** ISO 8601 in UTC without milliseconds, as the v1 and v2 APIs write it. */
export function isoSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** ISO 8601 in UTC with milliseconds: timeline events. */
export function isoMs(ms: number): string {
  return new Date(ms).toISOString();
}
