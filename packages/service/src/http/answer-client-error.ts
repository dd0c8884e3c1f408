import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { FacewrightError } from '@facewright/protocol';
import { invalidRequest } from './error-from-request.ts';
import { formatProblem, publicError } from './problem.ts';

/** Answers what is no HTTP request, or did not become one in time: the framework never sees it. */
export function answerClientError(
  error: NodeJS.ErrnoException,
  socket: Socket,
  options: { docsUrl: string; headersTimeoutMs: number },
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const known = publicError(describe(error.code ?? '', options.headersTimeoutMs));
  const problem = formatProblem(known, { requestId: randomBytes(12).toString('hex'), docsUrl: options.docsUrl });
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${problem.requestId}`,
    'x-content-type-options: nosniff',
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  // Whoever sent this may never close.
  setTimeout(() => socket.destroy(), 1000).unref();
}

function describe(code: string, limitMs: number): FacewrightError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new FacewrightError('FW_REQUEST_TIMEOUT', { limitMs });
  if (code === 'HPE_HEADER_OVERFLOW') return invalidRequest('headers', 'are too long (address included)');
  return invalidRequest('request', 'is not valid HTTP/1.1');
}
