import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ZipFile } from 'yazl';
import { fakeJpeg } from '../http/test-service.test-support.ts';
import { createFileStorage } from '../storage/file-storage.ts';
import type { ObjectStorage } from '../storage/object-storage.ts';
import { watchHeldBytes } from '../storage/watch-held-bytes.test-support.ts';
import { computeBatchFingerprint, PhotoReceiver, type ReceiverOptions } from './receive-photos.ts';

const MIB = 2 ** 20;
let dir: string;
let storage: ObjectStorage;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'fw-receive-'));
  storage = await createFileStorage({ dir });
});
afterEach(async () => {
  await storage.close();
  await rm(dir, { recursive: true, force: true });
});

const receiver = (changes: Partial<ReceiverOptions> = {}): PhotoReceiver =>
  new PhotoReceiver({
    storage,
    limits: { maxPhotos: 50, maxPhotoBytes: 100 * MIB, maxBytes: 500 * MIB },
    signal: new AbortController().signal,
    keyOf: (index) => `alice/batches/b/in-u/${index}`,
    ...changes,
  });

/** A photo of so many MiB that is made while it is read. */
function photoStream(mib: number): Readable {
  const block = randomBytes(MIB / 16);
  let left = 16 * mib;
  return new Readable({
    read() {
      if (left === 16 * mib) this.push(fakeJpeg(4));
      // A new buffer each time, as large as they come from a socket: streams of Node hold up to sixteen, whatever their size.
      this.push(left-- > 0 ? Buffer.from(block) : null);
    },
  });
}

/** By how much the buffers that are held grew at most while `work` ran. */
async function peakBytes(work: () => Promise<unknown>): Promise<number> {
  const peak = watchHeldBytes();
  await work();
  return peak();
}

describe('receiving photos', () => {
  it('holds neither a photo nor an archive in memory', async () => {
    const photos = receiver();
    // Chunks on their way (up to 22 MiB were seen), but not the 80.
    expect(await peakBytes(() => photos.addPhoto('large.jpg', photoStream(80)))).toBeLessThan(40 * MIB);
    const zip = new ZipFile();
    for (let i = 0; i < 4; i++) zip.addReadStream(photoStream(20), `${i}.jpg`, { compress: false });
    zip.end();
    expect(await peakBytes(() => photos.addArchive(zip.outputStream as Readable))).toBeLessThan(40 * MIB);
    expect(photos.photos.map(({ bytes, error }) => [bytes, error])).toEqual([80, 20, 20, 20, 20].map((mib) => [mib * MIB + 4, null]));
    expect(await readdir(storage.scratchDir)).toEqual([]);
  });

  it('reads a refused photo to its end, because the form goes on behind it', async () => {
    const photos = receiver({ limits: { maxPhotos: 9, maxPhotoBytes: MIB, maxBytes: 9 * MIB } });
    const large = photoStream(3);
    await photos.addPhoto('large.jpg', large);
    const text = Readable.from([Buffer.from('no photo'), Buffer.alloc(500_000)]);
    await photos.addPhoto('text.txt', text);
    await photos.addPhoto('empty.jpg', Readable.from([]));
    await photos.addPhoto('good.jpg', Readable.from([fakeJpeg(5_000)]));
    expect(large.readableEnded && text.readableEnded).toBe(true);
    expect(photos.photos.map(({ error, bytes }) => [error?.code ?? 'stored', bytes])).toEqual([
      ['FW_PHOTO_TOO_MANY_BYTES', 3 * MIB + 4],
      ['FW_PHOTO_NOT_IMAGE', 500_008],
      ['FW_PHOTO_EMPTY', 0],
      ['stored', 5_000],
    ]);
    await expect(photos.addPhoto('more.jpg', photoStream(7))).rejects.toMatchObject({
      code: 'FW_BODY_TOO_LARGE',
      params: { maxBytes: 9 * MIB },
    });
  });

  it('stops at once when it is aborted, without closing the connection that the answer goes through', async () => {
    const abort = new AbortController();
    const photos = receiver({ signal: abort.signal });
    const stalled = new Readable({ read() {} });
    stalled.push(fakeJpeg(70_000));
    const adding = photos.addPhoto('stalled.jpg', stalled);
    setTimeout(() => abort.abort(new Error('too slow')), 20);
    await expect(adding).rejects.toThrow();
    expect(stalled.destroyed).toBe(false);
    expect(await storage.stat('alice/batches/b/in-u/0')).toBeNull();
  });

  it('tells of damage in an archive photo by photo', async () => {
    const data = fakeJpeg(30_000);
    const zip = new ZipFile();
    for (const name of ['a.jpg', 'b.jpg']) zip.addBuffer(data, name, { compress: false });
    zip.end();
    const chunks: Buffer[] = [];
    for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer);
    const archive = Buffer.concat(chunks);
    archive[archive.indexOf(data) + 20_000]! ^= 1;
    const photos = receiver();
    await photos.addArchive(Readable.from([archive]));
    expect(photos.photos.map(({ name, error }) => [name, error?.code ?? 'stored'])).toEqual([
      ['a.jpg', 'FW_PHOTO_TRUNCATED'],
      ['b.jpg', 'stored'],
    ]);
  });

  it('only compares where nothing is to be stored: the same upload has the same fingerprint', async () => {
    const [stored, compared, other] = [receiver(), receiver({ keyOf: null }), receiver({ keyOf: null })];
    for (const one of [stored, compared]) {
      await one.addPhoto('a.jpg', Readable.from([fakeJpeg(3_000)]));
      await one.addPhoto('b.txt', Readable.from([Buffer.from('no photo')]));
    }
    await other.addPhoto('a.jpg', Readable.from([fakeJpeg(3_000, 2)]));
    await other.addPhoto('b.txt', Readable.from([Buffer.from('no photo')]));
    const fingerprint = (one: PhotoReceiver): string => computeBatchFingerprint(one.photos, { model: 'head', focal35mm: undefined }, null);
    expect(fingerprint(compared)).toBe(fingerprint(stored));
    expect(fingerprint(other)).not.toBe(fingerprint(stored));
    expect(computeBatchFingerprint(stored.photos, { model: 'head' }, 'https://example.com')).not.toBe(fingerprint(stored));
  });
});
