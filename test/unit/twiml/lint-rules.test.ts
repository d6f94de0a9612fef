import { describe, expect, it } from 'vitest';
import { lint } from '../../../src/twiml/lint/lint.ts';
import type { LintLevel, LintOptions } from '../../../src/twiml/lint/lint-diagnostic.ts';
import { rules } from '../../../src/twiml/lint/rules.ts';

/** A document in which `¦` marks where something is found, and as what. */
interface Case {
  readonly text: string;
  readonly code: number | string;
  readonly level: LintLevel;
  readonly options?: LintOptions;
  /** What the message must say. */
  readonly says?: RegExp;
}

interface RuleCases {
  readonly finds: readonly Case[];
  /** Documents that look alike and are right. */
  readonly leaves: readonly (string | readonly [string, LintOptions])[];
  /** Twilio's codes the rule raises in place of its name. */
  readonly codes?: readonly number[];
}

const INLINE: LintOptions = { inline: true };
const SERVED: LintOptions = { url: 'https://app.acme.io/voice' };
const document = (body: string) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Response>\n  ${body}\n</Response>\n`;

const CASES: Readonly<Record<string, RuleCases>> = {
  'unreachable-verb': {
    finds: [
      ...[
        '<Redirect>https://a.io/next</Redirect>',
        '<Hangup/>',
        '<Record action="/done"/>',
        '<Record/>',
        '<Gather action="/in" actionOnEmptyResult="true"/>',
        '<Dial action="/after">+15005550006</Dial>',
        '<Dial action="/after" answerOnBridge="true"><Number>+15005550006</Number></Dial>',
        '<Enqueue action="/left">support</Enqueue>',
        '<Connect action="/after"><Stream url="wss://a.io/s"/></Connect>',
        '<Refer action="/after"><Sip>sip:a@a.io</Sip></Refer>',
        '<Pay action="/paid"/>',
      ].map((first) => ({
        text: document(`${first}\n  ¦<Say>Never</Say>`),
        code: 'unreachable-verb',
        level: 'warning' as const,
      })),
      {
        text: document('<Reject reason="busy"/>¦<Say>Never</Say><Play>/a.mp3</Play><Hangup/>'),
        code: 'unreachable-verb',
        level: 'warning',
        says: /<Say> is never reached nor the 2 verbs behind it: <Reject> ends the call/,
      },
      // What is put there to be safe does no harm.
      {
        text: document('<Dial action="/a">+15005550006</Dial>¦<Hangup/>'),
        code: 'unreachable-verb',
        level: 'note',
      },
    ],
    leaves: [
      document('<Gather action="/in"><Say>1 or 2</Say></Gather><Say>Nothing</Say><Redirect/>'),
      document('<Gather action="/in" actionOnEmptyResult="false"/><Say>Nothing</Say>'),
      document('<Dial>+15005550006</Dial><Say>Goodbye</Say>'),
      document('<Dial action="">+15005550006</Dial><Say>Goodbye</Say>'),
      document('<Enqueue>support</Enqueue><Say>Back</Say>'),
      document('<Connect><Stream url="wss://a.io/s"/></Connect><Say>Back</Say>'),
      document('<Refer><Sip>sip:a@a.io</Sip></Refer><Say>Back</Say>'),
      document('<Start><Stream url="wss://a.io/s"/></Start><Say>On</Say><Hangup/><!-- the end -->'),
      document('<Record action="/done"/>'),
    ],
  },
  'asks-again': {
    codes: [11100],
    finds: [
      {
        text: document('¦<Gather numDigits="1"><Say>1?</Say></Gather>'),
        code: 'asks-again',
        level: 'warning',
      },
      { text: document('<Say>Hi</Say>\n  ¦<Record maxLength="30"/>'), code: 'asks-again', level: 'warning' },
      { text: document('<Gather numDigits="1" ¦action=""/>'), code: 'asks-again', level: 'warning' },
      { text: document('¦<Record/>'), code: 11100, level: 'error', options: INLINE },
    ],
    leaves: [
      document('<Gather action="/in"/><Record action="/voice"/>'),
      document('<Dial>+15005550006</Dial>'),
      [document('<Record action="https://a.io/r"/>'), INLINE],
    ],
  },
  'first-verb': {
    finds: [
      { text: document('¦<Hangup/>'), code: 'first-verb', level: 'note', says: /<Reject>/ },
      {
        text: document('¦<Pause length="5"/><Say>Hi</Say>'),
        code: 'first-verb',
        level: 'note',
        says: /ring on/,
      },
    ],
    leaves: [
      document('<Say>Bye</Say><Hangup/>'),
      document('<Say>Hi</Say><Pause/>'),
      document('<Reject/>'),
      '<Response/>',
    ],
  },
  'reject-after-answer': {
    finds: [
      '<Say>No</Say>',
      '<Play>/no.mp3</Play>',
      '<Pause/>',
      '<Gather action="/x"/>',
      '<Dial>+15005550006</Dial>',
    ].map((first) => ({
      text: document(`${first}\n  ¦<Reject/>`),
      code: 'reject-after-answer',
      level: 'warning' as const,
    })),
    leaves: [
      document('<Reject reason="busy"/>'),
      document('<Dial answerOnBridge="true">+15005550006</Dial><Reject/>'),
    ],
  },
  'answer-on-bridge-too-late': {
    finds: [
      {
        text: document('<Say>One moment</Say>\n  <Dial ¦answerOnBridge="true">+15005550006</Dial>'),
        code: 'answer-on-bridge-too-late',
        level: 'warning',
      },
    ],
    leaves: [
      document('<Dial answerOnBridge="true">+15005550006</Dial>'),
      document('<Say>One moment</Say><Dial answerOnBridge="false">+15005550006</Dial>'),
      document('<Say>Hi</Say><Dial answerOnBridge="true"><Number url="/screen">+15005550006</Number></Dial>'),
      document('<Say>Hi</Say><Dial answerOnBridge="true" referUrl="/refer"><Sip>sip:a@a.io</Sip></Dial>'),
    ],
  },
  'redirect-loop': {
    finds: [
      { text: document('¦<Redirect/>'), code: 'redirect-loop', level: 'warning' },
      {
        text: document('<Redirect>\n    ¦/voice\n  </Redirect>'),
        code: 'redirect-loop',
        level: 'warning',
        options: SERVED,
      },
    ],
    leaves: [
      document('<Say>Wait</Say><Redirect/>'),
      [document('<Redirect>/other</Redirect>'), SERVED],
      [document('<Redirect>/voice?again=1</Redirect>'), SERVED],
    ],
  },
  'redirect-nowhere': {
    codes: [11100],
    finds: [{ text: document('<Say>Hi</Say>¦<Redirect/>'), code: 11100, level: 'error', options: INLINE }],
    leaves: [
      [document('<Redirect>https://a.io/next</Redirect>'), INLINE],
      document('<Say>Hi</Say><Redirect/>'),
    ],
  },
  'relative-url': {
    codes: [15004],
    finds: [
      {
        text: document('<Gather ¦action="/in"/><Redirect>/next</Redirect>'),
        code: 15004,
        level: 'note',
        says: /the first of 2/,
      },
      { text: document('<Redirect>¦next.xml</Redirect>'), code: 15004, level: 'error', options: INLINE },
      { text: document('<Play>\n ¦/a.mp3</Play>'), code: 15004, level: 'error', options: INLINE },
    ],
    leaves: [
      [document('<Gather action="/in"/><Redirect>next.xml</Redirect>'), SERVED],
      [document('<Redirect>https://a.io/next</Redirect>'), INLINE],
      document('<Redirect>https://a.io/next</Redirect>'),
    ],
  },
  'missing-scheme': {
    finds: [
      { text: document('<Play>¦www.acme.io/a.mp3</Play>'), code: 'missing-scheme', level: 'warning' },
      { text: document('<Gather ¦action="api.acme.com/in"/>'), code: 'missing-scheme', level: 'warning' },
      {
        text: document('<Redirect>¦acme.ngrok.app:8080/in</Redirect>'),
        code: 'missing-scheme',
        level: 'warning',
      },
    ],
    leaves: [
      document('<Play>hello.mp3</Play>'),
      document('<Redirect>voice.php</Redirect>'),
      document('<Redirect>v1.2/voice</Redirect>'),
      document('<Gather action="voice.php/in"/>'),
      document('<Gather action="{{ host }}acme.com/in"/>'),
      document('<Play>https://www.acme.io/a.mp3</Play>'),
    ],
  },
  'unusable-url': {
    codes: [11100],
    finds: [
      { text: document('<Redirect>¦ftp://a.io/next</Redirect>'), code: 11100, level: 'error' },
      { text: document('<Play>¦file:///tmp/a.wav</Play>'), code: 11100, level: 'error' },
      { text: document('<Gather ¦action="https://my_app.acme.io/in"/>'), code: 11100, level: 'error' },
      { text: document('<Gather ¦action="https://:80/in"/>'), code: 11100, level: 'error' },
    ],
    leaves: [
      document('<Gather action="?step=2"/>'),
      document('<Redirect>../next</Redirect>'),
      document('<Redirect>https://{{host}}/in</Redirect>'),
      document('<Redirect>https://user:secret@a.io/in?a=1&amp;b=2</Redirect>'),
    ],
  },
  'nothing-to-play': {
    codes: [11100],
    finds: [
      { text: document('¦<Play/>'), code: 11100, level: 'error' },
      { text: document('¦<Play loop="2"> </Play>'), code: 11100, level: 'error' },
      { text: document('<Gather action="/in">¦<Play></Play></Gather>'), code: 11100, level: 'error' },
    ],
    leaves: [
      document('<Play digits="ww1"/>'),
      document('<Play>a.mp3</Play>'),
      document('<Play><![CDATA[a.mp3?x=1&y=2]]></Play>'),
      document('<Gather action="/in"><Play>{{ prompt }}</Play></Gather>'),
    ],
  },
  'plain-http': {
    finds: [
      { text: document('<Gather ¦action="http://app.acme.io/in"/>'), code: 'plain-http', level: 'warning' },
      {
        text: document('<Redirect>¦http://203.0.114.9:8080/in</Redirect>'),
        code: 'plain-http',
        level: 'warning',
      },
      {
        text: document('<Dial><Number ¦statusCallback="http://app.acme.io/s">+15005550006</Number></Dial>'),
        code: 'plain-http',
        level: 'warning',
      },
    ],
    leaves: [
      document('<Gather action="https://app.acme.io/in"/>'),
      ...[
        'localhost:3000',
        '127.0.0.1',
        '10.1.2.3',
        '192.168.0.5:80',
        '[::1]:3000',
        'app',
        'app.local',
        'a.test',
      ].map((host) => document(`<Gather action="http://${host}/in"/>`)),
      document('<Play>http://media.acme.io/a.mp3</Play>'),
    ],
  },
  'connection-override': {
    codes: [11100, 11240, 11241, 11243],
    finds: [
      { text: document('<Gather ¦action="/in#e=atlantis"/>'), code: 11240, level: 'error' },
      { text: document('<Redirect>¦https://a.io/in#e=tokyo-ix</Redirect>'), code: 11241, level: 'error' },
      { text: document('<Gather ¦action="/in#rp=6xx"/>'), code: 11243, level: 'error' },
      { text: document('<Gather ¦action="/in#ct=1"/>'), code: 11100, level: 'warning' },
    ],
    leaves: [document('<Gather action="/in#ct=2000&amp;rc=2&amp;rp=5xx&amp;e=dublin,frankfurt"/>')],
  },
  'absolute-callback': {
    finds: [
      {
        text: document('<Start><Stream url="wss://a.io/s" ¦statusCallback="/s"/></Start>'),
        code: 'absolute-callback',
        level: 'warning',
      },
      {
        text: document('<Start><Transcription ¦statusCallbackUrl="/t"/></Start>'),
        code: 'absolute-callback',
        level: 'warning',
      },
    ],
    leaves: [
      document('<Start><Stream url="wss://a.io/s" statusCallback="https://a.io/s"/></Start>'),
      document('<Start><Recording recordingStatusCallback="/r"/></Start>'),
      document('<Dial><Number statusCallback="/s">+15005550006</Number></Dial>'),
    ],
  },
  'same-name': {
    finds: [
      {
        text: document(
          '<Start><Stream name="a" url="wss://a.io/s"/></Start><Start><Stream ¦name="a" url="wss://a.io/t"/></Start>',
        ),
        code: 'same-name',
        level: 'warning',
      },
    ],
    leaves: [
      document(
        '<Start><Stream name="a" url="wss://a.io/s"/></Start><Stop><Stream name="a"/></Stop><Start><Stream name="a" url="wss://a.io/s"/></Start>',
      ),
      document('<Start><Stream name="a" url="wss://a.io/s"/></Start><Start><Recording name="a"/></Start>'),
      document('<Start><Stream url="wss://a.io/s"/></Start><Start><Stream url="wss://a.io/t"/></Start>'),
    ],
  },
  'finishing-key': {
    finds: [
      {
        text: document('<Gather action="/in" numDigits="4" ¦finishOnKey=""/>'),
        code: 'finishing-key',
        level: 'note',
        says: /fewer than 4 waits for the timeout/,
      },
      { text: document('<Gather action="/in" ¦finishOnKey=""/>'), code: 'finishing-key', level: 'note' },
      {
        text: document('<Gather action="/in" numDigits="1" ¦finishOnKey="#"/>'),
        code: 'finishing-key',
        level: 'note',
      },
    ],
    leaves: [
      document('<Gather action="/in" numDigits="1" finishOnKey=""/>'),
      document('<Gather action="/in" numDigits="4" finishOnKey="#"/>'),
      document('<Gather action="/in" numDigits="1"/>'),
      document('<Gather action="/in" input="speech" finishOnKey=""/>'),
      document('<Record action="/in" finishOnKey=""/>'),
    ],
  },
  'without-effect': {
    finds: [
      ['<Dial ¦recordingStatusCallback="/r">+15005550006</Dial>', 'warning'],
      ['<Dial record="false" ¦recordingStatusCallback="/r">+15005550006</Dial>', 'warning'],
      ['<Dial ¦trim="trim-silence">+15005550006</Dial>', 'note'],
      ['<Dial ¦method="GET">+15005550006</Dial>', 'note'],
      ['<Dial ¦referMethod="GET"><Sip>sip:a@a.io</Sip></Dial>', 'note'],
      ['<Dial><Number ¦statusCallbackEvent="ringing answered">+15005550006</Number></Dial>', 'warning'],
      ['<Dial><Sip ¦method="GET">sip:a@a.io</Sip></Dial>', 'note'],
      ['<Dial><Number ¦amdStatusCallback="/amd">+15005550006</Number></Dial>', 'warning'],
      ['<Dial><Conference ¦waitMethod="GET">room</Conference></Dial>', 'note'],
      ['<Record action="/r" ¦transcribeCallback="/t"/>', 'warning'],
      ['<Record action="/r" ¦recordingStatusCallbackEvent="completed absent"/>', 'warning'],
      ['<Gather action="/in" ¦hints="yes, no"/>', 'warning'],
      ['<Gather action="/in" input="dtmf" ¦speechTimeout="auto"/>', 'warning'],
      ['<Gather action="/in" ¦language="fr-FR"/>', 'note'],
      ['<Gather action="/in" input="speech" ¦numDigits="1"/>', 'note'],
      ['<Enqueue ¦waitUrlMethod="GET">support</Enqueue>', 'note'],
    ].map(([body = '', level]) => ({
      text: document(body),
      code: 'without-effect',
      level: level === 'note' ? ('note' as const) : ('warning' as const),
    })),
    leaves: [
      document(
        '<Dial record="record-from-answer" trim="trim-silence" recordingStatusCallback="/r">+15005550006</Dial>',
      ),
      document(
        '<Dial recordingStatusCallback="/r"><Conference record="record-from-start">room</Conference></Dial>',
      ),
      document('<Dial action="/a" method="GET">+15005550006</Dial>'),
      document('<Gather method="GET"/>'), // asks the document itself with it
      document('<Record method="GET"/>'),
      document('<Gather action="/in" input="voice" numDigits="1"/>'), // which is 13326, and keys as before
      document('<Redirect method="GET">/next</Redirect>'),
      document('<Gather input="dtmf speech" hints="yes" numDigits="1" language="fr-FR" action="/in"/>'),
      document('<Record action="/r" transcribe="true" transcribeCallback="/t"/>'),
      document(
        '<Dial><Number statusCallback="/s" statusCallbackEvent="ringing">+15005550006</Number></Dial>',
      ),
    ],
  },
  'repeated-event': {
    finds: [
      {
        text: document(
          '<Dial><Sip statusCallback="/s" ¦statusCallbackEvent="ringing answered ringing">sip:a@a.io</Sip></Dial>',
        ),
        code: 'repeated-event',
        level: 'note',
      },
    ],
    leaves: [
      document(
        '<Dial><Sip statusCallback="/s" statusCallbackEvent="ringing answered">sip:a@a.io</Sip></Dial>',
      ),
    ],
  },
  'escaped-twice': {
    finds: [
      { text: document('<Say>¦Fish &amp;amp; chips</Say>'), code: 'escaped-twice', level: 'warning' },
      {
        text: document('<Say>¦Wait &lt;break time="1s"/&gt; please</Say>'),
        code: 'escaped-twice',
        level: 'warning',
      },
      {
        text: document('<Say><![CDATA[¦Wait <break/> please]]></Say>'),
        code: 'escaped-twice',
        level: 'warning',
      },
      {
        text: document('<Say>A<prosody rate="slow">¦ten &amp;#36;</prosody></Say>'),
        code: 'escaped-twice',
        level: 'warning',
      },
      { text: document('<Gather ¦action="/in?a=1&amp;amp;b=2"/>'), code: 'escaped-twice', level: 'warning' },
    ],
    leaves: [
      document('<Say>Fish &amp; chips, 3 &lt; 5 and x &lt; y &gt; z</Say>'),
      document('<Say>Wait <break time="1s"/> please</Say>'),
      document('<Say><![CDATA[Fish & chips]]></Say>'),
      document('<Gather action="/in?a=1&amp;b=2"/>'),
    ],
  },
  'legacy-sip-parameter': {
    finds: [
      {
        text: document(`<Dial><Sip>¦sip:a@a.io;tnx=TX${'0'.repeat(32)}</Sip></Dial>`),
        code: 'legacy-sip-parameter',
        level: 'warning',
        says: /tnx= is deprecated/,
      },
      {
        text: document('<Dial><Sip>¦sip:a@a.io;region=ie1?X-A=b</Sip></Dial>'),
        code: 'legacy-sip-parameter',
        level: 'note',
      },
    ],
    leaves: [
      document('<Dial><Sip>sip:a@a.io;edge=dublin;transport=tcp?X-Tnx=;tnx=1</Sip></Dial>'),
      document('<Refer><Sip>sip:a@a.io;region=x</Sip></Refer>'),
    ],
  },
  'registered-address': {
    codes: [32002, 32220, 32223, 32301, 32305],
    finds: [
      {
        text: document('<Dial><Sip>\n      ¦sip:alice@office.sip.dublin.twilio.com\n    </Sip></Dial>'),
        code: 32220,
        level: 'error',
        says: /Call sip:alice@office\.sip\.twilio\.com/,
      },
      {
        text: document('<Dial><Sip>¦sip:alice@office.sip.de1.trunkline.localhost</Sip></Dial>'),
        code: 32220,
        level: 'error',
      },
      {
        text: document('<Dial><Sip>¦alice@office.sip.tokyo.voice.acme.io</Sip></Dial>'),
        code: 32220,
        level: 'error',
        options: { domain: 'voice.acme.io' },
      },
      { text: document('<Dial><Sip>¦sip:office.sip.twilio.com</Sip></Dial>'), code: 32223, level: 'error' },
      {
        text: document('<Dial><Sip>¦sip:alice@office.sip.atlantis.twilio.com</Sip></Dial>'),
        code: 32002,
        level: 'warning',
      },
      {
        text: document('<Dial><Sip>¦sip:alice@office.sip.twilio.com;edge=dublin</Sip></Dial>'),
        code: 'registered-address',
        level: 'note',
      },
      {
        text: document('<Dial><Sip>¦sip:alice@office.sip.twilio.com;tnx=TX1</Sip></Dial>'),
        code: 'registered-address',
        level: 'note',
      },
      {
        text: document('<Dial><Sip>¦sip:alice@pbx.sip.acme.io;edge=mars-ix</Sip></Dial>'),
        code: 32305,
        level: 'warning',
      },
    ],
    leaves: [
      document('<Dial><Sip>sip:alice@office.sip.twilio.com</Sip></Dial>'),
      document('<Dial><Sip>sip:alice@office.sip.us1.twilio.com</Sip></Dial>'),
      document('<Dial><Sip>sip:alice@pbx.acme.io;edge=dublin</Sip></Dial>'),
      document('<Dial><Sip>sip:alice@pbx.sip.acme.io</Sip></Dial>'),
    ],
  },
  'not-in-region': {
    codes: [13258, 13803, 14219, 14226, 31952],
    finds: [
      ['<Dial>¦<Sim>DE00000000000000000000000000000000</Sim></Dial>', 13258],
      ['¦<Sms>Hello</Sms>', 13803],
      ['<Dial><Queue ¦reservationSid="WR00000000000000000000000000000000"/></Dial>', 14219],
      ['<Enqueue ¦workflowSid="WW00000000000000000000000000000000"/>', 14226],
      ['<Start><Stream ¦connectorName="c"/></Start>', 31952],
      ['<Connect>¦<Room>room</Room></Connect>', 'not-in-region'],
      ['<Connect>¦<VirtualAgent connectorName="c"/></Connect>', 'not-in-region'],
      ['<Start>¦<Siprec connectorName="c"/></Start>', 'not-in-region'],
      ['<Dial>¦<WhatsApp>+15005550006</WhatsApp></Dial>', 'not-in-region'],
      ['¦<Pay action="/paid"/>', 'not-in-region'],
    ].map(([body, code = 0], n) => ({
      text: document(`${body}`),
      code,
      level: typeof code === 'number' ? ('error' as const) : ('warning' as const),
      options: { region: n % 2 === 0 ? 'ie1' : 'au1' },
      says: /does not exist in (ie1|au1), only in us1/,
    })),
    leaves: [
      [document('<Dial><Sim>DE00000000000000000000000000000000</Sim></Dial>'), { region: 'us1' }],
      document('<Dial><Sim>DE00000000000000000000000000000000</Sim></Dial>'),
      [document('<Enqueue>support</Enqueue>'), { region: 'ie1' }],
      [document('<Dial><Queue>support</Queue></Dial>'), { region: 'ie1' }],
      [document('<Start><Stream url="wss://a.io/s"/></Start>'), { region: 'au1' }],
      [document('<Dial><Conference region="ie1">room</Conference></Dial>'), { region: 'au1' }],
    ],
  },
  'inline-length': {
    codes: [32018],
    finds: [
      {
        text: `¦<Response><Say>Hi</Say><!--${'x'.repeat(4_000)}--></Response>`,
        code: 32018,
        level: 'error',
        options: INLINE,
      },
    ],
    leaves: [
      [`<Response><Say>Hi</Say><!--${'x'.repeat(3_959)}--></Response>`, INLINE],
      `<Response><Say>Hi</Say><!--${'x'.repeat(4_000)}--></Response>`,
    ],
  },
  'not-executed': {
    finds: [
      { text: document('<Say>Hi</Say>¦<Enqueue>support</Enqueue>'), code: 'not-executed', level: 'note' },
      {
        text: document('<Connect>¦<Stream url="wss://a.io/s"/></Connect>'),
        code: 'not-executed',
        level: 'note',
      },
      ...[
        '<Dial><Sip>¦sip:a@a.io;transport=tls</Sip></Dial>',
        '<Dial><Sip>¦sips:a@a.io</Sip></Dial>',
        '<Dial><Sip>¦sip:a@a.io;secure=true?X-A=1</Sip></Dial>',
        '<Dial><Number ¦machineDetection="Enable" amdStatusCallback="/a">+15005550006</Number></Dial>',
      ].map((body) => ({ text: document(body), code: 'not-executed', level: 'note' as const })),
    ],
    leaves: [
      document('<Say>Hi <break time="1s"/></Say><Dial><Number>+15005550006</Number></Dial>'),
      document('<Enqueu>support</Enqueu>'),
      document('<Dial><Sip>sip:a@a.io;transport=tcp;secure=false</Sip></Dial>'),
      document('<Dial callReason="tea">+15005550006</Dial>'),
    ],
  },
  deprecated: {
    finds: [
      {
        text: document('<Dial><Conference ¦eventCallbackUrl="/e">room</Conference></Dial>'),
        code: 'deprecated',
        level: 'note',
      },
      {
        text: document('<Gather action="/in" input="speech" ¦enhanced="true"/>'),
        code: 'deprecated',
        level: 'note',
      },
    ],
    leaves: [
      document(
        '<Dial><Conference recordingStatusCallback="/e" record="record-from-start">room</Conference></Dial>',
      ),
    ],
  },
};

/** The document without its mark, and where that was. */
function unmarked(marked: string): { text: string; line: number; column: number } {
  const before = marked.slice(0, marked.indexOf('¦')).split('\n');
  return { text: marked.replace('¦', ''), line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

describe('a lint rule', () => {
  it('has documents in which it speaks up, and others in which it must not', () => {
    expect(Object.keys(CASES).sort()).toEqual(rules.map(({ id }) => id).sort());
    for (const [id, { finds, leaves }] of Object.entries(CASES)) {
      expect([finds.length > 0, leaves.length > 0], id).toEqual([true, true]);
    }
  });

  for (const [id, { finds, leaves, codes = [] }] of Object.entries(CASES)) {
    const own: readonly (number | string)[] = [id, ...codes];
    const rule = rules.find((one) => one.id === id);

    it(`${id} finds its mistake at its place`, () => {
      for (const { text: marked, code, level, options, says } of finds) {
        const { text, line, column } = unmarked(marked);
        const found = lint(text, options).filter((one) => one.code === code);
        expect(
          found.map((one) => [one.line, one.column, one.level]),
          marked,
        ).toContainEqual([line, column, level]);
        const [first] = found;
        expect(first?.message, marked).toMatch(says ?? /\S/);
        expect(first?.message).not.toMatch(/^line \d/);
        expect(first?.docs).toMatch(/^https:\/\/www\.twilio\.com\/docs\//);
        expect(codes.length > 0 || first?.docs === rule?.docs, marked).toBe(true);
      }
    });

    it(`${id} leaves alone what only looks like it`, () => {
      for (const one of leaves) {
        const [text, options] = typeof one === 'string' ? [one] : one;
        const found = lint(text, options);
        const about = text.slice(0, 300);
        expect(
          found.filter(({ code }) => code === 12100),
          about,
        ).toEqual([]);
        expect(
          found.filter(({ code }) => own.includes(code)),
          about,
        ).toEqual([]);
      }
    });
  }
});
