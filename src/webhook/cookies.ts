import { type Cookie, CookieJar } from 'tough-cookie';
import type { Clock } from '../core/clock.ts';
import type { HttpResponse } from './port.ts';

/** The cookies of one call (reference §3.2). The jar is made on the first Set-Cookie: most calls see none. */
export class CallCookies {
  readonly #clock: Clock;
  #jar: CookieJar | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The Cookie header for `url`; '' when there is none. */
  headerFor(url: string): string {
    if (!this.#jar) return '';
    // The jar would judge age by the machine's clock; replay has another one.
    const kept = this.#jar.getCookiesSync(url, { expire: false, sort: true });
    const now = this.#clock.now();
    return kept
      .filter((cookie) => endOf(cookie) > now)
      .map((cookie) => cookie.cookieString())
      .join('; ');
  }

  /** Keeps what a response sets; lines that RFC 6265 refuses are ignored. */
  keep(url: string, response: HttpResponse): void {
    const lines = response.headers['set-cookie'];
    if (lines === undefined) return;
    this.#jar ??= new CookieJar();
    for (const line of typeof lines === 'string' ? [lines] : lines)
      this.#jar.setCookieSync(line, url, { ignoreError: true, now: new Date(this.#clock.now()) });
  }
}

/** Max-Age counts from when the cookie was set (RFC 6265 §5.3). */
function endOf(cookie: Cookie): number {
  const created = cookie.creation instanceof Date ? cookie.creation : undefined;
  return cookie.expiryTime(created) ?? Number.POSITIVE_INFINITY;
}
