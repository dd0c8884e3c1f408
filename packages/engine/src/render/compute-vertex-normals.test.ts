import { describe, expect, it } from 'vitest';
import { computeVertexNormals } from './compute-vertex-normals.ts';

describe('computeVertexNormals', () => {
  it('points straight out of a sphere', () => {
    // A fine latitude-longitude sphere; the poles' fans and the seam are part of it.
    const rows = 40;
    const columns = 80;
    const positions: number[] = [];
    for (let i = 0; i <= rows; i++) {
      for (let j = 0; j < columns; j++) {
        const polar = (Math.PI * i) / rows;
        const turn = (2 * Math.PI * j) / columns;
        positions.push(50 * Math.sin(polar) * Math.cos(turn), 50 * Math.cos(polar), 50 * Math.sin(polar) * Math.sin(turn));
      }
    }
    const triangles: number[] = [];
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        const a = i * columns + j;
        const b = i * columns + ((j + 1) % columns);
        triangles.push(a, b, b + columns, a, b + columns, a + columns);
      }
    }
    const normals = computeVertexNormals(new Float64Array(positions), new Uint32Array(triangles));
    for (let v = columns; v < rows * columns; v++) {
      const cosine =
        (normals[3 * v]! * positions[3 * v]! + normals[3 * v + 1]! * positions[3 * v + 1]! + normals[3 * v + 2]! * positions[3 * v + 2]!) /
        50;
      // Facets of 4.5 degrees: the mean normal is off by less than a quarter of that, 1 - cos(1.1 deg) = 2e-4.
      expect(cosine).toBeGreaterThan(1 - 2e-4);
    }
  });

  it('weights by area, gives untouched vertices a unit normal, and reuses its output', () => {
    // Two triangles at vertex 0: one in the xy plane with area 2, one in the xz plane with area 0.5.
    const positions = new Float32Array([0, 0, 0, 2, 0, 0, 0, 2, 0, 1, 0, 0, 0, 0, -1, 7, 7, 7]);
    const triangles = new Uint32Array([0, 1, 2, 0, 3, 4]);
    const out = new Float32Array(18).fill(9);
    const normals = computeVertexNormals(positions, triangles, out);
    expect(normals).toBe(out);
    expect(normals[0]).toBe(0);
    expect(normals[1]).toBeCloseTo(0.5 / Math.hypot(2, 0.5), 6);
    expect(normals[2]).toBeCloseTo(2 / Math.hypot(2, 0.5), 6);
    expect([...normals.subarray(15)]).toEqual([0, 0, 1]);
  });
});
