import { XMLParser } from 'fast-xml-parser';
import { parseDocument } from '../../src/twiml/document/parse.ts';
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

const URL = 'https://app.example/voice';

export interface TwimlParseResult {
  /** Documents a second from text to verbs with their values and diagnostics. */
  readonly documentsPerSecond: number;
  /** fast-xml-parser alone on the same text, with the same options, without validation. */
  readonly barePerSecond: number;
  /** Time of a document over time of the bare parser: what holds from machine to machine. */
  readonly ratio: number;
}

/** Measures both in turns, so that a busy machine slows both. */
export function benchTwimlParse(turns = 5, perTurn = 1_000): TwimlParseResult {
  const parser = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: '',
    trimValues: false,
    processEntities: false,
    captureMetaData: true,
  });
  const whole = () => {
    const parsed = parseDocument(MENU, URL);
    if (!parsed.ok || readVerbs(parsed.root, URL).steps.length !== 4)
      throw new Error('the menu does not parse');
  };
  const bare = () => {
    parser.parse(MENU);
  };
  time(whole, perTurn); // warm both up
  time(bare, perTurn);
  let wholeMs = 0;
  let bareMs = 0;
  for (let turn = 0; turn < turns; turn++) {
    wholeMs += time(whole, perTurn);
    bareMs += time(bare, perTurn);
  }
  const rate = (ms: number) => Math.round((turns * perTurn * 1000) / ms);
  return { documentsPerSecond: rate(wholeMs), barePerSecond: rate(bareMs), ratio: wholeMs / bareMs };
}

function time(work: () => void, times: number): number {
  const begun = performance.now();
  for (let i = 0; i < times; i++) work();
  return performance.now() - begun;
}
