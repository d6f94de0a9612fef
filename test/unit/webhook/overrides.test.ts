import { describe, expect, it } from 'vitest';
import { DEFAULT_OVERRIDES, parseOverrides } from '../../../src/webhook/overrides.ts';

const URL_ = 'https://example.com/voice?a=1';
const codes = (url: string) => parseOverrides(url).diagnostics.map(({ code, level }) => [code, level]);

describe('connection overrides', () => {
  it('are the documented defaults without a fragment', () => {
    expect(parseOverrides(URL_)).toEqual({ values: DEFAULT_OVERRIDES, diagnostics: [] });
    expect(parseOverrides(`${URL_}#`)).toEqual({ values: DEFAULT_OVERRIDES, diagnostics: [] });
    expect(DEFAULT_OVERRIDES).toMatchObject({
      connectMs: 5_000,
      readMs: 15_000,
      totalMs: 15_000,
      retries: 1,
      retryOn: new Set(['ct']),
      sni: true,
    });
  });

  it('are read from the fragment', () => {
    const { values, diagnostics } = parseOverrides(
      `${URL_}#ct=1000&rt=2000&tt=3000&rc=5&rp=4xx,rt&sni=n&e=ashburn,singapore-ix`,
    );
    expect(diagnostics).toEqual([]);
    expect(values).toEqual({
      connectMs: 1_000,
      readMs: 2_000,
      totalMs: 3_000,
      retries: 5,
      retryOn: new Set(['4xx', 'rt']),
      sni: false,
      edges: ['ashburn', 'singapore-ix'],
      totalGiven: true,
    });
  });

  it.each([
    ['ct', 100, 10_000, 'connectMs'],
    ['rt', 100, 15_000, 'readMs'],
    ['tt', 100, 15_000, 'totalMs'],
    ['rc', 0, 5, 'retries'],
  ] as const)('%s goes from %i to %i', (key, min, max, field) => {
    for (const value of [min, max])
      expect(parseOverrides(`${URL_}#${key}=${value}`)).toMatchObject({
        values: { [field]: value },
        diagnostics: [],
      });
    for (const value of [min - 1, max + 1, '', 'soon', '1e2', '200.5']) {
      const { values, diagnostics } = parseOverrides(`${URL_}#${key}=${value}`);
      expect(values).toEqual(DEFAULT_OVERRIDES);
      expect(diagnostics).toMatchObject([{ code: 11100, level: 'warning', actual: String(value) }]);
    }
  });

  it.each([
    ['rp=6xx', 11243, 'error'],
    ['rp=4xx,', 11243, 'error'],
    ['e=mars', 11240, 'error'],
    ['e=ashburn,', 11240, 'error'],
    ['e=us1', 11240, 'error'],
    ['e=tokyo-ix', 11241, 'error'],
    ['sni=yes', 11100, 'warning'],
    ['section', 11100, 'warning'],
    ['toString=1', 11100, 'warning'],
    ['__proto__=1', 11100, 'warning'],
  ])('%s is %i', (fragment, code, level) => {
    expect(codes(`${URL_}#${fragment}`)).toEqual([[code, level]]);
  });

  it('need an active connection for an Interconnect edge', () => {
    const interconnect = (edge: string) => edge === 'london-ix';
    expect(parseOverrides(`${URL_}#e=london-ix`, { interconnect }).diagnostics).toEqual([]);
    expect(parseOverrides(`${URL_}#e=ashburn-ix`, { interconnect }).diagnostics).toMatchObject([
      { code: 11242 },
    ]);
  });

  it('collect every problem', () => {
    expect(codes(`${URL_}#ct=1&rp=x&e=y&z=1`)).toEqual([
      [11100, 'warning'],
      [11243, 'error'],
      [11240, 'error'],
      [11100, 'warning'],
    ]);
  });

  it('collect no more problems than anybody reads, and the one that forbids the request', () => {
    const found = codes(`${URL_}#${'z=1&'.repeat(10_000)}e=y`);
    expect(found).toHaveLength(21);
    expect(found.at(-1)).toEqual([11240, 'error']);
  });
});
