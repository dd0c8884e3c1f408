import { beforeAll, describe, expect, it } from 'vitest';
import type { FaceModel, ModelPart } from '../models/face-model.ts';
import { loadFaceModel } from '../models/load-face-model.ts';
import { createRasterBuffers, rasterize } from '../render/rasterize.ts';
import { computeTexelGradients, createTexelMap, NO_TRIANGLE, rasterizeAttribute } from './texel-map.ts';

const SIZE = 256;
let model: FaceModel;
let parts: readonly ModelPart[];

beforeAll(async () => {
  model = await loadFaceModel('head');
  parts = model.parts.filter((p) => p.material === 'skin');
}, 60_000);

describe('createTexelMap', () => {
  it('covers what the general rasteriser covers', () => {
    const map = createTexelMap(model, parts, SIZE, 0);
    const screen = Float64Array.from(model.uvs, (x) => x * SIZE);
    const buffers = createRasterBuffers(SIZE, SIZE);
    for (const part of parts) rasterize({ screen, triangles: model.triangleUvs, ...part, clear: false }, buffers);
    let different = 0;
    let covered = 0;
    for (let p = 0; p < SIZE * SIZE; p++) {
      const a = map.triangle[p] === NO_TRIANGLE ? -1 : map.triangles[map.triangle[p]];
      if (a >= 0) covered++;
      if (a !== buffers.triangle[p]) different++;
    }
    expect(map.covered).toBe(covered);
    // The reference rounds corners to 1/256 texel: centres that near an edge may go to the neighbour. Edges pass within 1/256 texel of some 0.5 % of centres
    // (36 000 edges of about 2 texels on 56 000 texels, both sides of each edge).
    expect(different / covered).toBeLessThan(0.02);
  });

  it('interpolates exactly: UV coordinates come out as the places of the texels', () => {
    const map = createTexelMap(model, parts, SIZE, 2);
    // UV as a vertex attribute, where each vertex has one.
    const u = new Float64Array(model.vertexCount);
    for (const { firstTriangle, triangleCount } of parts) {
      for (let i = 3 * firstTriangle; i < 3 * (firstTriangle + triangleCount); i++)
        u[model.triangles[i]] = model.uvs[2 * model.triangleUvs[i]];
    }
    const values = rasterizeAttribute(map, model.triangles, u, 1, 0, -1);
    let worst = 0;
    for (let p = 0; p < SIZE * SIZE; p++) {
      if (map.triangle[p] !== NO_TRIANGLE) worst = Math.max(worst, Math.abs(values[p] - ((p % SIZE) + 0.5) / SIZE));
    }
    // 32-bit floats hold 1e-7; some vertices have two UVs, 1e-6 apart, and thin triangles magnify that.
    expect(worst).toBeLessThan(1e-3);
  });

  it('widens islands by the margin and no further', () => {
    const bare = createTexelMap(model, parts, SIZE, 0);
    const wide = createTexelMap(model, parts, SIZE, 3);
    expect(wide.covered).toBe(bare.covered);
    for (let row = 0; row < SIZE; row += 3) {
      for (let column = 0; column < SIZE; column += 3) {
        const p = row * SIZE + column;
        let nearest = Number.POSITIVE_INFINITY;
        for (let j = -4; j <= 4; j++) {
          for (let i = -4; i <= 4; i++) {
            const r = row + j;
            const c = column + i;
            if (r < 0 || c < 0 || r >= SIZE || c >= SIZE || bare.triangle[r * SIZE + c] === NO_TRIANGLE) continue;
            nearest = Math.min(nearest, Math.abs(i) + Math.abs(j));
          }
        }
        // Steps to the four neighbours: the distance is that of a taxi.
        if (nearest === 0) expect(wide.triangle[p]).toBe(bare.triangle[p]);
        else expect(wide.triangle[p] !== NO_TRIANGLE).toBe(nearest <= 3);
      }
    }
  });

  it('gives gradients that meet the corners', () => {
    const map = createTexelMap(model, parts, SIZE, 0);
    const values = Float64Array.from({ length: model.vertexCount }, (_, v) => Math.sin(v));
    const gradients = computeTexelGradients(map, model.triangles, values, 1, 0);
    let worst = 0;
    for (let i = 0; i < map.triangles.length; i++) {
      const f = map.frames;
      if (f[6 * i + 2] === 0 && f[6 * i + 3] === 0) continue;
      for (let c = 0; c < 3; c++) {
        const corner = 3 * map.triangles[i] + c;
        const uv = model.triangleUvs[corner];
        const at = gradients[3 * i] * model.uvs[2 * uv] * SIZE + gradients[3 * i + 1] * model.uvs[2 * uv + 1] * SIZE + gradients[3 * i + 2];
        worst = Math.max(worst, Math.abs(at - values[model.triangles[corner]]));
      }
    }
    // Double precision; the thinnest triangles have inverse matrices of 1e7.
    expect(worst).toBeLessThan(1e-6);
  });
});
