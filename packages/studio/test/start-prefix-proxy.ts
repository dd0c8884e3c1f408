import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A proxy as operators put it in front of a service: shows it under a path, which it takes off; all else is not found. */
export async function startPrefixProxy(target: string, prefix: string): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const { hostname, port } = new URL(target);
  const server = createServer((incoming, outgoing) => {
    if (!incoming.url?.startsWith(prefix)) {
      outgoing.writeHead(404).end();
      return;
    }
    const { method, headers, url } = incoming;
    const onward = request({ hostname, port, method, headers, path: `/${url.slice(prefix.length)}` }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
