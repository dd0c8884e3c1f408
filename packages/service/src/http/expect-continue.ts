import type { IncomingMessage, Server, ServerResponse } from 'node:http';

const waiting = new WeakSet<IncomingMessage>();

/**
 * Takes over `Expect: 100-continue`: the go-ahead is given when the body is wanted, so that a refused photo is never sent. Without this
 * Node gives it at once.
 */
export function holdContinue(server: Server): void {
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    waiting.add(request);
    server.emit('request', request, response);
  });
  // Expectations that nobody knows are not met, and harm nobody (RFC 9110, 10.1.1); Node would answer in its own words.
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => void server.emit('request', request, response));
}

/** The caller may send its body now. */
export function giveContinue(request: IncomingMessage, response: ServerResponse): void {
  if (waiting.delete(request)) response.writeContinue();
}

/** The caller has not been told to send its body. */
export function awaitsContinue(request: IncomingMessage): boolean {
  return waiting.has(request);
}
