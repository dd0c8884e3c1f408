/** One event of a `text/event-stream`. */
export interface StreamEvent {
  readonly event: string;
  readonly data: string;
  /** Last id that the stream has set, empty where none. */
  readonly id: string;
  /** Milliseconds that the stream asks to wait before connecting again, where it has said so. */
  readonly retryMs: number | null;
}

/**
 * Reads server-sent events (HTML standard, section 9.2.6): CR, LF or CRLF, comments, several data lines, an unfinished last event
 * is dropped. `onBytes` is called for every chunk, comments included: by them a live connection is known.
 */
export async function* parseEventStream(stream: ReadableStream<Uint8Array>, onBytes?: () => void): AsyncGenerator<StreamEvent, void> {
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  let pending = '';
  let event = '';
  let data: string[] = [];
  let id = '';
  let retryMs: number | null = null;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onBytes?.();
      pending += decoder.decode(value, { stream: true });
      const lines = pending.split(/\r\n|\n|\r(?!$)/);
      pending = lines.pop() ?? '';
      for (const line of lines) {
        if (line === '') {
          if (data.length > 0) yield { event: event === '' ? 'message' : event, data: data.join('\n'), id, retryMs };
          event = '';
          data = [];
          continue;
        }
        const colon = line.indexOf(':');
        if (colon === 0) continue;
        const field = colon < 0 ? line : line.slice(0, colon);
        const content = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
        if (field === 'data') data.push(content);
        else if (field === 'event') event = content;
        else if (field === 'id' && !content.includes('\0')) id = content;
        else if (field === 'retry' && /^\d+$/.test(content)) retryMs = Number(content);
      }
    }
  } finally {
    // Also reached when the reader of the events stops early: the connection must not stay open then.
    await reader.cancel().catch(() => undefined);
  }
}
