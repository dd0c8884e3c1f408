import { createServer } from 'node:http';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createNoTracing, createOtlpTracing, parseTraceparent } from './create-tracing.ts';

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** A collector that keeps what it is sent. */
async function startCollector(status = 200) {
  const bodies: { path: string; type: string | undefined; body: OtlpBody }[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on('end', () => {
      bodies.push({ path: request.url ?? '', type: request.headers['content-type'], body: JSON.parse(text) as OtlpBody });
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  const spans = () => bodies.flatMap(({ body }) => body.resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans)));
  return { url: `http://127.0.0.1:${port}`, bodies, spans };
}

interface OtlpBody {
  resourceSpans: {
    resource: { attributes: { key: string; value: object }[] };
    scopeSpans: { spans: Record<string, unknown>[] }[];
  }[];
}

describe('parseTraceparent', () => {
  it('reads what W3C Trace Context allows and nothing else', () => {
    expect(parseTraceparent(PARENT)).toEqual({ traceId: PARENT.slice(3, 35), spanId: PARENT.slice(36, 52), sampled: true });
    expect(parseTraceparent(PARENT.replace(/01$/, '00'))?.sampled).toBe(false);
    // A later version may add fields.
    expect(parseTraceparent(`01${PARENT.slice(2)}-more`)).not.toBeNull();
    for (const wrong of [
      null,
      undefined,
      '',
      'x',
      `${PARENT}-more`,
      PARENT.toUpperCase(),
      `ff${PARENT.slice(2)}`,
      PARENT.replace(/[0-9a-f]{32}/, '0'.repeat(32)),
      PARENT.replace('b7ad6b7169203331', '0'.repeat(16)),
    ]) {
      expect(parseTraceparent(wrong), String(wrong)).toBeNull();
    }
  });
});

describe('createOtlpTracing', () => {
  it('sends spans of one trace, each below the one it was begun with', async () => {
    const collector = await startCollector();
    const tracing = createOtlpTracing(collector.url, { 'service.name': 'facewright-test' });
    const request = tracing.begin('POST /v1/reconstructions', { parent: PARENT, kind: 'server', startMs: 1000.5 });
    const job = tracing.begin('job', { parent: request.traceparent, attributes: { n: 2, share: 0.5, yes: true, text: 'x' } });
    job.end({ error: 'FW_WORKER_LOST' });
    job.end();
    request.end({ endMs: 2000 });
    tracing.begin('other', { parent: null }).end();
    await tracing.close();
    const [{ path, type, body }] = collector.bodies;
    expect([path, type]).toEqual(['/v1/traces', 'application/json']);
    expect(body.resourceSpans[0].resource.attributes).toEqual([{ key: 'service.name', value: { stringValue: 'facewright-test' } }]);
    const [second, first, other] = collector.spans();
    expect(first).toMatchObject({
      traceId: PARENT.slice(3, 35),
      parentSpanId: PARENT.slice(36, 52),
      kind: 2,
      startTimeUnixNano: '1000500000',
      endTimeUnixNano: '2000000000',
      status: {},
    });
    expect(second).toMatchObject({
      traceId: first.traceId,
      parentSpanId: first.spanId,
      kind: 1,
      status: { code: 2, message: 'FW_WORKER_LOST' },
    });
    expect(second.attributes).toEqual([
      { key: 'n', value: { intValue: '2' } },
      { key: 'share', value: { doubleValue: 0.5 } },
      { key: 'yes', value: { boolValue: true } },
      { key: 'text', value: { stringValue: 'x' } },
      { key: 'error.type', value: { stringValue: 'FW_WORKER_LOST' } },
    ]);
    expect(other.parentSpanId).toBeUndefined();
    expect(other.traceId).not.toBe(first.traceId);
    expect(collector.spans()).toHaveLength(3);
  });

  it('does not record what its caller did not sample, but hands it on', async () => {
    const collector = await startCollector();
    const tracing = createOtlpTracing(`${collector.url}/v1/traces`, {});
    const unsampled = PARENT.replace(/01$/, '00');
    const span = tracing.begin('x', { parent: unsampled });
    span.end();
    expect(span.traceparent).toBe(unsampled);
    await tracing.close();
    expect(collector.bodies).toEqual([]);
  });

  it('loses spans rather than memory or time where the collector refuses or is not there', async () => {
    const dropped = vi.fn();
    const collector = await startCollector(503);
    const refused = createOtlpTracing(collector.url, {}, dropped);
    refused.begin('x', { parent: null }).end();
    await refused.close();
    expect(dropped).toHaveBeenLastCalledWith(1, 'the collector answered 503');
    const nobody = createOtlpTracing('http://127.0.0.1:1', {}, dropped);
    for (let i = 0; i < 5000; i++) nobody.begin('x', { parent: null }).end();
    await nobody.close();
    const lost = dropped.mock.calls.slice(1).reduce((sum, [spans]) => sum + (spans as number), 0);
    expect(lost).toBe(5000);
  });
});

describe('createNoTracing', () => {
  it('hands on the context of the caller', () => {
    expect(createNoTracing().begin('x', { parent: PARENT }).traceparent).toBe(PARENT);
    expect(createNoTracing().begin('x', { parent: 'nonsense' }).traceparent).toBeNull();
  });
});
