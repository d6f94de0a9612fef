import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/core/clock.ts';
import { CallCookies } from '../../../src/webhook/cookies.ts';

const URL_ = 'http://app.example.com/voice';

function cookies(...lines: string[]) {
  const clock = new VirtualClock(Date.UTC(2001, 0, 1)); // long before the machine's own time
  const kept = new CallCookies(clock);
  kept.keep(URL_, { status: 200, headers: { 'set-cookie': lines }, body: Buffer.alloc(0) });
  return { clock, kept };
}

describe('CallCookies', () => {
  it('ages by the clock it is given', async () => {
    const { clock, kept } = cookies('a=1; Max-Age=10', 'b=2; Expires=Mon, 01 Jan 2001 00:01:00 GMT', 'c=3');
    expect(kept.headerFor(URL_)).toBe('a=1; b=2; c=3');
    await clock.advance(9_000);
    expect(kept.headerFor(URL_)).toBe('a=1; b=2; c=3');
    await clock.advance(2_000);
    expect(kept.headerFor(URL_)).toBe('b=2; c=3');
    await clock.advance(60_000);
    expect(kept.headerFor(URL_)).toBe('c=3');
  });

  it('forgets a cookie the application takes back', () => {
    const { kept } = cookies('a=1', 'a=; Max-Age=0');
    expect(kept.headerFor(URL_)).toBe('');
  });

  it('keeps to domain, path and scheme', () => {
    const { kept } = cookies('a=1; Path=/voice', 'b=2; Domain=example.com', 'd=4; Domain=com');
    const secure = { status: 200, headers: { 'set-cookie': 'c=3; Secure' }, body: Buffer.alloc(0) };
    kept.keep('https://app.example.com/', secure);
    expect(kept.headerFor('http://app.example.com/voice/2')).toBe('a=1; b=2');
    expect(kept.headerFor('https://app.example.com/')).toBe('b=2; c=3');
    expect(kept.headerFor('http://other.example.com/')).toBe('b=2');
    expect(kept.headerFor('http://elsewhere.org/')).toBe('');
  });
});
