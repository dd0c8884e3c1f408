import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ZipFile } from 'yazl';
import { readZipPhotos } from './read-zip-photos.ts';

let dir: string;
let count = 0;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'fw-zip-'));
});
afterAll(async () => await rm(dir, { recursive: true, force: true }));

const LIMITS = { maxPhotos: 10, maxBytes: 5_000_000 };

/** Reads an archive as a batch does: every photo to its end. */
async function readAll(archive: Uint8Array, limits = LIMITS): Promise<[string, number][]> {
  const path = join(dir, `${count++}.zip`);
  await writeFile(path, archive);
  const found: [string, number][] = [];
  for await (const photo of readZipPhotos(path, limits)) found.push([photo.name, (await buffer(await photo.open())).byteLength]);
  return found;
}

interface Entry {
  readonly name: string;
  readonly data: Buffer;
  /** What is claimed instead of the truth. */
  readonly claimed?: { readonly size?: number; readonly packed?: number; readonly offset?: number };
  readonly mode?: number;
  readonly flags?: number;
  readonly method?: number;
}

/** A zip byte by byte (APPNOTE 4.3), because no library writes what must be refused. */
function buildZip(entries: readonly Entry[], claimedCount?: number): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data, claimed = {}, mode = 0o100644, flags = 0x800, method = 8 } of entries) {
    const packed = method === 8 ? deflateRawSync(data) : data;
    const fileName = Buffer.from(name);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(20, 4);
    local.writeUInt16LE(flags, 6);
    local.writeUInt16LE(method, 8);
    local.writeUInt32LE(packed.length, 18);
    local.writeUInt32LE(data.length, 22);
    local.writeUInt16LE(fileName.length, 26);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE((3 << 8) | 20, 4);
    central.writeUInt16LE(20, 6);
    central.writeUInt16LE(flags, 8);
    central.writeUInt16LE(method, 10);
    central.writeUInt32LE(claimed.packed ?? packed.length, 20);
    central.writeUInt32LE(claimed.size ?? data.length, 24);
    central.writeUInt16LE(fileName.length, 28);
    central.writeUInt32LE((mode << 16) >>> 0, 38);
    central.writeUInt32LE(claimed.offset ?? offset, 42);
    parts.push(local, fileName, packed);
    directory.push(central, fileName);
    offset += local.length + fileName.length + packed.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(claimedCount ?? entries.length, 8);
  end.writeUInt16LE(claimedCount ?? entries.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, list, end]);
}

const photo = Buffer.from('a photo, for this purpose');

describe('photos in a zip', () => {
  it('come with their names, without what systems add', async () => {
    const archive = buildZip([
      { name: 'Fotos/Zoë.jpg', data: photo },
      { name: 'Fotos/', data: Buffer.alloc(0), mode: 0o040755 },
      { name: '__MACOSX/Fotos/._Zoë.jpg', data: photo },
      { name: 'Fotos/.DS_Store', data: photo },
      { name: 'Fotos\\windows.png', data: photo },
      { name: 'Thumbs.db', data: photo },
      { name: 'stored.gif', data: photo, method: 0 },
    ]);
    expect(await readAll(archive)).toEqual([
      ['Zoë.jpg', photo.length],
      ['windows.png', photo.length],
      ['stored.gif', photo.length],
    ]);
  });

  it('come out of an archive with zip64 records', async () => {
    const zip = new ZipFile();
    zip.addBuffer(photo, 'a.jpg', { forceZip64Format: true });
    zip.end({ forceZip64Format: true, comment: 'holiday' });
    expect(await readAll(await buffer(zip.outputStream))).toEqual([['a.jpg', photo.length]]);
  });

  it.each<[string, readonly Entry[], string]>([
    ['a path upwards', [{ name: '../evil.jpg', data: photo }], 'an entry lies outside of it'],
    ['a path upwards inside', [{ name: 'a/../../evil.jpg', data: photo }], 'an entry lies outside of it'],
    ['a path upwards with backslashes', [{ name: '..\\evil.jpg', data: photo }], 'an entry lies outside of it'],
    ['an absolute path', [{ name: '/etc/evil.jpg', data: photo }], 'an entry lies outside of it'],
    ['a drive', [{ name: 'C:\\evil.jpg', data: photo }], 'an entry lies outside of it'],
    ['a symbolic link', [{ name: 'link.jpg', data: Buffer.from('/etc/passwd'), mode: 0o120777 }], 'it holds a link or a special file'],
    ['a device', [{ name: 'device.jpg', data: photo, mode: 0o020666 }], 'it holds a link or a special file'],
    ['encryption', [{ name: 'a.jpg', data: photo, flags: 0x801 }], 'it is encrypted'],
    ['strong encryption', [{ name: 'a.jpg', data: photo, flags: 0x841 }], 'it is encrypted'],
    ['another archive', [{ name: 'more.zip', data: photo }], 'it holds another archive'],
    ['an unknown packing', [{ name: 'a.jpg', data: photo, method: 99 }], 'its way of packing is not known'],
    ['a bomb', [{ name: 'a.jpg', data: Buffer.alloc(3_000_000) }], 'an entry unpacks to far more than a photo does'],
    ['data outside of the file', [{ name: 'a.jpg', data: photo, claimed: { offset: 100_000 } }], 'it is damaged or not a zip'],
  ])('with %s refuse the archive', async (_, entries, reason) => {
    await expect(readAll(buildZip([{ name: 'good.jpg', data: photo }, ...entries]))).rejects.toMatchObject({
      code: 'FW_ARCHIVE_INVALID',
      params: { reason },
    });
  });

  it('never give more bytes than their directory says', async () => {
    const archive = buildZip([{ name: 'a.jpg', data: Buffer.alloc(500_000, 1), claimed: { size: 1_000 } }]);
    await expect(readAll(archive)).rejects.toThrow(/too many bytes/);
    const short = buildZip([{ name: 'a.jpg', data: photo, claimed: { size: photo.length + 1 } }]);
    await expect(readAll(short)).rejects.toThrow(/not enough bytes/);
  });

  it('that share their data (a bomb without nesting) count each for itself', async () => {
    const data = Buffer.from(Array.from({ length: 900_000 }, (_, i) => (i * 7919) >> 3));
    const entries = Array.from({ length: 8 }, (_, i) => ({ name: `${i}.jpg`, data: i === 0 ? data : photo }));
    const packed = deflateRawSync(data).length;
    const shared = entries.map((entry, i) => (i === 0 ? entry : { ...entry, claimed: { size: data.length, packed, offset: 0 } }));
    await expect(readAll(buildZip(shared))).rejects.toMatchObject({ code: 'FW_BODY_TOO_LARGE', params: { maxBytes: 5_000_000 } });
  });

  it('that are too many are told as such, and so are too many other entries', async () => {
    const many = buildZip(Array.from({ length: 11 }, (_, i) => ({ name: `${i}.jpg`, data: photo })));
    await expect(readAll(many)).rejects.toMatchObject({ code: 'FW_BATCH_TOO_MANY', params: { count: 11, max: 10 } });
    const folders = buildZip(Array.from({ length: 1_100 }, (_, i) => ({ name: `${i}/`, data: Buffer.alloc(0), mode: 0o040755 })));
    await expect(readAll(folders)).rejects.toMatchObject({ code: 'FW_ARCHIVE_INVALID', params: { reason: 'it has 1100 entries' } });
  });

  it('of archives with changed, missing and added bytes come whole or with an error of the table or of their own stream', async () => {
    const good = buildZip([
      { name: 'a.jpg', data: Buffer.alloc(2_000, 7) },
      { name: 'b/c.png', data: photo },
    ]);
    const change = fc.record({ at: fc.nat(good.length - 1), byte: fc.nat(255) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 4 }), fc.nat(good.length), fc.boolean(), async (changes, cut, isCut) => {
        const bytes = Buffer.from(good);
        for (const { at, byte } of changes) bytes[at] = byte;
        const outcome = await readAll(isCut ? bytes.subarray(0, cut) : bytes).catch((e: Error) => e);
        if (!(outcome instanceof Error)) {
          expect(outcome.length).toBeLessThanOrEqual(2);
          return;
        }
        const { code, message } = outcome as NodeJS.ErrnoException;
        expect(code ?? message).toMatch(/^FW_(?:ARCHIVE_INVALID|BODY_TOO_LARGE|BATCH_TOO_MANY)$|^Z_|too many bytes|not enough bytes/);
        expect(message).not.toContain(dir);
      }),
      { numRuns: 300 },
    );
  });
});
