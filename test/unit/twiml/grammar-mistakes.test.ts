import { describe, expect, it } from 'vitest';
import { parseDocument } from '../../../src/twiml/document/parse.ts';
import { readVerbs } from '../../../src/twiml/verbs/registry.ts';

function read(inside: string) {
  const parsed = parseDocument(`<Response>${inside}</Response>`, '');
  if (!parsed.ok) throw new Error(parsed.diagnostic.message);
  return readVerbs(parsed.root, '').diagnostics;
}

/** Code and column of each, counted from the first character inside of `<Response>`. */
const found = (inside: string) =>
  read(inside).map(({ code, column = 0 }) => `${code}@${column - '<Response>'.length - 1}`);

describe('a name that the grammar does not have', () => {
  it.each([
    ['<gather/>', 'Gather'],
    ['<SAY>x</SAY>', 'Say'],
    ['<Recrod/>', 'Record'],
    ['<Gather numdigits="1"/>', 'numDigits'],
    ['<Dial><number>+15005550006</number></Dial>', 'Number'],
    ['<Dial><Conference Muted="true">a</Conference></Dial>', 'muted'],
    ['<Say><Break/>x</Say>', 'break'],
    ['<Say><lang xml:Lang="de-DE" xml:lang="de-DE">x</lang></Say>', 'xml:lang'],
    ['<Connect><stream url="wss://a.example"/></Connect>', 'Stream'],
    ['<Start><Transcription Track="both_tracks"/></Start>', 'track'],
    ['<Pay><prompt/></Pay>', 'Prompt'],
  ])('is told the one it stands for: %s', (inside, meant) => {
    const first = read(inside).find(({ message }) => message.includes('did you mean'));
    expect(first?.expected).toBe(meant);
    expect(first?.message).toMatch(new RegExp(`did you mean <?${meant}>?\\?`));
  });
});

describe('an element that may not stand where it does', () => {
  it.each([
    ['<Gather><Dial>+15005550006</Dial></Gather>', ['13320@8']],
    ['<Gather><Gather/></Gather>', ['13320@8']],
    ['<Dial><Say>x</Say></Dial>', ['13215@6']],
    ['<Start><Recording/><Say>x</Say></Start>', ['14300@19']],
    ['<Start><Room>a</Room></Start>', ['14300@7']],
    ['<Stop><Recording name="a"/><Dial/></Stop>', ['14300@27']],
    ['<Start/>', ['14300@0']],
    ['<Connect><Conference>a</Conference></Connect>', ['12200@9']],
    ['<Connect/>', ['12200@0']],
    ['<Connect><Room>a</Room><Room>b</Room></Connect>', ['12200@23']],
    [
      '<Connect><ConversationRelay url="wss://a.example"><Config/></ConversationRelay></Connect>',
      ['12200@50'],
    ],
    ['<Enqueue>a<Say>x</Say></Enqueue>', ['12200@10']],
    ['<Record><Play>x</Play></Record>', ['12200@8']],
    ['<Redirect>/x<Say>x</Say></Redirect>', ['12200@12']],
    ['<Refer><Number>+15005550006</Number><Sip>a@b.example</Sip></Refer>', ['12200@7']],
    ['<Say><s>one <p>two</p></s></Say>', ['12200@12']],
    ['<Say><sub alias="World"><break/>W</sub></Say>', ['12200@24']],
    ['<Play><break/>http://a.example/x.wav</Play>', ['12200@6']],
    ['<Number>+15005550006</Number>', ['12200@0']],
    ['<Parameter name="a"/>', ['12200@0']],
  ])('%s', (inside, wanted) => {
    expect(found(inside)).toEqual(wanted);
  });
});

describe('text and what is missing', () => {
  it.each([
    ['<Pause>  a</Pause>', ['12200@9']],
    ['<Gather> 1 <Say>x</Say></Gather>', ['12200@9']],
    ['<Hangup>now</Hangup>', ['12200@8']],
    ['<Connect>a<Room>b</Room></Connect>', ['12200@9']],
    ['<Leave>a</Leave>', ['12200@7']],
    ['<Connect><Stream/></Connect>', ['31923@9']],
    ['<Start><Stream/></Start>', ['31923@7']],
    ['<Start><Stream url="wss://a.example/x?y=z"/></Start>', ['31923@15']],
    ['<Start><Stream connectorName="a"/></Start>', []],
    ['<Connect><ConversationRelay/></Connect>', ['12200@9']],
    ['<Connect><VirtualAgent/></Connect>', ['32602@9']],
    ['<Start><Siprec/></Start>', ['31940@7']],
    ['<Connect><Assistant><Language/></Assistant></Connect>', ['12200@20']],
    ['<Hangup><Parameter value="a"/></Hangup>', ['12200@8']],
    ['<Hangup><Parameter name="a"/><Parameter name="a"/></Hangup>', ['12200@29']],
    ['<Enqueue/>', ['14204@0']],
    ['<Enqueue workflowSid="WW1"><Task>{}</Task></Enqueue>', ['14220@9']],
    [`<Enqueue>${'q'.repeat(65)}</Enqueue>`, ['14205@9']],
    ['<Enqueue workflowSid="WW0123456789abcdef0123456789abcdef"><Task>{"a":1}</Task></Enqueue>', []],
    ['<Enqueue workflowSid="WW0123456789abcdef0123456789abcdef"><Task>[1]</Task></Enqueue>', ['14221@58']],
    ['<Dial><Queue/></Dial>', ['14212@6']],
    [`<Dial><Queue>${'q'.repeat(65)}</Queue></Dial>`, ['14213@13']],
    ['<Dial><Conference> </Conference></Dial>', ['13237@6']],
    ['<Dial><Conference>a</Conference><Number>+15005550006</Number></Dial>', ['13000@6']],
    ['<Dial><Sim>x</Sim></Dial>', ['12200@11']],
    ['<Dial><WhatsApp>x</WhatsApp></Dial>', ['13223@16']],
    [`<Dial><Client>${'c'.repeat(257)}</Client></Dial>`, ['12200@14']],
    ['<Dial><Number>+0123456789</Number></Dial>', ['13224@14']],
    ['<Dial><Number>0123</Number></Dial>', ['13223@14']],
    ['<Sms/>', ['14103@0']],
    [`<Sms>${'x'.repeat(1_601)}</Sms>`, ['14103@5']],
    ['<Pay bankAccountType="consumer-checking"/>', ['64017@5']],
    ['<Say/>', ['13520@0']],
  ])('%s', (inside, wanted) => {
    expect(found(inside)).toEqual(wanted);
  });
});

describe('the URIs and headers of <Sip> as elements', () => {
  const sip = (inside: string) => `<Dial><Sip>${inside}</Sip></Dial>`;
  it.each([
    [sip('<Uri username="u" password="p">a@b.example</Uri>'), []],
    [sip('a@b.example<Headers><Header name="X-A" value="1 &amp; 2"/></Headers>'), []],
    [sip('<Uri>a@b.example</Uri><Uri>c@b.example</Uri>'), ['12200@33']],
    [sip('<Uri priority="2">a@b.example</Uri><Uri priority="1">c@b.example</Uri>'), ['12200@11']],
    [sip('x@b.example<Uri>a@b.example</Uri>'), ['12200@11']],
    [sip('<Uri/>'), ['13243@11']],
    [sip('<Uri username="u">a@b.example</Uri>'), ['13249@29']],
    [sip('a@b.example<Headers><Header value="1"/></Headers>'), ['13252@31']],
    [sip('a@b.example<Headers><Header name="Via" value="1"/></Headers>'), ['32113@31']],
    [sip('a@b.example<Headers><Header name="X A" value="1"/></Headers>'), ['13252@31']],
    [sip(`a@b.example<Headers><Header name="X-A" value="${'1'.repeat(1_024)}"/></Headers>`), ['13253@31']],
    [
      sip(
        `a@b.example?X-A=${'1'.repeat(600)}<Headers><Header name="X-B" value="${'1'.repeat(600)}"/></Headers>`,
      ),
      ['13251@636'],
    ],
    [sip('a@b.example<Header name="X-A" value="1"/>'), ['12200@22']],
  ])('%s', (inside, wanted) => {
    expect(found(inside)).toEqual(wanted);
  });
});
