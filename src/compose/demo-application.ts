import type { Server } from 'node:http';
import express, { type Express } from 'express';
import { REGIONS, type RegionId } from '../region/region.ts';
import type { Address } from './settings.ts';

const PLACES: Readonly<Record<RegionId, string>> = {
  us1: 'the United States',
  ie1: 'Ireland',
  au1: 'Australia',
};

/**
 * The application behind the demo numbers, as a customer would write it: a menu that speaks, gathers and records.
 * Each Region has a webhook of its own, so a caller hears which one answered.
 *
 * @param phone `host:port` of the telephone that the third choice calls
 */
export function demoApplication(phone: string): Express {
  const app = express();
  app.use(express.urlencoded({ extended: false }));
  const twiml = (body: string) =>
    `<?xml version="1.0" encoding="UTF-8"?>\n<Response>\n${body}\n</Response>\n`;

  app.post('/:region/voice', (request, response) => {
    const region = regionOf(request.params.region);
    response.type('text/xml').send(
      twiml(`  <Gather numDigits="1" timeout="8" action="menu">
    <Say>Hello. This is Trunkline, in Region ${region}, ${PLACES[region]}. Press 1 to hear the number you called. Press 2 to leave a message. Press 3 to be connected to a telephone of yours.</Say>
  </Gather>
  <Say>You pressed nothing. Goodbye.</Say>`),
    );
  });

  app.post('/:region/menu', (request, response) => {
    const digit = parameter(request.body, 'Digits');
    const choices: Readonly<Record<string, string>> = {
      '1': `  <Say>You called ${[...parameter(request.body, 'To').slice(1)].join(' ')}. Region ${regionOf(request.params.region)} took the call.</Say>
  <Redirect>voice</Redirect>`,
      '2': `  <Say>Speak after the beep. Press pound when you are done.</Say>
  <Record action="recorded" maxLength="60" finishOnKey="#" timeout="5"/>`,
      '3': `  <Say>Connecting you.</Say>
  <Dial timeout="20" action="connected"><Sip>sip:you@${phone}</Sip></Dial>`,
    };
    response
      .type('text/xml')
      .send(
        twiml(choices[digit] ?? '  <Say>That is no choice of this menu.</Say>\n  <Redirect>voice</Redirect>'),
      );
  });

  app.post('/:region/connected', (request, response) => {
    const said =
      field(request.body, 'DialCallStatus') === 'completed'
        ? 'That call is over. Goodbye.'
        : 'Nobody answered. Run trunkline answer, and try again.';
    response.type('text/xml').send(twiml(`  <Say>${said}</Say>`));
  });

  app.post('/:region/recorded', (request, response) => {
    const seconds = Number(parameter(request.body, 'RecordingDuration')) || 0;
    response.type('text/xml').send(
      twiml(`  <Say>Thank you. Your message of ${seconds} seconds is kept in Region ${regionOf(request.params.region)}. Goodbye.</Say>
  <Hangup/>`),
    );
  });
  return app;
}

/** Only a Region's own id comes back out: the path is the caller's text. */
function regionOf(text: string | undefined): RegionId {
  return text === 'ie1' || text === 'au1' ? text : REGIONS.us1.id;
}

function field(body: unknown, name: string): string {
  const value: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
  return typeof value === 'string' ? value : '';
}

/** What is spoken back: the caller's text, as far as it is a number. */
function parameter(body: unknown, name: string): string {
  return field(body, name).replace(/[^0-9+*#]/g, '');
}

export function serveDemo(at: Address, phone: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = demoApplication(phone).listen(at.port, at.host, () => resolve(server));
    server.once('error', reject);
  });
}
