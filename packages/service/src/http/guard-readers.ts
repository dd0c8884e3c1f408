import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { ReaderPace } from './app-deps.ts';

/**
 * Default: 30 s. Half of what load balancers bear on an idle connection (60 s); a phone that changes its network is back sooner, and whoever
 * is cut off goes on with a Range. Looked at three times, so that a pause of this process alone cuts nobody off.
 */
export const DEFAULT_READER_PACE: ReaderPace = { checkMs: 10_000, checks: 3 };

/**
 * Cuts off readers that take nothing of what is ready for them, in whatever answer: files, archives, events. With the connection go the
 * streams that feed it. Connections with nothing to send are left alone, however long they are silent.
 */
export function guardReaders(server: Server, { checkMs, checks }: ReaderPace = DEFAULT_READER_PACE): void {
  const watched = new Map<Socket, { taken: number; stalled: number }>();
  server.on('connection', (socket) => {
    watched.set(socket, { taken: 0, stalled: 0 });
    socket.once('close', () => watched.delete(socket));
  });
  const timer = setInterval(() => {
    for (const [socket, seen] of watched) {
      const taken = bytesTaken(socket);
      const isStalled = socket.writableLength > 0 && taken === seen.taken;
      seen.taken = taken;
      seen.stalled = isStalled ? seen.stalled + 1 : 0;
      if (seen.stalled >= checks) socket.destroy();
    }
  }, checkMs);
  timer.unref();
  server.once('close', () => clearInterval(timer));
}

/** Bytes that the system took. `bytesWritten` alone counts also what waits for it, and grows while nobody reads. */
function bytesTaken(socket: Socket): number {
  // What is left of a large chunk in work: Node's own socket timeouts look at it too. Without it progress shows chunk by chunk.
  const { writeQueueSize = 0 } = (socket as { _handle?: { writeQueueSize?: number } | null })._handle ?? {};
  return socket.bytesWritten - socket.writableLength - writeQueueSize;
}
