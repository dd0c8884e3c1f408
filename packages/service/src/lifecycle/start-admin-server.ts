import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HealthView } from '@facewright/protocol';
import { FacewrightError } from '@facewright/protocol';
import type { Metrics } from '../observability/create-metrics.ts';

/** Metrics are asked for every few seconds by one or two programs. */
const MAX_CONNECTIONS = 64;

/**
 * Listens on the admin port: `/metrics` and the health routes, for programs of the operator, without keys. Never the port of users.
 *
 * @returns the server and its address, e.g. `http://127.0.0.1:9090`
 * @throws FW_LISTEN_FAILED
 */
export async function startAdminServer(
  host: string,
  port: number,
  metrics: Metrics,
  readiness: () => HealthView,
): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    const send = (status: number, contentType: string, text: string): void => {
      response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' }).end(text);
    };
    const [path = ''] = (request.url ?? '').split('?');
    if (request.method !== 'GET' && request.method !== 'HEAD') return send(405, 'text/plain', 'Only GET here\n');
    if (path === '/metrics') {
      metrics.text().then(
        (text) => send(200, metrics.contentType, text),
        () => send(500, 'text/plain', 'Metrics cannot be read\n'),
      );
      return;
    }
    const status = statusOfProbe(path, readiness());
    if (status === null) return send(404, 'text/plain', '/metrics /startupz /readyz /livez /health\n');
    send(status, 'application/json', JSON.stringify(readiness()));
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.headersTimeout = 5000;
  server.requestTimeout = 5000;
  await listen(server, host, port);
  const address = server.address() as AddressInfo;
  return {
    url: `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Status of a health route, or null where the path is none. Alive is whoever answers. */
function statusOfProbe(path: string, { status }: HealthView): number | null {
  switch (path) {
    case '/livez':
      return 200;
    case '/startupz':
      return status === 'starting' ? 503 : 200;
    case '/readyz':
    case '/health':
      return status === 'ready' ? 200 : 503;
    default:
      return null;
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new FacewrightError('FW_LISTEN_FAILED', { address: `${host}:${port}`, reason: error.code ?? error.message }, { cause: error }),
      );
    });
    server.listen(port, host, () => resolve());
  });
}
