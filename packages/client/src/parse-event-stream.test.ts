import { expect, it } from 'vitest';
import { parseEventStream, type StreamEvent } from './parse-event-stream.ts';

/** The text, cut into chunks of `size` bytes: every cut must give the same events. */
async function parse(text: string, size: number): Promise<StreamEvent[]> {
  const bytes = new TextEncoder().encode(text);
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let i = 0; i < bytes.length; i += size) controller.enqueue(bytes.subarray(i, i + size));
      controller.close();
    },
  });
  const events: StreamEvent[] = [];
  for await (const event of parseEventStream(stream)) events.push(event);
  return events;
}

it.each([1, 2, 3, 7, 1000])('reads the example of the standard in chunks of %i bytes', async (size) => {
  const text =
    ': comment\n\nevent: add\r\ndata: YHOO\r\ndata: +2\r\ndata:  10\r\n\r\nid: 7\rdata: 面\r\rdata\n\nretry: 250\nid\nunknown: x\ndata: last\n\ndata: unfinished\n';
  expect(await parse(text, size)).toEqual([
    { event: 'add', data: 'YHOO\n+2\n 10', id: '', retryMs: null },
    { event: 'message', data: '面', id: '7', retryMs: null },
    { event: 'message', data: '', id: '7', retryMs: null },
    { event: 'message', data: 'last', id: '', retryMs: 250 },
  ]);
});
