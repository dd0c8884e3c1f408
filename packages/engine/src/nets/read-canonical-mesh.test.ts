import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCanonicalMesh } from './read-canonical-mesh.ts';
import { findNetworkPackage } from './read-network-asset.ts';

describe('readCanonicalMesh', () => {
  it('is one disc of consistently oriented triangles that face the viewer', async () => {
    const { vertexCount, positionsCm, triangles } = await readCanonicalMesh();
    expect([vertexCount, triangles.length / 3]).toEqual([468, 898]);
    const directed = new Set<string>();
    const edges = new Set<string>();
    let signedAreaXy = 0;
    for (let t = 0; t < triangles.length; t += 3) {
      const corner = [triangles[t]!, triangles[t + 1]!, triangles[t + 2]!] as const;
      for (let k = 0; k < 3; k++) {
        const a = corner[k]!;
        const b = corner[(k + 1) % 3]!;
        expect(directed.has(`${a},${b}`), 'an edge is run through twice in one direction').toBe(false);
        directed.add(`${a},${b}`);
        edges.add(a < b ? `${a},${b}` : `${b},${a}`);
        signedAreaXy += positionsCm[3 * a]! * positionsCm[3 * b + 1]! - positionsCm[3 * b]! * positionsCm[3 * a + 1]!;
      }
    }
    expect(468 - edges.size + 898, 'Euler number of a disc').toBe(1);
    expect(signedAreaXy, 'counter-clockwise from the front').toBeGreaterThan(0);
  });

  it('has eyes above mouth, nose tip toward the viewer, the person’s left at +x, v down', async () => {
    const { positionsCm: p, uvs, procrustesWeights } = await readCanonicalMesh();
    const [rightEye, leftEye, nose, mouth] = [33, 263, 1, 13];
    expect(p[3 * leftEye]).toBeGreaterThan(0);
    expect(p[3 * rightEye]).toBeCloseTo(-p[3 * leftEye]!, 3);
    expect(p[3 * leftEye + 1]).toBeGreaterThan(p[3 * mouth + 1]!);
    expect(p[3 * nose + 2]).toBeGreaterThan(p[3 * leftEye + 2]!);
    expect(uvs[2 * mouth + 1]).toBeGreaterThan(uvs[2 * leftEye + 1]!);
    expect(uvs[2 * leftEye]).toBeGreaterThan(uvs[2 * rightEye]!);
    expect(procrustesWeights.filter((w) => w > 0).length).toBe(33);
  });

  it('knows the vertex on the other side of each', async () => {
    const { positionsCm: p, mirrorVertex } = await readCanonicalMesh();
    const distance = (i: number, j: number) =>
      Math.hypot(p[3 * i]! + p[3 * j]!, p[3 * i + 1]! - p[3 * j + 1]!, p[3 * i + 2]! - p[3 * j + 2]!);
    let ownMirror = 0;
    for (let i = 0; i < 468; i++) {
      expect(mirrorVertex[mirrorVertex[i]!], `vertex ${i}`).toBe(i);
      if (mirrorVertex[i] === i) ownMirror++;
      let least = Number.POSITIVE_INFINITY;
      for (let j = 0; j < 468; j++) least = Math.min(least, distance(i, j));
      expect(distance(i, mirrorVertex[i]!), `vertex ${i}`).toBe(least);
      // Centimetres: the mesh is symmetric to the precision of its 32-bit floats.
      expect(distance(i, mirrorVertex[i]!)).toBeLessThan(1e-4);
    }
    expect([33, 61, 1].map((i) => mirrorVertex[i])).toEqual([263, 291, 1]);
    expect(ownMirror).toBeGreaterThan(20);
  });

  it('refuses an archive of which one byte differs, is cut off, or is absent', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'facewright-'));
    try {
      const loader = 'face_mesh_solution_packed_assets_loader.js';
      const archive = 'face_mesh_solution_packed_assets.data';
      await expect(readCanonicalMesh(dir)).rejects.toMatchObject({ code: 'FW_NETWORK_CORRUPT' });
      await writeFile(join(dir, loader), await readFile(join(findNetworkPackage(), loader)));
      const bytes = await readFile(join(findNetworkPackage(), archive));
      await writeFile(join(dir, archive), bytes);
      await expect(readCanonicalMesh(dir)).resolves.toMatchObject({ vertexCount: 468 });
      bytes[3_740_000]! ^= 1;
      await writeFile(join(dir, archive), bytes);
      await expect(readCanonicalMesh(dir)).rejects.toMatchObject({
        code: 'FW_NETWORK_CORRUPT',
        message: expect.stringContaining('checksum'),
      });
      await writeFile(join(dir, archive), bytes.subarray(0, 3_740_000));
      await expect(readCanonicalMesh(dir)).rejects.toMatchObject({
        code: 'FW_NETWORK_CORRUPT',
        message: expect.stringContaining('too early'),
      });
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
