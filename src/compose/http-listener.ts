import { createServer, type RequestListener } from 'node:http';
import { answerUnreadable } from '../api/unreadable-request.ts';
import { unusable } from './ports.ts';
import type { Address } from './settings.ts';

/**
 * Our choice: longer than the minute for which clients and proxies usually keep an idle connection. Were it closed here
 * first, a request that is on its way at that moment would fail.
 */
const IDLE_MS = 65_000;

/** Serves `app` where TRUNKLINE_HTTP says; `what` is said when the port cannot be bound. */
export async function listenHttp(
  app: RequestListener,
  at: Address,
  what: string,
): Promise<{ close(): Promise<void> }> {
  const server = createServer({ keepAliveTimeout: IDLE_MS }, app);
  server.on('clientError', answerUnreadable);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(unusable({ ...at, kind: 'tcp', what, variable: 'TRUNKLINE_HTTP' }, error)),
    );
    server.listen(at.port, at.host, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}
