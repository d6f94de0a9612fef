import fc from 'fast-check';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import request from 'supertest';
import { describe, expect, it } from 'vitest';
import { regionApp } from '../../../src/api/region-app.ts';
import { elementOf, xmlOf } from '../../../src/api/xml-form.ts';
import { ACCOUNT, RegionWorld, sid } from './support/region.ts';

const PATH = `/2010-04-01/Accounts/${ACCOUNT}`;
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseTagValue: false,
  trimValues: false,
});

async function world() {
  const region = new RegionWorld('ie1');
  for (let n = 1; n <= 3; n++) await region.addCall(n);
  const app = regionApp(region.options());
  return { region, ask: (path: string) => request(app).get(path).auth(ACCOUNT, region.token) };
}

/** What a client of XML reads. */
const read = (text: string) => {
  expect(XMLValidator.validate(text)).toBe(true);
  return parser.parse(text).TwilioResponse;
};

describe('a path of 2010-04-01 without .json', () => {
  it.each(['', '.xml'])('and with %o is XML, whose fields are in CamelCase', async (suffix) => {
    const { ask } = await world();
    const json = (await ask(`${PATH}/Calls/${sid('CA', 1)}.json`)).body;
    const response = await ask(`${PATH}/Calls/${sid('CA', 1)}${suffix}`);
    expect(response.status).toBe(200);
    expect(response.headers['content-type']).toBe('application/xml; charset=utf-8');
    const { Call: call } = read(response.text);
    expect(call.Sid).toBe(json.sid);
    expect(call.DateCreated).toBe(json.date_created);
    expect(call.PhoneNumberSid).toBe(json.phone_number_sid);
    expect(call.ParentCallSid).toBe(''); // null
    expect(call.Uri).toBe(`${PATH}/Calls/${sid('CA', 1)}`);
    expect(call.SubresourceUris.Recordings).toBe(`${PATH}/Calls/${sid('CA', 1)}/Recordings`);
    expect(response.text).not.toContain('.json');
  });

  it('lists with the paging as attributes', async () => {
    const { ask } = await world();
    const first = read((await ask(`${PATH}/Calls?PageSize=2`)).text).Calls;
    expect(first['@page']).toBe('0');
    expect(first['@pagesize']).toBe('2');
    expect([first['@start'], first['@end']]).toEqual(['0', '1']);
    expect(first['@uri']).toBe(`${PATH}/Calls?PageSize=2&Page=0`);
    expect(first['@previouspageuri']).toBe('');
    expect(first.Call.map((call: { Sid: string }) => call.Sid)).toEqual([sid('CA', 3), sid('CA', 2)]);
    const last = read((await ask(first['@nextpageuri'])).text).Calls;
    expect(last.Call.Sid).toBe(sid('CA', 1));
    expect(last['@nextpageuri']).toBe('');
  });

  it('lists nothing as an empty element', async () => {
    const { ask } = await world();
    const { text } = await ask(`${PATH}/Calls.xml?Status=busy`);
    expect(read(text).Calls['@pagesize']).toBe('50');
    expect(text).not.toContain('<Call>');
  });

  it('tells errors as a RestException, before and after the credentials', async () => {
    const { region, ask } = await world();
    const unknown = await ask(`${PATH}/Calls/${sid('CA', 9)}`);
    expect(unknown.status).toBe(404);
    expect(read(unknown.text).RestException).toMatchObject({
      Code: '20404',
      Status: '404',
      MoreInfo: 'https://www.twilio.com/docs/errors/20404',
    });
    const refused = await request(regionApp(region.options())).get(`${PATH}/Calls`);
    expect(refused.status).toBe(401);
    expect(read(refused.text).RestException.Code).toBe('20003');
  });
});

describe('the other versions', () => {
  it('are JSON whatever the path ends in', async () => {
    const { ask } = await world();
    const response = await ask('/v2/PhoneNumbers/+15105550100');
    expect(response.headers['content-type']).toMatch('application/json');
    expect(response.body.code).toBe(20404);
  });
});

describe('what is written', () => {
  const characters = fc.string({
    unit: fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
      fc.constantFrom(
        '<',
        '>',
        '&',
        '"',
        "'",
        ']]>',
        '\0',
        '\r',
        '\n',
        '\u0001',
        '\uFFFE',
        '\uD800',
        '&amp;',
        '<!--',
      ),
    ),
  });

  it('is well-formed whatever it is made of, and what XML can hold arrives', () => {
    fc.assert(
      fc.property(
        fc.dictionary(characters, fc.oneof(characters, fc.jsonValue())),
        characters,
        (fields, value) => {
          const text = xmlOf({ ...fields, friendly_name: value }, 'Call');
          expect(XMLValidator.validate(text)).toBe(true);
          const kept = value.replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD');
          expect(text).not.toMatch(/[\u0000-\u0008\u000B\u000C\u000D\u000E-\u001F\uFFFE\uFFFF]/);
          const plain = !Object.keys(fields).some((name) => /^friendly_?name$/i.test(name));
          if (plain) expect(decoded(/<FriendlyName>(.*?)<\/FriendlyName>/s.exec(text)?.[1] ?? '')).toBe(kept);
        },
      ),
    );
  });

  it('names items after the last name of their path', () => {
    expect(elementOf('/Calls{.json}')).toBe('Call');
    expect(elementOf('/SIP/IpAccessControlLists/:sid/IpAddresses/:address{.json}')).toBe('IpAddress');
    expect(elementOf('/IncomingPhoneNumbers/Local{.json}')).toBe('Local');
  });

  it('writes lists within an item, objects and flags', () => {
    const text = xmlOf(
      { sid: 'x', capabilities: { voice: true, fax: null }, flags: ['a', 'b'], empty: [] },
      'Item',
    );
    expect(read(text).Item).toEqual({
      Sid: 'x',
      Capabilities: { Voice: 'true', Fax: '' },
      Flags: { Flag: ['a', 'b'] },
      Empty: '',
    });
  });
});

function decoded(text: string): string {
  return text
    .replaceAll('&#xD;', '\r')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
}
