import { readdir, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { StoredFile } from '../jobs/job.ts';
import type { Lease } from '../jobs/job-queue.ts';
import { resultKey } from '../storage/job-keys.ts';
import { openRaw, type RawConnection } from './raw-request.test-support.ts';
import { fakeJpeg, photoForm, readJson, startTestService, type TestService } from './test-service.test-support.ts';

/** More than both sides' socket buffers hold (on loopback up to 6 and 4 MiB). */
const LARGE_BYTES = 24 * 2 ** 20;
const PACE = { checkMs: 100, checks: 3 };

let service: TestService;
const connections: RawConnection[] = [];
afterEach(async () => {
  for (const { socket } of connections.splice(0)) socket.destroy();
  await service?.close();
});

/** A job with one large file. */
async function large({ job, token }: Lease, { storage }: TestService): Promise<readonly StoredFile[]> {
  const key = resultKey(job.tenant, job.id, token, 'face.glb');
  const { bytes, sha256, contentType } = await storage.put(key, Buffer.alloc(LARGE_BYTES, 7), { contentType: 'model/gltf-binary' });
  return [{ name: 'face.glb', key, bytes, sha256, contentType }];
}

async function request(path: string): Promise<RawConnection> {
  const connection = await openRaw(service.port);
  connections.push(connection);
  connection.socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  return connection;
}

/** Connections that the service holds. */
const held = () => new Promise<number>((resolve) => service.app.server.getConnections((_error, count) => resolve(count)));

/** Stored objects that this process has open; Linux tells. */
async function openObjects(): Promise<number> {
  const targets = await Promise.all((await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
  return targets.filter((target) => target.startsWith(`${service.dir}/objects/`)).length;
}

async function becomes(value: () => Promise<number>, wanted: number): Promise<void> {
  for (let i = 0; i < 200 && (await value()) !== wanted; i++) await sleep(50);
  expect(await value()).toBe(wanted);
}

const put = async (id: string, prefer = 'wait=30') =>
  await readJson(
    await service.fetch(`v1/reconstructions/${id}`, {
      method: 'PUT',
      body: photoForm(fakeJpeg()),
      headers: { prefer, connection: 'close' },
    }),
  );

describe('readers', () => {
  it.runIf(process.platform === 'linux')('that take nothing are cut off, and their files are closed', async () => {
    service = await startTestService({ work: large, deps: { readerPace: PACE } });
    const { url } = (await put('a')).result.files[0];
    const stalled = await Promise.all(Array.from({ length: 3 }, () => request(`/${url}`)));
    for (const connection of stalled) {
      await connection.until((text) => text.length > 0);
      connection.socket.pause();
    }
    expect(await openObjects()).toBe(3);
    await becomes(openObjects, 0);
    await becomes(held, 0);
  });

  it.runIf(process.platform === 'linux')('that go away while their file is opened leave it closed', async () => {
    service = await startTestService({ work: large });
    const { url } = (await put('a')).result.files[0];
    const { get } = service.storage;
    let opened = 0;
    let close!: () => void;
    (service.storage as { get: typeof get }).get = async (...args) => {
      const gone = new Promise<void>((resolve) => args[1]?.signal?.addEventListener('abort', () => resolve()));
      close();
      await gone;
      const found = await get.apply(service.storage, args);
      opened++;
      return found;
    };
    for (let i = 1; i <= 3; i++) {
      const asked = new Promise<void>((resolve) => {
        close = resolve;
      });
      const connection = await request(`/${url}`);
      await asked;
      connection.socket.destroy();
      await becomes(async () => opened, i);
    }
    await becomes(openObjects, 0);
  });

  it('that are slow get everything', async () => {
    // More time than a busy machine may keep this process itself from reading.
    const pace = { checkMs: 400, checks: 3 };
    service = await startTestService({ work: large, deps: { readerPace: pace } });
    const { url } = (await put('a')).result.files[0];
    const connection = await openRaw(service.port);
    connections.push(connection);
    const { socket } = connection;
    let bytes = 0;
    socket.removeAllListeners('data');
    // Far longer in all than what cuts off.
    socket.on('data', (chunk) => {
      bytes += chunk.length;
      socket.pause();
      setTimeout(() => socket.resume(), 5);
    });
    socket.write(`GET /${url} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    const began = performance.now();
    await connection.closed();
    expect(bytes).toBeGreaterThan(LARGE_BYTES);
    expect(performance.now() - began).toBeGreaterThan(pace.checkMs * pace.checks);
  });

  it('of events that do not come are left alone', async () => {
    service = await startTestService({ work: null, deps: { readerPace: { checkMs: 20, checks: 3 } } });
    await put('a', 'respond-async');
    const connection = await request('/v1/reconstructions/a/events');
    await connection.until((text) => text.includes('event: snapshot'));
    // Ten times what cuts off a reader with something to read.
    await sleep(600);
    await service.fetch('v1/reconstructions/a/cancel', { method: 'POST' });
    expect(await connection.until((text) => text.includes('event: end'))).toContain('event: end');
  });
});
