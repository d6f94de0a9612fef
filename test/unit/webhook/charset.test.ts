import { expect, it } from 'vitest';
import { charsetOf } from '../../../src/webhook/charset.ts';

it.each([
  ['text/xml; charset=utf-8', 'utf-8'],
  ['text/xml;charset=ISO-8859-1', 'ISO-8859-1'],
  ['text/xml; version=1; CharSet="windows-1252"; a=b', 'windows-1252'],
  ['text/xml; charset="KOI8\\-R"', 'KOI8-R'],
  ['text/xml; charset=utf-8; charset=klingon', 'utf-8'],
  ['text/xml; x="charset=klingon"', undefined],
  ['text/xml; charset=', undefined],
  ['text/xml; charset="  "', undefined],
  ['text/xml; charset', undefined],
  ['text/xml', undefined],
  ['', undefined],
])('reads the charset of %j', (contentType, charset) => {
  expect(charsetOf(contentType)).toBe(charset);
});

it('takes no longer than a header is long', () => {
  const hostile = `text/xml${';a="\\'.repeat(20_000)}`;
  const before = process.cpuUsage().user;
  expect(charsetOf(hostile)).toBeUndefined();
  expect(process.cpuUsage(undefined).user - before).toBeLessThan(5_000_000);
});
