import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';

const BLOCK = 512;

/**
 * Visits the plain files of a .tar.gz one after the other, without unpacking to disk.
 *
 * Reads the ustar header only as far as needed: name, size, type; long names of other kinds of tar do not occur in the
 * archive that this is for.
 *
 * @param wanted Files for which this answers false are skipped without being gathered.
 */
export async function readArchive(
  path: string,
  wanted: (name: string) => boolean,
  visit: (name: string, bytes: Buffer) => void,
): Promise<void> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let need = BLOCK;
  let entry: { name: string; size: number; keep: boolean } | null = null;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }).pipe(createGunzip({ chunkSize: 1 << 20 }))) {
    pending.push(chunk as Buffer);
    pendingBytes += (chunk as Buffer).length;
    while (pendingBytes >= need) {
      const all = pending.length === 1 ? pending[0]! : Buffer.concat(pending);
      const block = all.subarray(0, need);
      pending = [all.subarray(need)];
      pendingBytes = all.length - need;
      if (entry) {
        if (entry.keep) visit(entry.name, block.subarray(0, entry.size));
        entry = null;
        need = BLOCK;
      } else {
        const size = Number.parseInt(block.toString('latin1', 124, 136), 8) || 0;
        const name = block.toString('utf8', 0, block.indexOf(0));
        if (size > 0) {
          entry = { name, size, keep: block[156] !== 0x35 && wanted(name) };
          need = Math.ceil(size / BLOCK) * BLOCK;
        }
      }
    }
  }
}
