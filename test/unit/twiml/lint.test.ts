import { describe, expect, it } from 'vitest';
import { grammar } from '../../../src/twiml/grammar/grammar.ts';
import { lint, parse } from '../../../src/twiml/index.ts';
import { readVerbs } from '../../../src/twiml/verbs/registry.ts';

const brief = (text: string, options?: Parameters<typeof lint>[1]) =>
  lint(text, options).map(({ line, column, level, code }) => `${line}:${column} ${level} ${code}`);

describe('lint', () => {
  it('has nothing to say about a document that is right', () => {
    expect(lint('<Response><Say>Hello</Say></Response>')).toEqual([]);
    expect(lint('<Response/>')).toEqual([]);
  });

  it('says of a document that cannot be parsed where and why, and nothing else', () => {
    const text = '<Response>\n  <Redirect>https://a.io/in?a=1&b=2</Redirect>\n  <Sayy/>\n</Response>';
    const [found, ...more] = lint(text);
    expect(found).toMatchObject({ code: 12100, level: 'error', line: 2, column: 32 });
    expect(found?.message).toContain('&amp;');
    expect(more).toEqual([]);
  });

  it('tells of other roots, versions and sizes with their codes', () => {
    expect(brief('<response/>')).toEqual(['1:1 error 12102']);
    expect(brief('<Response version="3"/>')).toEqual(['1:11 error 12101']);
    expect(lint(`<Response>${' '.repeat(70_000)}</Response>`)).toMatchObject([
      { code: 11750, level: 'error' },
    ]);
    expect(brief('')).toEqual([expect.stringMatching(/^\d+:\d+ error 12100$/)]);
  });

  it('tells a thousand warnings and that there are more, and every error beside them', () => {
    const text = `<Response>${'<x/>'.repeat(3_000)}<Dial><Number>+0123</Number></Dial></Response>`;
    const found = lint(text);
    expect(found.filter(({ code }) => code === 12200)).toHaveLength(1_001);
    expect(found[1_000]?.message).toContain('more than 1000 warnings');
    expect(found[1_000]).toMatchObject({ line: 1, column: 11 + 4 * 1_000, code: 12200 });
    expect(found.filter(({ level }) => level === 'error')).toMatchObject([{ code: 13224 }]);
  });

  it('reports everything that a live call reports, with the same codes at the same places', () => {
    const text = [
      '<Response>',
      '  <Gather numDigits="x" timeout="0" action="/in"><Say loop="-1">Hi</Say><Dial/></Gather>',
      '  <Sayy>Hello</Sayy>',
      '  <Say voise="man"></Say>',
      '  <Dial timeout="1" callerId="?"><Sip>sip:a@a.io;edge=atlantis</Sip></Dial>',
      '</Response>',
    ].join('\n');
    const parsed = parse(text);
    if (!parsed.ok) throw new Error('the document does not parse');
    const live = readVerbs(parsed.root, '').diagnostics;
    const found = lint(text).filter(({ code }) => typeof code === 'number');
    expect(live.length).toBeGreaterThan(7);
    for (const { code, line, column, level } of live) {
      expect(found, `${code}`).toContainEqual(expect.objectContaining({ code, line, column, level }));
    }
  });

  it('orders what it finds as the document does, whatever found it', () => {
    const text = '<Response>\n<Redirect>ftp://a</Redirect><Say loop="x"></Say><Gather/>\n<Sayy/></Response>';
    const places = lint(text).map(({ line, column }) => line * 1_000 + column);
    expect(places.length).toBeGreaterThan(4);
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });

  it('says what was found and expected, where that is documented, and repeats no place in its message', () => {
    const [found] = lint('<Response><Pause length="x"/></Response>').filter(({ code }) => code === 13910);
    expect(found).toEqual({
      code: 13910,
      level: 'warning',
      message: 'length="x" cannot be used; expected whole seconds, at least 1; the default is used.',
      line: 1,
      column: 18,
      actual: 'x',
      expected: 'whole seconds, at least 1',
      docs: 'https://www.twilio.com/docs/api/errors/13910',
    });
  });

  it('judges no value that a template has yet to fill in, and what stands beside it', () => {
    for (const number of [
      '{{To}}',
      '{{#e164}}{{To}}{{/e164}}',
      '#{callee}',
      '<%= callee %>'.replaceAll('<', '&lt;'),
    ]) {
      expect(brief(`<Response><Dial timeout="30">${number}</Dial></Response>`), number).toEqual([]);
    }
    const text = '<Response><Dial timeout="{{ring}}" trim="{{trim}}x" record="yes">{{To}}</Dial></Response>';
    expect(brief(text)).toEqual(['1:53 warning 13217']);
    expect(brief('<Response><Dial>To</Dial></Response>')).toEqual(['1:17 warning 13223']);
  });

  it('only notes what is right and not available here', () => {
    const text = '<Response><Dial><Conference>room</Conference></Dial></Response>';
    const found = lint(text);
    expect(found.filter(({ level }) => level !== 'note')).toEqual([]);
    expect(found).toContainEqual(expect.objectContaining({ code: 'not-executed', actual: '<Conference>' }));
  });

  it('takes no word of the document for one of its own', () => {
    const text =
      '<Response><Say><prosody rate="slow">slow</prosody></Say><Pause length="not available here"/></Response>';
    expect(brief(text)).toEqual(['1:16 note 12200', '1:64 warning 13910']);
    expect(lint(text).every((found) => !('notHere' in found))).toBe(true);
  });

  it('names the URL it was given', () => {
    const [found] = lint('<Response><Hangup x="1"/></Response>', { url: 'https://a.io/voice' });
    expect(found).toMatchObject({ code: 'first-verb', url: 'https://a.io/voice' });
    expect(lint('<Response><Hangup x="1"/></Response>').every(({ url }) => url === undefined)).toBe(true);
  });

  it('counts lines and columns behind a byte order mark, CRLF and tabs as editors do', () => {
    expect(brief('\uFEFF<Response><Pause/></Response>')).toEqual(['1:11 note first-verb']);
    expect(brief('<Response>\r\n\t<Pause/>\r\n</Response>')).toEqual(['2:2 note first-verb']);
  });

  it('knows every attribute of the grammar that holds a URL', () => {
    let count = 0;
    for (const { name, attributes } of grammar.values()) {
      for (const [attribute, { kind }] of Object.entries(attributes)) {
        if (kind !== 'url') continue;
        count++;
        const found = lint(`<Response><${name} ${attribute}="next"/></Response>`, { inline: true });
        expect(found, `${name} ${attribute}`).toContainEqual(expect.objectContaining({ code: 15004 }));
      }
    }
    expect(count).toBeGreaterThan(30);
  });

  it('refuses a Region that does not exist', () => {
    expect(() => lint('<Response/>', { region: 'de1' })).toThrow(new RangeError('"de1" is no Region'));
  });

  it.each([
    ['bytes', Buffer.from('<Response/>')],
    ['undefined', undefined],
    ['null', null],
  ])('says that %s are no text', (given, value) => {
    const message = `found ${given} for a TwiML document: expected its text`;
    for (const judge of [lint, parse]) {
      // @ts-expect-error: what a program without types may do
      expect(() => judge(value)).toThrow(new TypeError(message));
    }
  });
});

describe('parse', () => {
  it('gives the tree with places, or why there is none', () => {
    const parsed = parse('<Response>\n  <Say loop="2">Hi</Say>\n</Response>');
    expect(parsed).toMatchObject({ ok: true, root: { name: 'Response', position: { line: 1, column: 1 } } });
    expect(parse('<Response>', { url: 'https://a.io/voice' })).toMatchObject({
      ok: false,
      diagnostic: { code: 12100, url: 'https://a.io/voice' },
    });
  });
});
