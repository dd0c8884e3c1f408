import { describe, expect, it } from 'vitest';
import { createRandom } from '../../packages/engine/src/math/random.ts';
import { rotationFromVector } from '../../packages/engine/src/math/rotation.ts';
import { applySimilarity } from '../../packages/engine/src/math/similarity.ts';
import { createClosestPointTree } from './closest-point.ts';
import type { Scan } from './read-scan.ts';
import { sampleFace } from './sample-face.ts';
import { scoreMesh } from './score-mesh.ts';

/** A bumpy cap, 160 mm wide, y from -110 to 50, its foremost point where a nose would be: a height field z(x, y). */
function createCap(step = 4): { positions: Float32Array; triangles: Uint32Array } {
  const positions: number[] = [];
  const triangles: number[] = [];
  const n = Math.round(160 / step);
  for (let j = 0; j <= n; j++) {
    for (let i = 0; i <= n; i++) {
      const x = i * step - 80;
      const y = j * step - 110;
      const bump = 25 * Math.exp(-(x * x + (y + 40) ** 2) / 200) + 4 * Math.sin(x / 13) * Math.cos(y / 17);
      positions.push(x, y, 80 - (x * x) / 120 - (y + 30) ** 2 / 200 + bump);
    }
  }
  for (let j = 0; j < n; j++) {
    for (let i = 0; i < n; i++) {
      const a = j * (n + 1) + i;
      triangles.push(a, a + 1, a + n + 2, a, a + n + 2, a + n + 1);
    }
  }
  return { positions: Float32Array.from(positions), triangles: Uint32Array.from(triangles) };
}

const cap = createCap();
const scan: Scan = {
  name: 'cap',
  ...cap,
  uvs: new Float32Array(2),
  triangleUvs: new Uint32Array(cap.triangles.length),
  texture: { width: 1, height: 1, data: new Uint8Array(3) },
};

describe('createClosestPointTree', () => {
  it('finds what trying every triangle finds', () => {
    const { positions, triangles } = createCap(20);
    const tree = createClosestPointTree(positions, triangles);
    const random = createRandom(2);
    const out = new Float64Array(4);
    const one = new Float64Array(4);
    for (let k = 0; k < 300; k++) {
      const p = [200 * random.uniform() - 100, 200 * random.uniform() - 130, 150 * random.uniform()];
      tree.find(p[0], p[1], p[2], out, Math.floor((random.uniform() * triangles.length) / 3));
      let least = Infinity;
      for (let t = 0; t < triangles.length; t += 3) {
        createClosestPointTree(positions, triangles.subarray(t, t + 3)).find(p[0], p[1], p[2], one);
        least = Math.min(least, one[3]);
      }
      // The same arithmetic on the same triangle.
      expect(out[3]).toBe(least);
      expect(Math.hypot(out[0] - p[0], out[1] - p[1], out[2] - p[2])).toBeCloseTo(Math.sqrt(least), 10);
    }
  });
});

describe('sampleFace', () => {
  it('stays within 75 mm of the nose and leaves out what lies behind another surface', () => {
    const lid = createCap(8);
    const count = cap.positions.length / 3;
    // The same surface once more 20 mm behind: all of it is hidden but for the outermost rim, where the cap slopes away.
    const both: Scan = {
      ...scan,
      positions: Float32Array.of(...cap.positions, ...lid.positions.map((x, i) => (i % 3 === 2 ? x - 20 : x))),
      triangles: Uint32Array.of(...cap.triangles, ...lid.triangles.map((v) => v + count)),
    };
    const tip = [0, -40, 105];
    const points = sampleFace(both, 2000, 1, tip);
    const tree = createClosestPointTree(cap.positions, cap.triangles);
    const out = new Float64Array(4);
    let behind = 0;
    for (let i = 0; i < 2000; i++) {
      const [x, y, z] = points.subarray(3 * i, 3 * i + 3);
      expect(Math.hypot(x - tip[0], y - tip[1], z - tip[2])).toBeLessThanOrEqual(75);
      tree.find(x, y, z, out);
      if (out[3] > 1) behind++;
    }
    expect(behind).toBeLessThan(10);
  });

  it('gives the same points for the same seed and others for another', () => {
    const first = sampleFace(scan, 100, 1);
    expect(sampleFace(scan, 100, 1)).toEqual(first);
    expect(sampleFace(scan, 100, 2)).not.toEqual(first);
  });
});

describe('scoreMesh', () => {
  const points = sampleFace(scan, 1500, 3);

  it('is nothing for the scan itself, moved, turned and scaled a little', () => {
    const moved = applySimilarity(
      { scale: 1.01, rotation: rotationFromVector(0.01, -0.015, 0.02), translation: Float64Array.of(1, -1.5, 2) },
      Float64Array.from(cap.positions),
    );
    const score = scoreMesh(points, moved, cap.triangles);
    // As far apart as reconstructions are. Point-to-point ICP slides slowly along a smooth cap: a tenth of a millimetre may be left.
    expect(score.medianMm).toBeLessThan(0.1);
    expect(score.meanMm).toBeLessThan(0.15);
  });

  it('measures a bump of known height', () => {
    const dented = cap.positions.map((x, i) => {
      const at = i - (i % 3);
      return i % 3 === 2 && Math.hypot(cap.positions[at] - 30, cap.positions[at + 1] + 60) < 15 ? x + 4 : x;
    });
    const score = scoreMesh(points, dented, cap.triangles);
    // A twenty-fifth of the region is 4 mm off (less across the slope), the rest keeps its place: the trimmed tenth holds the bump.
    expect(score.medianMm).toBeLessThan(0.1);
    expect(score.meanMm).toBeGreaterThan(0.08);
    expect(score.meanMm).toBeLessThan(0.3);
  });
});
