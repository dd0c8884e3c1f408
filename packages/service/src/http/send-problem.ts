import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { awaitsContinue } from './expect-continue.ts';
import { formatProblem, type PublicError } from './problem.ts';

/**
 * How long the rest of a refused body is read away. A connection that is closed while the caller still sends is reset, and the caller
 * sees that instead of the answer.
 */
const LINGER_MS = 5000;

/** Answers with problem+json. Where the body has not been read, the connection is closed once the caller has had time to see it. */
export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  error: PublicError,
  context: { readonly docsUrl: string; readonly reconstruction?: string },
): FastifyReply {
  const problem = formatProblem(error, { requestId: request.id, ...context });
  request.problemCode = error.code;
  if (problem.retryAfterS !== undefined) reply.header('retry-after', String(problem.retryAfterS));
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="facewright"');
  // Set by a hook too, but hooks do not run for what is no valid address.
  reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff');
  const body = Buffer.from(JSON.stringify(problem));
  reply.code(problem.status).header('content-type', 'application/problem+json').header('cache-control', 'no-store');
  return sendWhileArriving(request, reply, body);
}

/** Sends an answer. Where the body has not been read, the connection is closed once the caller has had time to see the answer. */
export function sendWhileArriving(request: FastifyRequest, reply: FastifyReply, body: Buffer): FastifyReply {
  const { raw } = request;
  if (hasArrived(raw)) return reply.send(body);
  reply.header('connection', 'close');
  if (awaitsContinue(raw)) return reply.send(body);
  return reply.header('content-length', String(body.length)).send(Readable.from(thenDrain(body, raw), { objectMode: false }));
}

function hasArrived(raw: IncomingMessage): boolean {
  const { 'content-length': length, 'transfer-encoding': encoding } = raw.headers;
  return raw.complete || (encoding === undefined && (length === undefined || length === '0')) || raw.socket === undefined;
}

/** The whole answer at once, its end when the caller has stopped sending or the time is over. */
async function* thenDrain(body: Buffer, raw: IncomingMessage): AsyncGenerator<Buffer> {
  yield body;
  raw.unpipe();
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, LINGER_MS);
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    raw.once('end', done).once('close', done).once('error', done).resume();
    if (raw.complete && raw.readableEnded) done();
  });
}
