import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import sharp from 'sharp';
import { createBadInputs } from '../../packages/engine/test/photo-fixtures.ts';
import { createAnswerCheck } from '../../packages/service/src/http/check-answer.test-support.ts';
import { ALL_OPERATIONS } from '../../packages/service/src/http/openapi/all-operations.ts';
import { parseRaw } from '../../packages/service/src/http/raw-request.test-support.ts';
import { freePort, startProgram } from '../support/start-program.ts';
import { makePortrait } from '../support/test-photos.ts';
import { fuzzCases } from './fuzz-cases.ts';

export interface FuzzOptions {
  readonly cases: number;
  readonly seed: number;
  /** Number of the one case to run, to see again what failed. */
  readonly only?: number;
  readonly onProgress?: (done: number) => void;
}

export interface FuzzSummary {
  readonly cases: number;
  readonly kinds: Readonly<Record<string, number>>;
  /** Answers by status; `closed` where the connection ended without one. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Answers by error code. */
  readonly codes: Readonly<Record<string, number>>;
  readonly workerRestarts: number;
  /** Resident memory, MB: of the API process after a hundredth of the cases, at the most, at the end; of all workers at the most. */
  readonly memoryMb: { readonly begin: number; readonly peak: number; readonly end: number; readonly workersPeak: number } | null;
  /** What must not be; [] is success. */
  readonly violations: readonly string[];
}

/** Requests on their way at once. */
const PARALLEL = 8;
/** A request that has no answer by then hangs: photos wait for two workers. */
const ANSWER_MS = 60_000;
/** After bytes that may be no whole request. To a whole one, Node answers nothing once its sender has closed. */
const PART_MS = 300;
/** Statuses of 500 and more that are meant: the deadline of a job (no request asks for so short a one on purpose, but fuzz may). */
const MEANT: ReadonlySet<number> = new Set([504]);
/** Paths of this machine, stacks, and what errors of Node look like. */
const LEAKS =
  /node_modules|\bat (?:[\w.<>]+ )?\(?(?:file:|node:|\/)|\.(?:ts|js|mjs):\d+|(?<![\w.])\/(?:root|home|tmp|srv|var|usr|opt|work|proc)\/|ENOENT|EACCES|\bTypeError\b|\bRangeError\b|\[object Object\]/;

/**
 * Sends malformed requests and photos to the whole program, real workers included, and looks at every answer: none above 499, none that
 * does not fit the OpenAPI document, none with a path or stack of this machine, none missing; nothing crashes, memory stays bounded.
 */
export async function runFuzz({ cases, seed, only, onProgress }: FuzzOptions): Promise<FuzzSummary> {
  const dir = await mkdtemp(join(tmpdir(), 'facewright-fuzz-'));
  const port = await freePort();
  const adminPort = await freePort();
  const violations: string[] = [];
  const creator = startProgram(['keys', 'create', 'fuzz', '--json'], { FACEWRIGHT_DATA_DIR: dir });
  await creator.exited;
  const key = String(creator.lines[0]?.key);
  const program = startProgram(['serve'], {
    FACEWRIGHT_DATA_DIR: dir,
    FACEWRIGHT_PORT: String(port),
    FACEWRIGHT_ADMIN_PORT: String(adminPort),
    FACEWRIGHT_WORKERS: '2',
    FACEWRIGHT_MAX_PHOTO_BYTES: String(4 * 2 ** 20),
    FACEWRIGHT_UPLOAD_TIMEOUT_S: '20',
    FACEWRIGHT_JOB_DEADLINE_S: '600',
    FACEWRIGHT_TENANT_RATE_PER_MINUTE: '1000000',
    FACEWRIGHT_MAX_QUEUED: '100000',
    FACEWRIGHT_TENANT_MAX_PENDING: '100000',
    FACEWRIGHT_LOG_LEVEL: 'info',
  });
  try {
    await program.line('Ready');
    const photos = await makePhotos();
    const badPhotos = (await createBadInputs()).map((input) => input.bytes).filter((bytes) => bytes.length < 200_000);
    await putPhoto(port, key, 'known', photos[0]!);
    const material = { key, photos, badPhotos, ids: ['known', 'f1', 'nobody'] };
    const all = fc.sample(fuzzCases(material), { seed, numRuns: cases });
    const check = createAnswerCheck(ALL_OPERATIONS);
    const statuses: Record<string, number> = {};
    const codes: Record<string, number> = {};
    const kinds: Record<string, number> = {};
    const memory = { begin: 0, peak: 0, end: 0, workersPeak: 0 };
    let next = only ?? 0;
    const running = new Set<number>();
    const end: { of: string | null } = { of: null };
    void program.exited.then(({ code, signal }) => {
      const last = program.lines.filter((line) => line.level === 'error').slice(-2);
      end.of ??= `the program ended (${code ?? signal}) at one of the cases ${[...running].join(', ')}: ${program.stderr().slice(-2000)} ${JSON.stringify(last)}`;
    });
    let done = 0;
    const oneOnly = only !== undefined;
    const runOne = async (number: number): Promise<void> => {
      const { kind, bytes } = all[number]!;
      if (oneOnly) console.log(JSON.stringify(bytes.toString('latin1')));
      running.add(number);
      const text = await send(port, bytes, kind === 'bytes');
      if (end.of !== null) return;
      running.delete(number);
      const answer = parseRaw(text);
      if (oneOnly) console.log(JSON.stringify(text.slice(0, 3000)));
      const status = answer.status === 0 ? 'closed' : String(answer.status);
      kinds[kind] = (kinds[kind] ?? 0) + 1;
      statuses[status] = (statuses[status] ?? 0) + 1;
      const blame = (what: string) => violations.push(`case ${number} (${kind}): ${what}`);
      const [method = '', target = ''] = bytes.subarray(0, 4000).toString('latin1').split(' ');
      if (text === 'timeout') blame('no answer in time');
      // What is no request may be hung up on; CONNECT is for proxies.
      if (text === '' && kind !== 'bytes' && method !== 'CONNECT') blame('the connection was closed without an answer');
      if (answer.status >= 500 && !MEANT.has(answer.status)) blame(`${status} ${answer.body.slice(0, 300)}`);
      // The key of the request itself is no leak, nor are files that were asked for by name.
      const leak = LEAKS.exec(`${answer.text.slice(0, 20_000)}`);
      if (leak !== null && !isEcho(leak[0], bytes) && !isPage(answer.headers['content-type']))
        blame(`leaks ${JSON.stringify(answer.text.slice(Math.max(0, leak.index - 60), leak.index + 60))}`);
      const type = String(answer.headers['content-type']);
      if (answer.status >= 400 && type.includes('problem+json') && answer.body !== '') {
        const code = String((JSON.parse(answer.body) as { code?: unknown }).code);
        codes[code] = (codes[code] ?? 0) + 1;
      }
      const isGradio = !/^\/(v1|openapi|docs|health|readyz|startupz|livez)/.test(target);
      if (answer.status >= 400 && kind !== 'bytes' && !isGradio) {
        const response = new Response(method === 'HEAD' ? null : answer.body, { status: answer.status, headers: answer.headers });
        await check(method, target, response).catch((error: unknown) => blame((error as Error).message));
      }
      done++;
      if (done % 100 === 0) onProgress?.(done);
      if (done % 50 === 0) await sample();
    };
    const sample = async (): Promise<void> => {
      const own = await residentMb(program.pid);
      if (own === null) return;
      if (memory.begin === 0 && done >= cases / 100) memory.begin = own;
      memory.peak = Math.max(memory.peak, own);
      memory.end = own;
      memory.workersPeak = Math.max(memory.workersPeak, await childrenMb(program.pid));
    };
    const loop = async (): Promise<void> => {
      while (end.of === null && (oneOnly ? done < 1 : next < cases)) await runOne(next++);
    };
    await Promise.all(Array.from({ length: oneOnly ? 1 : PARALLEL }, loop));

    if (end.of !== null) {
      violations.push(end.of);
      return { cases: done, kinds, statuses, codes, workerRestarts: 0, memoryMb: memory, violations };
    }
    // It lives, works, and lost no worker.
    const ready = parseRaw(await send(port, Buffer.from('GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')));
    if (ready.status !== 200) violations.push(`not ready afterwards: ${ready.status} ${ready.body}`);
    const good = await putPhoto(port, key, 'afterwards', await makePortrait(400));
    if (good !== 201) violations.push(`a good photo afterwards: ${good}`);
    const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
    const workerRestarts = [...metrics.matchAll(/^facewright_worker_restarts_total\{.*\} (\d+)/gm)].reduce(
      (sum, [, n]) => sum + Number(n),
      0,
    );
    if (workerRestarts > 0) violations.push(`${workerRestarts} workers were replaced`);
    for (const line of program.lines) {
      if (line.level === 'error') violations.push(`log: ${JSON.stringify(line).slice(0, 500)}`);
    }
    const ended = await program.end('SIGTERM');
    if (ended.code !== 0) violations.push(`ended with ${ended.code ?? ended.signal}: ${program.stderr().slice(-500)}`);
    return { cases: done, kinds, statuses, codes, workerRestarts, memoryMb: memory.peak === 0 ? null : memory, violations };
  } finally {
    await program.end('SIGKILL');
    await rm(dir, { recursive: true, force: true });
  }
}

/**
 * What comes back for some bytes: until the service closes the connection, or `timeout`. Bytes that may be no whole request are followed
 * by the end of the connection, after a moment in which the service could answer.
 */
function send(port: number, bytes: Buffer, mayBePart = false): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const chunks: Buffer[] = [];
    const text = () => Buffer.concat(chunks).toString('latin1');
    const timer = setTimeout(() => {
      const got = text();
      socket.destroy();
      // A stream of events is an answer that goes on.
      resolve(/^content-type: text\/event-stream/im.test(got) ? got : 'timeout');
    }, ANSWER_MS);
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      // Streams that wait for something are left.
      if (/^content-type: text\/event-stream/im.test(text())) socket.end();
    });
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(text());
    };
    socket.on('end', end).on('error', end).on('close', end);
    socket.write(bytes);
    if (mayBePart) setTimeout(() => socket.end(), PART_MS);
  });
}

async function putPhoto(port: number, key: string, id: string, photo: Uint8Array): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/reconstructions/${id}`, {
    method: 'PUT',
    body: photo as Uint8Array<ArrayBuffer>,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'image/jpeg', prefer: 'wait=120' },
  });
  await answer.arrayBuffer();
  return answer.status;
}

/** The shipped portrait, small, in every format that is read. */
async function makePhotos(): Promise<Uint8Array[]> {
  const portrait = await makePortrait(240);
  const image = () => sharp(portrait);
  return [
    portrait,
    await image().jpeg({ progressive: true, quality: 70 }).toBuffer(),
    await image().png().toBuffer(),
    await image().webp().toBuffer(),
    await image().avif({ effort: 0 }).toBuffer(),
    await image().tiff({ compression: 'lzw' }).toBuffer(),
    await image().gif().toBuffer(),
  ];
}

/** What a request brought itself may come back in the message that says what is wrong with it. */
function isEcho(leak: string, bytes: Buffer): boolean {
  return bytes.includes(leak) || bytes.toString('latin1').replaceAll('%20', ' ').includes(leak);
}

function isPage(contentType: string | undefined): boolean {
  return /text\/html|text\/css|javascript|openapi/.test(contentType ?? '');
}

async function residentMb(pid: number): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kb = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1];
  return kb === undefined ? null : Math.round(Number(kb) / 1024);
}

async function childrenMb(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const sizes = await Promise.all(
    children
      .split(' ')
      .filter(Boolean)
      .map((child) => residentMb(Number(child))),
  );
  return sizes.reduce<number>((sum, mb) => sum + (mb ?? 0), 0);
}

/** For the report of a failed case: as much of it as can be read. */
export function describeCase(number: number, seed: number): string {
  return `npm run fuzz:service -- --seed ${seed} --only ${number}`;
}
