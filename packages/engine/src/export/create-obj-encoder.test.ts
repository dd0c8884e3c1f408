import { describe, expect, it } from 'vitest';
import { createSyntheticFace, createSyntheticMaps, createSyntheticModel } from '../../test/synthetic-face.ts';
import type { FittedFace } from '../fit/fitted-face.ts';
import { createObjEncoder, type ObjOptions } from './create-obj-encoder.ts';
import { encodeMaps } from './encode-maps.ts';

const VERSION = '1.2.3';

const encode = (face: FittedFace, options: Partial<ObjOptions> = {}): { obj: string; mtl: string } => {
  const files = createObjEncoder(face.model).encode({ face, maps: createSyntheticMaps() }, { version: VERSION, ...options });
  expect(files.map((file) => file.name)).toEqual(['face.obj', 'face.mtl']);
  const [obj, mtl] = files.map((file) => new TextDecoder().decode(file.bytes)) as [string, string];
  return { obj, mtl };
};

/** Reads an OBJ by the format's description alone. */
function parseObj(text: string) {
  const v: number[][] = [];
  const vt: number[][] = [];
  const vn: number[][] = [];
  const faces: { group: string; material: string; corners: number[][] }[] = [];
  let group = '';
  let material = '';
  for (const line of text.split('\n')) {
    const [key, ...rest] = line.trim().split(/\s+/);
    if (key === 'v') v.push(rest.map(Number));
    else if (key === 'vt') vt.push(rest.map(Number));
    else if (key === 'vn') vn.push(rest.map(Number));
    else if (key === 'g') group = rest.join(' ');
    else if (key === 'usemtl') material = rest.join(' ');
    else if (key === 'f') faces.push({ group, material, corners: rest.map((corner) => corner.split('/').map((i) => Number(i) - 1)) });
  }
  return { v, vt, vn, faces };
}

describe('createObjEncoder', () => {
  it('is read back as the model’s vertices in metres, in the model’s order', () => {
    const face = createSyntheticFace();
    const { v, vn } = parseObj(encode(face).obj);
    expect(v).toHaveLength(face.model.vertexCount);
    v.forEach((point, i) => {
      // Rounded to a micrometre; the float32 of the input adds 4e-9 m.
      point.forEach((x, k) => {
        expect(Math.abs(x - face.neutralPositions[3 * i + k]! / 1000)).toBeLessThanOrEqual(0.51e-6);
      });
    });
    // Four decimals each.
    for (const normal of vn) expect(Math.abs(Math.hypot(...normal) - 1)).toBeLessThan(1e-4);
  });

  it('has the model’s polygons with their UVs (v up), groups and materials', () => {
    const face = createSyntheticFace();
    const { model } = face;
    const { faces, vt } = parseObj(encode(face).obj);
    const maps = createSyntheticMaps();
    let at = 0;
    for (const part of model.parts) {
      for (let p = part.firstPolygon!; p < part.firstPolygon! + part.polygonCount!; p++) {
        const corners = Array.from(model.polygons!.vertices.subarray(4 * p, 4 * p + 4)).filter((v) => v !== 0xffffffff);
        const found = faces[at++]!;
        expect(found.group).toBe(part.name);
        expect(found.material).toBe(maps.surfaces.find((s) => s.materials.includes(part.material))!.name);
        expect(found.corners.map(([v]) => v)).toEqual(corners);
        expect(found.corners.map(([, , n]) => n)).toEqual(corners);
        found.corners.forEach(([, uv], c) => {
          const own = 2 * model.polygons!.uvs[4 * p + c]!;
          expect(vt[uv!]![0]).toBeCloseTo(model.uvs[own]!, 6);
          expect(1 - vt[uv!]![1]!).toBeCloseTo(model.uvs[own + 1]!, 6);
        });
      }
    }
    expect(at).toBe(faces.length);
    expect(new Set(faces.map((f) => f.corners.length))).toEqual(new Set([3, 4]));
  });

  it('has triangles where the model has no quads', () => {
    const { polygons: _, ...withoutQuads } = createSyntheticModel();
    const face = createSyntheticFace(withoutQuads);
    const { faces } = parseObj(encode(face).obj);
    expect(faces.map((f) => f.corners.map(([v]) => v))).toEqual(
      Array.from({ length: face.model.triangles.length / 3 }, (_x, t) => Array.from(face.model.triangles.subarray(3 * t, 3 * t + 3))),
    );
  });

  it('can have the expression of the photo', () => {
    const face = createSyntheticFace();
    const neutral = parseObj(encode(face).obj).v;
    const photo = parseObj(encode(face, { expression: 'photo' }).obj).v;
    const moved = neutral.filter((point, i) => point.some((x, k) => x !== photo[i]![k])).length;
    expect(moved).toBeGreaterThan(20);
    photo.forEach((point, i) => {
      point.forEach((x, k) => {
        expect(Math.abs(x - face.positions[3 * i + k]! / 1000)).toBeLessThanOrEqual(0.51e-6);
      });
    });
  });

  it('names in the MTL every material that the OBJ uses and only pictures that are written', async () => {
    const { obj, mtl } = encode(createSyntheticFace());
    const defined = [...mtl.matchAll(/^newmtl (.+)$/gm)].map((m) => m[1]);
    for (const [, used] of obj.matchAll(/^usemtl (.+)$/gm)) expect(defined).toContain(used);
    expect(obj).toContain('\nmtllib face.mtl\n');
    const written = (await encodeMaps(createSyntheticMaps())).map((file) => file.name);
    const named = [...mtl.matchAll(/^map_\w+ (.+)$/gm)].map((m) => m[1]!);
    for (const name of named) expect(written).toContain(name);
    expect(new Set(named)).toEqual(new Set(['albedo.png', 'albedo-eyes.png', 'albedo-eyeShade.png', 'albedo-lashes.png']));
    expect(written.sort()).toEqual(['albedo-eyeShade.png', 'albedo-eyes.png', 'albedo-lashes.png', 'albedo.png', 'observed.png']);
  });

  it('says units, axes, model and licence in its header', () => {
    const header = encode(createSyntheticFace()).obj.split('\nmtllib')[0]!;
    expect(header).toContain('metres');
    expect(header).toContain('synthetic 2.1.0');
    expect(header).toContain('CC0-1.0');
  });

  it('is the same from an encoder that made another face between', () => {
    const face = createSyntheticFace();
    const encoder = createObjEncoder(face.model);
    const make = (f: FittedFace) =>
      encoder.encode({ face: f, maps: createSyntheticMaps() }, { version: VERSION }).map((file) => Buffer.from(file.bytes).toString());
    const first = make(face);
    expect(make({ ...face, neutralPositions: face.positions })).not.toEqual(first);
    expect(make(face)).toEqual(first);
  });

  it('refuses a face that is not finite', () => {
    const face = createSyntheticFace();
    const spoiled = Float32Array.from(face.neutralPositions);
    spoiled[7] = Number.NaN;
    expect(() => encode({ ...face, neutralPositions: spoiled })).toThrow(expect.objectContaining({ code: 'FW_FIT_FAILED' }));
  });
});
