import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorBody } from './api-error.ts';

/**
 * Answers what is no HTTP request, or one whose head is larger than Node reads (16 KiB), with Twilio's error body: no
 * application gets to see it. For the `clientError` of a server.
 */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const tooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const status = tooLarge ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
  const why = tooLarge
    ? 'The path, query and headers of the request are too large; send parameters in a form.'
    : 'The request could not be read as HTTP.';
  const body = JSON.stringify(errorBody(status, tooLarge ? 20413 : 20001, why));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
