import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { answerUnreadable } from '../../../src/api/unreadable-request.ts';

const server = createServer((_req, res) => res.end('ok')).on('clientError', answerUnreadable);

beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => new Promise((resolve) => server.close(resolve)));

async function send(request: string): Promise<{ status: number; body: unknown }> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write(request);
  const answer = await text(socket);
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), body: JSON.parse(body) };
}

it.each([
  ['a query beyond what is read', `GET /?${'x'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431, 20413],
  ['a header beyond it', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 20413],
  ['what is no HTTP', 'INVITE sip:a@b SIP/2.0\r\n\r\n', 400, 20001],
  [
    'two lengths',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx',
    400,
    20001,
  ],
])("answers %s with Twilio's error body", async (_what, request, status, code) => {
  expect(await send(request)).toEqual({
    status,
    body: {
      code,
      message: expect.any(String),
      more_info: `https://www.twilio.com/docs/errors/${code}`,
      status,
    },
  });
});
