import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';

/** A ground-truth head: millimetres, x to the person's left, y up, z toward the viewer. */
export interface Scan {
  readonly name: string;
  /** Shape (V,3) */
  readonly positions: Float32Array;
  /** Shape (T,3) */
  readonly triangles: Uint32Array;
  /** Shape (U,2), u right, v down. */
  readonly uvs: Float32Array;
  readonly triangleUvs: Uint32Array;
  /** Colour picture of the head, sRGB. */
  readonly texture: { readonly width: number; readonly height: number; readonly data: Uint8Array };
}

/**
 * Reads an OBJ with its MTL. Triangles whose material is see-through (map_d: wigs, lashes) or has no picture in the folder are left out:
 * what is scored is the head. The first picture colours everything.
 */
export async function readScan(path: string): Promise<Scan> {
  const lines = (await readFile(path, 'utf8')).split('\n');
  const folder = dirname(path);
  const pictures = new Map<string, string>();
  for (const line of lines) {
    if (line.startsWith('mtllib ')) await readMaterials(join(folder, line.slice(7).trim()), folder, pictures);
  }
  const positions: number[] = [];
  const uvs: number[] = [];
  const triangles: number[] = [];
  const triangleUvs: number[] = [];
  let picture: string | null = null;
  let isUsed = false;
  for (const line of lines) {
    if (line.startsWith('v ')) {
      const [x, y, z] = line.slice(2).trim().split(/\s+/).map(Number);
      positions.push(x, y, z);
    } else if (line.startsWith('vt ')) {
      const [u, v] = line.slice(3).trim().split(/\s+/).map(Number);
      uvs.push(u, 1 - v);
    } else if (line.startsWith('usemtl ')) {
      const own = pictures.get(line.slice(7).trim());
      picture ??= own ?? null;
      isUsed = own !== undefined && own === picture;
    } else if (line.startsWith('f ') && isUsed) {
      const corners = line
        .slice(2)
        .trim()
        .split(/\s+/)
        .map((c) => c.split('/').map(Number));
      for (let k = 1; k + 1 < corners.length; k++) {
        for (const c of [corners[0], corners[k], corners[k + 1]]) {
          triangles.push(c[0] - 1);
          triangleUvs.push(c[1] - 1);
        }
      }
    }
  }
  if (picture === null || triangles.length === 0) throw new Error(`${path}: no triangles with a colour picture`);
  const { data, info } = await sharp(picture).toColourspace('srgb').removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return {
    name: path.replace(/^.*[\\/]/, '').replace(/\.obj$/i, ''),
    positions: Float32Array.from(positions),
    triangles: Uint32Array.from(triangles),
    uvs: Float32Array.from(uvs),
    triangleUvs: Uint32Array.from(triangleUvs),
    texture: { width: info.width, height: info.height, data: new Uint8Array(data) },
  };
}

/** Pictures of the opaque materials of an MTL by name. */
async function readMaterials(path: string, folder: string, pictures: Map<string, string>): Promise<void> {
  if (!existsSync(path)) return;
  let name = '';
  for (const line of (await readFile(path, 'utf8')).split('\n')) {
    const [key, ...rest] = line.trim().split(/\s+/);
    if (key === 'newmtl') name = rest.join(' ');
    else if (key === 'map_Kd' && existsSync(join(folder, rest.at(-1) ?? ''))) pictures.set(name, join(folder, rest.at(-1) ?? ''));
    else if (key === 'map_d') pictures.delete(name);
  }
}
