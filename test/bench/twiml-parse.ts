import { XMLParser } from 'fast-xml-parser';
import { parseDocument } from '../../src/twiml/document/parse.ts';
import { lint } from '../../src/twiml/lint/lint.ts';
import { readVerbs } from '../../src/twiml/verbs/registry.ts';

/** A menu as applications send it: nested prompts, attributes, references, 0.9 kB. */
const MENU = `<?xml version="1.0" encoding="UTF-8"?>
<Response>
  <!-- opening hours -->
  <Gather input="dtmf" action="/menu/choice?lang=en&amp;step=1" method="POST" timeout="5" numDigits="1" finishOnKey="">
    <Say voice="woman" language="en-GB">Welcome to Example &amp; Sons.</Say>
    <Say>For sales, press 1. For support, press 2. <break time="500ms"/> To leave a message, press 3.</Say>
    <Play loop="1">https://media.example/audio/menu.wav</Play>
    <Pause length="2"/>
  </Gather>
  <Say>We did not hear from you. Please leave a message after the tone.</Say>
  <Record action="/menu/recorded" maxLength="120" timeout="4" finishOnKey="#" playBeep="true" trim="trim-silence"
    recordingStatusCallback="https://app.example/recordings" recordingStatusCallbackEvent="completed absent"/>
  <Redirect method="POST">/menu</Redirect>
</Response>
`;

/** A short answer, 0.3 kB. */
const ANSWER = `<?xml version="1.0" encoding="UTF-8"?>
<Response>
  <Say voice="woman">Thank you for calling. Please hold the line.</Say>
  <Dial callerId="+15550100" timeout="20" action="/after?step=1&amp;call=2">
    <Number>+15550101</Number>
    <Sip>sip:desk@pbx.example.com;transport=tls</Sip>
  </Dial>
  <Hangup/>
</Response>
`;

/** As many verbs as an application generates that reads out a list, 20 kB. */
const LIST = `<?xml version="1.0" encoding="UTF-8"?>
<Response>
${Array.from(
  { length: 100 },
  (
    _,
    at,
  ) => `  <Say voice="woman" language="en-GB">Message ${at + 1}: received at <say-as interpret-as="time">12:${at % 60}</say-as>, from A &amp; B.</Say>
  <Play loop="1">https://media.example/messages/${at}.wav</Play>
`,
).join('')}</Response>
`;

const URL = 'https://app.example/voice';

export interface TwimlParseResult {
  readonly bytes: number;
  /** Per second of processor: fast-xml-parser alone on the same text, with attributes and places, without validation. */
  readonly barePerSecond: number;
  /** Documents a second from text to a tree with places, everything that is not well-formed refused. */
  readonly parsedPerSecond: number;
  /** Documents a second from text to verbs with their values and diagnostics. */
  readonly readPerSecond: number;
  /** Documents a second from text to everything that the linter says. */
  readonly lintedPerSecond: number;
  /** Time of a document over time of the bare parser: what holds from machine to machine. */
  readonly parsedToBare: number;
  readonly readToBare: number;
  readonly lintedToBare: number;
}

/** A short, a usual and a long document. */
export function benchTwimlParse(turns = 15): Readonly<Record<string, TwimlParseResult>> {
  return {
    answer: measure(ANSWER, turns, 2_000),
    menu: measure(MENU, turns, 1_000),
    list: measure(LIST, turns, 50),
  };
}

/** In turns, the best of each: what a machine that is busy with other things took away is not in it. */
function measure(text: string, turns: number, perTurn: number): TwimlParseResult {
  const parser = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: '',
    trimValues: false,
    processEntities: false,
    captureMetaData: true,
  });
  const bare = () => {
    parser.parse(text);
  };
  const parse = () => {
    const parsed = parseDocument(text, URL);
    if (!parsed.ok) throw new Error(parsed.diagnostic.message);
    return parsed.root;
  };
  const read = () => {
    if (readVerbs(parse(), URL).steps.length < 3) throw new Error('verbs are missing');
  };
  const linted = () => lint(text, { url: URL });
  const works = [bare, parse, read, linted];
  for (const work of works) time(work, perTurn * 3); // warm up
  const best = works.map(() => Number.POSITIVE_INFINITY);
  for (let turn = 0; turn < turns; turn++) {
    for (const [at, work] of works.entries()) best[at] = Math.min(best[at] ?? 0, time(work, perTurn));
  }
  const [bareMs = 0, parsedMs = 0, readMs = 0, lintedMs = 0] = best;
  const rate = (spent: number) => Math.round((perTurn * 1000) / spent);
  return {
    bytes: Buffer.byteLength(text),
    barePerSecond: rate(bareMs),
    parsedPerSecond: rate(parsedMs),
    readPerSecond: rate(readMs),
    lintedPerSecond: rate(lintedMs),
    parsedToBare: parsedMs / bareMs,
    readToBare: readMs / bareMs,
    lintedToBare: lintedMs / bareMs,
  };
}

/** Milliseconds of processor. */
function time(work: () => unknown, times: number): number {
  const before = process.cpuUsage();
  for (let i = 0; i < times; i++) work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
