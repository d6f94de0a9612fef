import { createServer } from 'node:http';
import type { Metrics } from './metrics.ts';
import { unusable } from './ports.ts';
import type { Address } from './settings.ts';

/** `/healthz` and `/metrics` of a process that serves no other HTTP: a lone edge or worker. */
export async function serveMetrics(at: Address, metrics: Metrics): Promise<{ close(): Promise<void> }> {
  const server = createServer((request, response) => {
    if (request.url === '/healthz') {
      response.end('ok\n');
    } else if (request.url === '/metrics') {
      metrics.registry.metrics().then(
        (text) => {
          response.setHeader('Content-Type', metrics.registry.contentType);
          response.end(text);
        },
        () => {
          response.statusCode = 500;
          response.end();
        },
      );
    } else {
      response.statusCode = 404;
      response.end();
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(unusable({ ...at, kind: 'tcp', what: '/metrics', variable: 'TRUNKLINE_METRICS' }, error)),
    );
    server.listen(at.port, at.host, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
