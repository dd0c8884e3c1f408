import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReconstructionView } from '@facewright/protocol';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { redisProgram, startRedisServer } from '../../packages/service/src/jobs/redis-queue/redis-server.test-support.ts';
import { freePort, startProgram } from '../support/start-program.ts';
import { makePortrait } from '../support/test-photos.ts';

const QUERY = 'textureSize=512&formats=glb,json';
let photo: Buffer;
beforeAll(async () => {
  photo = await makePortrait(400);
});

async function startServe(env: Record<string, string> & { readonly FACEWRIGHT_DATA_DIR?: string } = {}) {
  const dir = env.FACEWRIGHT_DATA_DIR ?? (await mkdtemp(join(tmpdir(), 'facewright-e2e-')));
  const port = await freePort();
  const program = startProgram(['serve'], { FACEWRIGHT_DATA_DIR: dir, PORT: String(port), FACEWRIGHT_WORKERS: '1', ...env });
  onTestFinished(async () => {
    await program.end('SIGKILL');
    await rm(dir, { recursive: true, force: true });
  });
  return { program, dir, base: `http://127.0.0.1:${port}`, port };
}

const post = (base: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${base}/v1/reconstructions?${QUERY}`, {
    method: 'POST',
    headers: { 'content-type': 'image/jpeg', prefer: 'wait=100', ...headers },
    body: new Uint8Array(photo),
  });

/** Memory maps of a process: which native libraries it has loaded. */
const mapsOf = (pid: number): string => readFileSync(`/proc/${pid}/maps`, 'utf8');
const hasProc = existsSync('/proc/self/maps');

describe('facewright serve', () => {
  it('listens at once, is ready when a worker is warm, and makes a face that every line, metric and span tells of', async () => {
    const collector = await startCollector();
    const { program, base } = await startServe({ FACEWRIGHT_OTLP_ENDPOINT: collector.url, CUDA_VISIBLE_DEVICES: '7' });
    const listening = await program.line('Listening');
    // The port answers before there is a worker. (Were the worker quicker than this request, it would say 200; both are right.)
    const early = await fetch(`${base}/readyz`);
    expect([200, 503]).toContain(early.status);
    expect((await fetch(`${base}/livez`)).status).toBe(200);
    await program.line('Ready');
    expect((await fetch(`${base}/readyz`)).status).toBe(200);
    expect((await fetch(`${base}/startupz`)).status).toBe(200);

    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const answer = await post(base, { 'x-request-id': 'my-request', traceparent: `00-${traceId}-b7ad6b7169203331-01` });
    expect(answer.status).toBe(201);
    const view = (await answer.json()) as ReconstructionView;
    expect(view.state).toBe('succeeded');
    const glb = view.result!.files.find((file) => file.name === 'face.glb')!;
    const bytes = Buffer.from(await (await fetch(`${base}/${glb.url.replace(/^\//, '')}`)).arrayBuffer());
    expect(bytes.subarray(0, 4).toString('latin1')).toBe('glTF');
    expect(bytes.length).toBe(glb.bytes);

    const ofRequest = program.lines.filter((line) => line.requestId === 'my-request');
    expect(ofRequest.map((line) => line.msg)).toEqual(expect.arrayContaining(['Job ended', 'request']));
    for (const line of ofRequest) expect(line).toMatchObject({ tenant: 'local', jobId: view.id });

    const admin = String(listening.adminAddress);
    const metrics = await (await fetch(`${admin}/metrics`)).text();
    expect(metrics).toContain('facewright_job_duration_seconds_count{state="succeeded"} 1');
    expect(metrics).toContain('facewright_http_requests_total{route="/v1/reconstructions",method="POST",code="201"} 1');
    expect(metrics).toContain('facewright_model_load_seconds_count 1');
    expect(metrics).toMatch(/facewright_stage_duration_seconds_count\{stage="texture"\} 1/);
    expect((await fetch(`${admin}/readyz`)).status).toBe(200);
    // Metrics are for the operator: not on the port of users.
    expect((await fetch(`${base}/metrics`)).status).toBe(404);

    if (hasProc) {
      const [worker] = program.lines.filter((line) => line.msg === 'Worker ready').map((line) => Number(line.workerPid));
      // The networks are in the worker, and nowhere else.
      expect(mapsOf(worker)).toContain('onnxruntime');
      expect(mapsOf(program.pid)).not.toMatch(/onnxruntime|libvips/);
      const environment = readFileSync(`/proc/${worker}/environ`, 'utf8');
      expect(environment).toContain('CUDA_VISIBLE_DEVICES=7');
      expect(environment).not.toContain('FACEWRIGHT_');
    }

    expect(await program.end('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(program.stderr()).toBe('');
    const spans = collector.spans().filter((span) => span.traceId === traceId);
    const named = (name: string) => spans.find((span) => span.name === name);
    const request = named('POST /v1/reconstructions')!;
    expect(request.parentSpanId).toBe('b7ad6b7169203331');
    expect(named('queue')?.parentSpanId).toBe(request.spanId);
    expect(named('job')?.parentSpanId).toBe(request.spanId);
    expect(spans.filter((span) => span.parentSpanId === named('job')?.spanId).map((span) => span.name)).toEqual([
      'decode',
      'detect',
      'landmarks',
      'fit',
      'texture',
      'export',
    ]);
  });

  it('drains on SIGTERM: running work is answered, new work refused, then it ends with 0', async () => {
    const { program, base } = await startServe();
    await program.line('Ready');
    const answers = Array.from({ length: 8 }, (_, k) => post(base, { 'idempotency-key': `k${k}` }));
    await vi.waitFor(
      async () => {
        const { usage } = (await (await fetch(`${base}/v1/account`)).json()) as { usage: { processing: number } };
        expect(usage.processing).toBe(1);
      },
      { timeout: 20_000, interval: 5 },
    );
    const ended = program.end('SIGTERM');
    await program.line('Draining');
    const refused = await post(base).then(
      async (answer) => ({
        status: answer.status,
        code: ((await answer.json()) as { code: string }).code,
        wait: answer.headers.get('retry-after'),
      }),
      // Closed already: as good as a refusal.
      () => ({ status: 503, code: 'FW_DRAINING', wait: '1' }),
    );
    expect(refused).toMatchObject({ status: 503, code: 'FW_DRAINING', wait: expect.stringMatching(/^\d+$/) });
    // What ran is answered; what waited goes back to the journal, and its requests are told where to look later.
    const statuses = await Promise.all(answers.map(async (answer) => (await answer).status));
    expect(new Set(statuses)).toEqual(new Set([201, 202]));
    expect(await ended).toEqual({ code: 0, signal: null });
  });

  it('hands back what does not end in time, and the next process does it', async () => {
    const { program, base, dir } = await startServe({ FACEWRIGHT_DRAIN_GRACE_S: '0' });
    await program.line('Ready');
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      const { id } = (await (await post(base, { prefer: 'respond-async' })).json()) as ReconstructionView;
      ids.push(id);
    }
    expect(await program.end('SIGTERM')).toEqual({ code: 0, signal: null });
    const next = await startServe({ FACEWRIGHT_DATA_DIR: dir });
    await next.program.line('Ready');
    for (const id of ids) {
      await vi.waitFor(
        async () => {
          const view = (await (await fetch(`${next.base}/v1/reconstructions/${id}`)).json()) as ReconstructionView;
          expect(view.state).toBe('succeeded');
          // Handed back is not lost: it does not count as a try.
          expect(view.attempt).toBe(1);
        },
        { timeout: 60_000, interval: 100 },
      );
    }
  });

  it('ends in time on SIGTERM also where the queue does not answer any more', async (context) => {
    if (redisProgram === null) return context.skip('neither redis-server nor valkey-server is installed');
    const redis = await startRedisServer();
    onTestFinished(() => redis.dispose());
    const { program, base } = await startServe({ FACEWRIGHT_REDIS_URL: redis.url, FACEWRIGHT_DRAIN_GRACE_S: '1' });
    await program.line('Ready');
    for (let i = 0; i < 4; i++) expect((await post(base, { prefer: 'respond-async', 'idempotency-key': `${i}` })).status).toBe(202);
    await program.line('Job ended');
    process.kill(redis.pid, 'SIGSTOP');
    const { code, signal } = await program.end('SIGTERM');
    // 75: a job that ran could not be handed back; 0: none ran at this moment. Never killed by its own watch, which waits longer.
    expect(signal).toBeNull();
    expect([0, 75]).toContain(code);
    process.kill(redis.pid, 'SIGCONT');
  });

  it('ends at once on a second signal, and leaves no worker behind', async () => {
    const { program, base } = await startServe();
    const { workerPid } = await program.line('Worker ready');
    await program.line('Ready');
    void post(base).catch(() => {});
    await vi.waitFor(() => expect(program.lines.some((line) => line.msg === 'Ready')).toBe(true), { timeout: 60_000 });
    process.kill(program.pid, 'SIGTERM');
    const { code, signal } = await program.end('SIGTERM');
    expect(signal === 'SIGKILL' || code === 0).toBe(true);
    await vi.waitFor(() => expect(() => process.kill(Number(workerPid), 0)).toThrow('ESRCH'), { timeout: 20_000 });
  });

  it('says in two lines that its port is taken, status 69', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const { program } = await startServe({ FACEWRIGHT_PORT: String(port) });
    expect(await program.exited).toEqual({ code: 69, signal: null });
    const lines = program.stderr().trim().split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain('FW_LISTEN_FAILED');
    expect(lines[1]).toContain('--port');
  });

  it('refuses to serve other machines without keys, status 78', async () => {
    const { program } = await startServe({ FACEWRIGHT_HOST: '0.0.0.0' });
    expect(await program.exited).toEqual({ code: 78, signal: null });
    expect(program.stderr()).toContain('facewright keys create');
  });

  it('writes a bug into the log and ends with 70', async () => {
    // Loaded into the process from outside, because there is no known way to make it fail.
    const bug = "data:text/javascript,process.on('SIGUSR2',()=>{throw(new(Error)('a-bug'))})";
    const { program } = await startServe({ NODE_OPTIONS: `--import=${bug}` });
    await program.line('Ready');
    process.kill(program.pid, 'SIGUSR2');
    expect(await program.exited).toEqual({ code: 70, signal: null });
    expect(program.lines.find((line) => line.msg === 'A bug ends this process')).toMatchObject({
      level: 'error',
      error: { message: 'a-bug' },
    });
  });
});

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
}

/** An OpenTelemetry collector that keeps what it is sent. */
async function startCollector(): Promise<{ readonly url: string; readonly spans: () => Span[] }> {
  const spans: Span[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on('end', () => {
      const body = JSON.parse(text) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] };
      spans.push(...body.resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans)));
      response.writeHead(200).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, spans: () => spans };
}
