import { describe, expect, it } from 'vitest';
import { parseDocument } from '../../../src/twiml/document/parse.ts';
import { readVerbs } from '../../../src/twiml/verbs/registry.ts';

const URL = 'http://app.test/voice';
const SID = `AP${'0'.repeat(32)}`;

/** Everything that is found. */
function found(inside: string) {
  const parsed = parseDocument(`<Response><Dial>${inside}</Dial></Response>`, URL);
  if (!parsed.ok) throw new Error(parsed.diagnostic.message);
  const { diagnostics } = readVerbs(parsed.root, URL);
  return diagnostics.map(({ code, message }) => `${code} ${message}`);
}

// https://www.twilio.com/docs/voice/twiml/dial/application
describe('<Dial><Application>', () => {
  it.each([
    [`<Application>${SID}</Application>`],
    [`<Application customerId="x" copyParentTo="true"><ApplicationSid>${SID}</ApplicationSid></Application>`],
    [
      `<Application><ApplicationSid>${SID}</ApplicationSid><Parameter name="a" value="1"/><Parameter name="b" value=""/></Application>`,
    ],
    [`<Application url="/x" method="GET" statusCallback="/y">${SID}</Application>`],
  ])('has nothing wrong: %s', (inside) => {
    expect(found(inside)).toEqual([]);
  });

  it.each([
    ['<Application/>', 'expected one application SID'],
    ['<Application>AP1</Application>', 'names "AP1"'],
    [`<Application customerId="${'x'.repeat(257)}">${SID}</Application>`, 'at most 256 characters'],
    [`<Application copyParentTo="perhaps">${SID}</Application>`, 'copyParentTo="perhaps"'],
    [`<Application appSid="x">${SID}</Application>`, 'no attribute "appSid"'],
    [`<Application>${SID}<Parameter value="1"/></Application>`, 'has no name'],
    [`<Application>${SID}<Parameter name="a"/><Parameter name="a"/></Application>`, '"a" is there already'],
    [`<Application>${SID}<Say>x</Say></Application>`, '<Say> is not allowed inside <Application>'],
    [
      `<Application><ApplicationSid>${SID}</ApplicationSid><ApplicationSid>${SID}</ApplicationSid></Application>`,
      '2 of <ApplicationSid>',
    ],
    [
      `<Application>${SID}</Application><Number>+15005550006</Number>`,
      'cannot be dialled together with others',
    ],
    [
      `<Application>${SID}</Application><Application>${SID}</Application>`,
      'cannot be dialled together with others',
    ],
  ])('is told what is wrong: %s', (inside, message) => {
    expect(found(inside)).toEqual([expect.stringContaining(message)]);
    expect(found(inside)[0]).toMatch(/^12200 /);
  });
});
