import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { FacewrightError } from '@facewright/protocol';

/** What is taken from the npm package @mediapipe/face_mesh, which serves as a data package only: none of its code runs. */
export type NetworkAsset = 'face-detector' | 'face-landmarks' | 'canonical-mesh';

/**
 * File of each asset inside the package and sha256 of its bytes in version 0.4.1657299874. A change of the package is
 * refused instead of run: the goldens were made with these bytes.
 */
export const NETWORK_ASSETS: Readonly<Record<NetworkAsset, { readonly file: string; readonly sha256: string }>> = {
  'face-detector': {
    file: 'face_detection_short_range.tflite',
    sha256: '3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633',
  },
  'face-landmarks': {
    file: 'face_landmark_with_attention.tflite',
    sha256: '883b7411747bac657c30c462d305d312e9dec6adbf8b85e2f5d8d722fca9455d',
  },
  'canonical-mesh': {
    file: 'geometry_pipeline_metadata_landmarks.binarypb',
    sha256: 'bdbcda96dfcb7da883da124aaa2c55dee49770d934f0fcc71747f8c21bdc75b4',
  },
};

/** Folder of the installed package @mediapipe/face_mesh. @throws FW_NETWORK_CORRUPT when it is not installed */
export function findNetworkPackage(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve('@mediapipe/face_mesh/package.json'));
  } catch (cause) {
    throw new FacewrightError('FW_NETWORK_CORRUPT', { name: '@mediapipe/face_mesh', reason: 'the package is not installed' }, { cause });
  }
}

/**
 * Bytes of one asset: only its own range of the 4 MB archive is read, and its sha256 is checked.
 *
 * The archive is a plain concatenation; its table of offsets stands as JSON in the package's loader script.
 *
 * @param packageDir Folder that holds the archive. @default the installed package
 * @throws FW_NETWORK_CORRUPT when the package is missing, unreadable, or its bytes are not the expected ones
 */
export async function readNetworkAsset(asset: NetworkAsset, packageDir = findNetworkPackage()): Promise<Uint8Array> {
  const { file, sha256 } = NETWORK_ASSETS[asset];
  let bytes: Uint8Array;
  try {
    const loader = await readFile(join(packageDir, 'face_mesh_solution_packed_assets_loader.js'), 'utf8');
    const { start, end } = findByteRange(loader, file);
    bytes = await readByteRange(join(packageDir, 'face_mesh_solution_packed_assets.data'), start, end);
  } catch (cause) {
    throw new FacewrightError('FW_NETWORK_CORRUPT', { name: asset, reason: reasonOf(cause) }, { cause });
  }
  if (createHash('sha256').update(bytes).digest('hex') !== sha256) {
    throw new FacewrightError('FW_NETWORK_CORRUPT', { name: asset, reason: 'its checksum differs' });
  }
  return bytes;
}

interface FileTable {
  readonly files: readonly { readonly filename: string; readonly start: number; readonly end: number }[];
}

function findByteRange(loader: string, file: string): { start: number; end: number } {
  const start = loader.indexOf('{"files"');
  const end = start < 0 ? -1 : endOfJsonObject(loader, start);
  if (end < 0) throw new Error('its offset table is missing');
  const { files } = JSON.parse(loader.slice(start, end)) as FileTable;
  const entry = files.find((f) => f.filename.endsWith(`/${file}`));
  // 2^26: the archive has 4 MB; a larger range is a damaged table.
  if (!entry || !(entry.start >= 0 && entry.end > entry.start && entry.end < 2 ** 26)) throw new Error('its offset table is damaged');
  return entry;
}

/** Where the JSON object that opens at `start` ends (past its last brace); -1 when it does not. Braces in strings do not count. */
function endOfJsonObject(text: string, start: number): number {
  let depth = 0;
  let isInString = false;
  for (let at = start; at < text.length; at++) {
    const c = text[at];
    if (isInString) {
      if (c === '\\') at++;
      else if (c === '"') isInString = false;
    } else if (c === '"') isInString = true;
    else if (c === '{') depth++;
    else if (c === '}' && --depth === 0) return at + 1;
  }
  return -1;
}

async function readByteRange(path: string, start: number, end: number): Promise<Uint8Array> {
  // Not Buffer.alloc: a slice of the pool could start at any offset, and the readers view 2- and 4-byte elements.
  const bytes = new Uint8Array(end - start);
  const handle = await open(path, 'r');
  try {
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await handle.read(bytes, done, bytes.length - done, start + done);
      if (bytesRead === 0) throw new Error('its archive ends too early');
      done += bytesRead;
    }
  } finally {
    await handle.close();
  }
  return bytes;
}

/** Text for the error without paths of this machine: the code of a file error, else the message. */
function reasonOf(cause: unknown): string {
  const e = cause as NodeJS.ErrnoException;
  if (typeof e.code === 'string') return e.code === 'ENOENT' ? 'a file of the package is missing' : `reading it failed with ${e.code}`;
  return e.message;
}
