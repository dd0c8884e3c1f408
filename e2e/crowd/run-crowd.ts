import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '@facewright/capacity';
import type { ReconstructionView } from '@facewright/protocol';
import { freePort, startProgram } from '../support/start-program.ts';
import { makeLandscape, makePortrait } from '../support/test-photos.ts';

export interface CrowdOptions {
  readonly clients: number;
  readonly seconds: number;
  readonly seed: number;
}

export interface CrowdSummary {
  readonly requests: number;
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Jobs that were accepted and not deleted, by how they ended. */
  readonly ends: Readonly<Record<string, number>>;
  /** Resident memory of the API process, MB: when all clients had begun, the most in the first and in the second half, at the end. */
  readonly memoryMb: { readonly begin: number; readonly firstHalf: number; readonly secondHalf: number; readonly end: number } | null;
  /** What must not be; [] is success. */
  readonly violations: readonly string[];
}

const TENANTS = 4;
const ANSWER_MS = 90_000;
const FINISHED = new Set(['succeeded', 'failed', 'canceled']);
/** After the last request, for everything that was accepted. */
const SETTLE_MS = 300_000;

/**
 * Lets many clients of several tenants do at once what clients do (upload and wait, upload and ask, follow events, cancel, delete, list,
 * send rubbish, hang up in the middle, crawl), and looks whether anything accepted is lost, anything ends with a status of 500 or more,
 * and memory grows.
 */
export async function runCrowd({ clients, seconds, seed }: CrowdOptions): Promise<CrowdSummary> {
  const dir = await mkdtemp(join(tmpdir(), 'facewright-crowd-'));
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const env = {
    FACEWRIGHT_DATA_DIR: dir,
    FACEWRIGHT_PORT: String(port),
    FACEWRIGHT_WORKERS: '2',
    FACEWRIGHT_JOB_DEADLINE_S: '1200',
    FACEWRIGHT_TENANT_RATE_PER_MINUTE: '100000',
    FACEWRIGHT_MAX_QUEUED: '40',
    FACEWRIGHT_LOG_LEVEL: 'warn',
  };
  const keys: string[] = [];
  for (let k = 0; k < TENANTS; k++) {
    const program = startProgram(['keys', 'create', `tenant-${k}`, '--json'], { FACEWRIGHT_DATA_DIR: dir });
    await program.exited;
    keys.push(String(program.lines[0]?.key));
  }
  const program = startProgram(['serve'], { ...env, FACEWRIGHT_LOG_LEVEL: 'info' });
  const photos = await Promise.all([0, 1, 2, 3].map((number) => makePortrait(400, number)));
  const landscape = await makeLandscape(300);
  const statuses: Partial<Record<string, number>> = {};
  const violations: string[] = [];
  const accepted = new Map<string, string>();
  let requests = 0;

  const ask = async (key: string, path: string, init: RequestInit = {}): Promise<{ status: number; text: string; headers: Headers }> => {
    requests++;
    const answer = await fetch(`${base}${path}`, {
      // Longer than any answer may take here: one that never comes is a violation, not a wait without end.
      signal: AbortSignal.timeout(ANSWER_MS),
      ...init,
      headers: { ...init.headers, authorization: `Bearer ${key}` },
    });
    const text = await answer.text();
    const { status } = answer;
    statuses[status] = (statuses[status] ?? 0) + 1;
    if (status >= 500) violations.push(`${init.method ?? 'GET'} ${path.split('?')[0]}: ${status} ${text.slice(0, 200)}`);
    return { status, text, headers: answer.headers };
  };
  const create = async (key: string, photo: Uint8Array, prefer: string): Promise<ReconstructionView | null> => {
    const { status, text, headers } = await ask(key, '/v1/reconstructions?textureSize=512&formats=glb', {
      method: 'POST',
      headers: { 'content-type': 'image/jpeg', prefer },
      body: new Uint8Array(photo),
    });
    if (status === 429) {
      const waitS = Number(headers.get('retry-after'));
      if (!(waitS >= 1)) violations.push('429 without Retry-After');
      // A polite client waits as long as it is told; these are less polite, so that the queue stays full.
      await sleep(Math.min(2000, 250 * waitS));
      return null;
    }
    if (status !== 201 && status !== 202) return null;
    const view = JSON.parse(text) as ReconstructionView;
    accepted.set(view.id, key);
    return view;
  };
  const read = async (key: string, id: string): Promise<ReconstructionView | null> => {
    const { status, text } = await ask(key, `/v1/reconstructions/${id}`);
    return status === 200 ? (JSON.parse(text) as ReconstructionView) : null;
  };

  const deeds: readonly (readonly [weight: number, deed: (key: string, random: () => number) => Promise<void>])[] = [
    [25, async (key, random) => void (await create(key, photos[Math.floor(4 * random())], 'wait=20'))],
    [
      20,
      async (key, random) => {
        const view = await create(key, photos[Math.floor(4 * random())], 'respond-async');
        for (let k = 0; k < 3 && view !== null; k++) {
          await sleep(200);
          await read(key, view.id);
        }
      },
    ],
    [
      8,
      async (key, random) => {
        const view = await create(key, photos[Math.floor(4 * random())], 'respond-async');
        if (view !== null) await ask(key, `/v1/reconstructions/${view.id}/cancel`, { method: 'POST' });
      },
    ],
    [
      5,
      async (key, random) => {
        const view = await create(key, photos[Math.floor(4 * random())], 'respond-async');
        if (view === null) return;
        const { status } = await ask(key, `/v1/reconstructions/${view.id}`, { method: 'DELETE' });
        if (status === 204 || status === 200) accepted.delete(view.id);
      },
    ],
    [
      7,
      async (key, random) => {
        const view = await create(key, photos[Math.floor(4 * random())], 'respond-async');
        if (view === null) return;
        // Hangs up after a while, as people close tabs.
        const abort = AbortSignal.timeout(Math.round(500 + 2000 * random()));
        await ask(key, `/v1/reconstructions/${view.id}/events`, { signal: abort }).catch(() => {});
      },
    ],
    [8, async (key) => void (await create(key, landscape, 'wait=20'))],
    [8, async (key, random) => void (await create(key, photos[0].subarray(0, Math.floor(photos[0].length * random())), 'wait=20'))],
    [8, async (key) => void (await create(key, Buffer.from('this is no picture at all'), 'wait=1'))],
    [5, async (key) => void (await ask(key, '/v1/reconstructions?limit=20'))],
    [3, async (key) => void (await ask(key, '/v1/reconstructions/does-not-exist'))],
    [2, async () => void (await ask('fw_000000000000_wrong', '/v1/account'))],
    [6, async (key, random) => hangUp(port, key, photos[0], random())],
  ];
  const total = deeds.reduce((sum, [weight]) => sum + weight, 0);

  try {
    await program.line('Ready');
    const until = Date.now() + 1000 * seconds;
    const memory: { at: number; mb: number }[] = [];
    const sampling = (async () => {
      while (Date.now() < until) {
        memory.push({ at: Date.now(), mb: memoryOf(program.pid) });
        await sleep(500);
      }
    })();
    await Promise.all(
      Array.from({ length: clients }, async (_, client) => {
        const random = createRandom(seed + client);
        await sleep(2000 * random());
        while (Date.now() < until) {
          let pick = random() * total;
          const chosen = deeds.find(([weight]) => (pick -= weight) < 0) ?? deeds[0];
          await chosen[1](keys[client % TENANTS], random).catch((error: Error) => {
            // A connection that is refused or breaks off is as bad as a 500.
            violations.push(`client ${client}: ${error.message} ${String((error.cause as Error | undefined)?.message ?? '')}`);
          });
        }
      }),
    );
    await sampling;
    const ends: Partial<Record<string, number>> = {};
    const settled = Date.now() + SETTLE_MS;
    for (const [id, key] of accepted) {
      let view = await read(key, id);
      while (view !== null && !FINISHED.has(view.state) && Date.now() < settled) {
        await sleep(200);
        view = await read(key, id);
      }
      const end = view === null ? 'lost' : view.state === 'failed' ? `failed ${view.error?.code}` : view.state;
      ends[end] = (ends[end] ?? 0) + 1;
      if (view === null || !FINISHED.has(view.state)) violations.push(`${id} was accepted and is ${view?.state ?? 'gone'}`);
    }
    const endMb = memoryOf(program.pid);
    const errors = program.lines.filter((line) => line.level === 'error');
    for (const line of errors) violations.push(`log: ${JSON.stringify(line).slice(0, 300)}`);
    const { code } = await program.end('SIGTERM');
    if (code !== 0) violations.push(`ended with ${code} on SIGTERM`);
    const begun = memory.filter(({ at }) => at > until - 1000 * seconds + 2000);
    const middle = until - 500 * seconds;
    const most = (samples: { mb: number }[]) => Math.round(Math.max(...samples.map(({ mb }) => mb)));
    return {
      requests,
      statuses: statuses as Record<string, number>,
      ends: ends as Record<string, number>,
      memoryMb:
        begun.length < 4 || endMb === 0
          ? null
          : {
              begin: Math.round(begun[0].mb),
              firstHalf: most(begun.filter(({ at }) => at < middle)),
              secondHalf: most(begun.filter(({ at }) => at >= middle)),
              end: Math.round(endMb),
            },
      violations,
    };
  } finally {
    await program.end('SIGKILL');
    await rm(dir, { recursive: true, force: true });
  }
}

/** Sends a part of a photo and hangs up, at once or after crawling for a while. */
function hangUp(port: number, key: string, photo: Buffer, chance: number): Promise<void> {
  return new Promise((resolve) => {
    const sent = request({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/v1/reconstructions',
      agent: new Agent({ keepAlive: false }),
      headers: { authorization: `Bearer ${key}`, 'content-type': 'image/jpeg', 'content-length': photo.length },
    });
    sent.on('error', () => resolve());
    sent.on('response', (answer) => {
      answer.resume();
      answer.on('close', () => resolve());
    });
    sent.write(photo.subarray(0, Math.floor(photo.length * chance)));
    setTimeout(() => {
      sent.destroy();
      resolve();
    }, 1000 * chance);
  });
}

/** Resident memory, MB; 0 where the system does not tell. */
function memoryOf(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
