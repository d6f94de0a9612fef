import { describe, expect, it } from 'vitest';
import { parseDocument } from '../../../src/twiml/document/parse.ts';
import { grammar } from '../../../src/twiml/grammar/grammar.ts';
import { closest } from '../../../src/twiml/verbs/closest.ts';
import { readVerbs } from '../../../src/twiml/verbs/registry.ts';

const URL = 'http://app.test/voice';

function read(inside: string) {
  const parsed = parseDocument(`<Response>${inside}</Response>`, URL);
  if (!parsed.ok) throw new Error(parsed.diagnostic.message);
  return readVerbs(parsed.root, URL);
}

const codes = (inside: string) => read(inside).diagnostics.map(({ code }) => code);

describe('the verb tables', () => {
  it('are data: every attribute says what it expects and which code it raises', () => {
    for (const { docs, attributes } of grammar.values()) {
      expect(docs).toMatch(/^https:\/\/www\.twilio\.com\/docs\/voice\/twiml/);
      for (const attribute of Object.values(attributes)) {
        expect(attribute.expected).not.toBe('');
        expect(attribute.invalid).toBeGreaterThan(0);
      }
    }
  });

  it.each([
    ['<Say voice="Polly.Joanna-Neural" language="en-GB" loop="0">x</Say>'],
    ['<Play digits="ww12#AD*W"/>'],
    ['<Pause length="1"/>'],
    ['<Gather input="dtmf" timeout="auto"/>'],
    ['<Gather finishOnKey="" numDigits="1" actionOnEmptyResult="TRUE" method="get"/>'],
    ['<Record finishOnKey="#*0" maxLength="14400" timeout="0" trim="do-not-trim" playBeep="false"/>'],
    ['<Record recordingStatusCallbackEvent="in-progress completed absent" recordingStatusCallback="/x"/>'],
    ['<Redirect method="GET">/x</Redirect>'],
    ['<Reject reason="busy"><Parameter name="a" value="b"/></Reject>'],
    ['<Hangup><Parameter name="a" value="b"/></Hangup>'],
    ['<Dial>(500) 555-0006</Dial>'],
    ['<Dial>15005550006</Dial>'],
    ['<Dial record="false" timeout="600" ringTone="us-old" callReason="hello">+442071838750</Dial>'],
    ['<Dial trim="trim-silence" callerId="front.desk-1_a+b"><Sip sendDigits="ww1">a@b</Sip></Dial>'],
    ['<Dial><Number url="/x" statusCallbackEvent="initiated completed">+15005550006</Number></Dial>'],
    ['<Refer action="/x"><Sip>a@b?X-c=d</Sip></Refer>'],
    ['<Say xmlns:x="urn:x" xsi:type="y">x</Say>'],
    ['<Start><Recording name="a" channels="mono" track="outbound" trim="do-not-trim"/></Start>'],
    ['<Stop><Recording name="a"/></Stop><Leave/><Echo/>'],
    ['<Connect action="/x"><Room>x</Room></Connect><Pay/><Sms to="+15005550009">x</Sms>'],
  ])('find nothing wrong with %s', (inside) => {
    expect(read(inside).diagnostics).toEqual([]);
  });

  it.each([
    ['<Say loop="1.5">x</Say>', [13510]],
    [`<Say>${'x'.repeat(4_097)}</Say>`, [13521]],
    [`<Say voice="Polly.Joanna">${'x'.repeat(3_001)}</Say>`, [13521]],
    ['<Play loop="many">x</Play>', [13410]],
    ['<Gather><Say loop="-1">x</Say></Gather>', [13322]],
    [`<Gather hints="${'x,'.repeat(501)}"/>`, [13330]],
    ['<Record transcribe="perhaps"/>', [13614]],
    ['<Record transcribeCallback="/x"/>', []],
    ['<Record transcribeCallback="/x" maxLength="121"/>', [13615]],
    ['<Record maxLength="121"/>', []],
    ['<Gather input="speech" speechTimeout="auto" speechModel="phone_call"/>', [13335]],
    ['<Gather input="speech" speechTimeout="auto"/>', []],
    ['<Record><Say>x</Say></Record>', [12200]],
    ['<Pause>text</Pause>', [12200]],
    ['<Redirect><Say>x</Say></Redirect>', [12200]],
    ['<Gather>text</Gather>', [12200]],
    ['<Connect/><Enqueue/><Start/><Stop/><Pay/><Sms/>', [12200, 14204, 14300, 14300, 14103]],
    ['<Dial/>', [13223]],
    ['<Dial timeout="601">+15005550006</Dial>', [13212]],
    ['<Dial>5550006</Dial>', [13223]],
    ['<Dial>+1500555000612345</Dial>', [13223]],
    ['<Dial callerId="bob">+15005550006</Dial>', [13214]],
    ['<Dial callerId="client:bob"><Client>alice</Client></Dial>', []],
    ['<Dial callerId="client:bob"><Client>alice</Client><Number>+15005550006</Number></Dial>', [13214]],
    ['<Dial callerId="client:bob"><Sip>a@b</Sip></Dial>', [13214]],
    ['<Dial callerId="a b"><Sip>a@b</Sip></Dial>', [13214]],
    ['<Dial><Say>x</Say></Dial>', [13215]],
    ['<Dial><Sip password="x">a@b</Sip></Dial>', [13249]],
    ['<Refer/>', [13243]],
    ['<Number/>', [12200]],
  ])('report %s', (inside, wanted) => {
    expect(codes(inside)).toEqual(wanted);
  });
});

describe('closest', () => {
  it.each([
    ['say', 'Say'],
    ['Gahter', 'Gather'],
    ['Redirekt', 'Redirect'],
    ['Blink', undefined],
  ])('takes %s for %s', (name, wanted) => {
    expect(closest(name, ['Say', 'Play', 'Gather', 'Redirect'])).toBe(wanted);
  });
});
