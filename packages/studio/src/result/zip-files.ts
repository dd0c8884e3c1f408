import type { ResultFile } from '@facewright/protocol';
import { service } from '../service.ts';

/** Already compressed: packing them again costs time and saves nothing. */
const COMPRESSED = /\.(png|jpe?g|webp|glb)$/;

/** Packs files of a result into one zip, in the browser. The packing code is loaded with the first one. */
export async function zipFiles(files: readonly ResultFile[]): Promise<Blob> {
  const [{ zipSync }, contents] = await Promise.all([
    import('fflate'),
    Promise.all(files.map(async (file) => new Uint8Array(await (await service.download(file)).arrayBuffer()))),
  ]);
  const entries = files.map(({ name }, i) => [name, [contents[i]!, { level: COMPRESSED.test(name) ? 0 : 6 }]] as const);
  const zip = zipSync(Object.fromEntries(entries) as Parameters<typeof zipSync>[0]);
  return new Blob([zip as Uint8Array<ArrayBuffer>], { type: 'application/zip' });
}

/** What belongs to the OBJ: it, its materials, and the pictures that they name. */
export function selectObjFiles(files: readonly ResultFile[]): readonly ResultFile[] {
  if (!files.some(({ name }) => name.endsWith('.obj'))) return [];
  return files.filter(({ name }) => /\.(obj|mtl)$|^albedo.*\.png$/.test(name));
}
