import type { ServerResponse } from 'node:http';
import { errorBody } from '../api-error.ts';

export function answerJson(res: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  res.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
  });
  res.end(text);
}

/** Twilio's error body, from the front itself. */
export function sendErrorBody(res: ServerResponse, status: number, code: number, message: string): void {
  answerJson(res, status, errorBody(status, code, message));
}
