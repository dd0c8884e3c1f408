import { connect, type Socket } from 'node:net';

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Everything, interim answers too. */
  readonly text: string;
}

/** A connection that a test writes to as it likes. */
export interface RawConnection {
  readonly socket: Socket;
  /** Everything that has come. */
  text(): string;
  /** Resolves when what has come satisfies `test`, or the connection has ended. */
  until(test: (text: string) => boolean): Promise<string>;
  /** Resolves when the service has closed the connection. */
  closed(): Promise<void>;
}

export async function openRaw(port: number): Promise<RawConnection> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let text = '';
  let over = false;
  const listeners = new Set<() => void>();
  const tell = () => {
    for (const listener of [...listeners]) listener();
  };
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
    tell();
  });
  const end = () => {
    over = true;
    tell();
  };
  socket.on('end', end).on('close', end).on('error', end);
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  const wait = (isDone: () => boolean) =>
    new Promise<void>((resolve) => {
      const check = () => {
        if (!isDone()) return;
        listeners.delete(check);
        resolve();
      };
      listeners.add(check);
      check();
    });
  return {
    socket,
    text: () => text,
    async until(test) {
      await wait(() => over || test(text));
      return text;
    },
    closed: () => wait(() => over),
  };
}

/** Writes bytes and returns the final answer; the connection is closed then. */
export async function rawRequest(port: number, bytes: string | Buffer): Promise<RawAnswer> {
  const connection = await openRaw(port);
  connection.socket.write(bytes);
  await connection.until((text) => isComplete(text));
  connection.socket.destroy();
  return parseRaw(connection.text());
}

/** The last answer in what has come. */
export function parseRaw(text: string): RawAnswer {
  const final = text.replace(/^(HTTP\/1\.1 1\d\d [^\r]*\r\n(?:[^\r]+\r\n)*\r\n)+/, '');
  const [head = '', ...rest] = final.split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const body = rest.join('\r\n\r\n');
  const length = headers['content-length'];
  // What follows belongs to the answer of a second request.
  return {
    status: Number(statusLine.split(' ')[1] ?? 0),
    headers,
    body: length === undefined ? body : body.slice(0, Number(length)),
    text,
  };
}

function isComplete(text: string): boolean {
  const { status, headers, body } = parseRaw(text);
  if (status === 0) return false;
  if (headers['transfer-encoding'] === 'chunked') return body.endsWith('0\r\n\r\n');
  // Without a length the answer ends with the connection: NaN compares as not yet complete.
  return Buffer.byteLength(body, 'latin1') >= Number(headers['content-length']);
}

/** Head of a request with a raw photo. */
export function uploadHead(options: { length?: number; headers?: Record<string, string>; path?: string; method?: string } = {}): string {
  const { length, headers = {}, path = '/v1/reconstructions', method = 'POST' } = options;
  const all = {
    host: 'localhost',
    'content-type': 'image/jpeg',
    ...(length === undefined ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(length) }),
    ...headers,
  };
  return `${method} ${path} HTTP/1.1\r\n${Object.entries(all)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`;
}
