import { beforeAll, describe, expect, it } from 'vitest';
import { renderSyntheticPortrait } from '../../test/synthetic-portrait.ts';
import type { FaceModel } from '../models/face-model.ts';
import { loadFaceModel } from '../models/load-face-model.ts';
import type { TriangleRange } from './texel-map.ts';
import { computeVisibility, createVisibilityBuffers, OUTLINE_LIMIT_MM, type VisibilityGrid } from './visibility.ts';

let model: FaceModel;
let grid: VisibilityGrid;
let cellMm: number;

/** The grid of a turned head without the triangles that `isHole` names. */
function computeGrid(isHole: (triangle: number) => boolean): VisibilityGrid {
  const { face, view } = renderSyntheticPortrait(model, () => [200, 150, 120], { yawDeg: 20 });
  const depth = new Float32Array(model.vertexCount).fill(900);
  const ranges: TriangleRange[] = [];
  for (const { material, firstTriangle, triangleCount } of model.parts) {
    if (material !== 'skin' && material !== 'scalp') continue;
    for (let t = firstTriangle; t < firstTriangle + triangleCount; t++) if (!isHole(t)) ranges.push({ firstTriangle: t, triangleCount: 1 });
  }
  const box = { x0: 0, y0: 0, x1: view.raster.width, y1: view.raster.height };
  const mmPerPx = 900 / face.intrinsics.focalPx;
  const made = computeVisibility(model, face.imagePoints, depth, ranges, box, mmPerPx, createVisibilityBuffers());
  cellMm = mmPerPx / made.scale;
  return made;
}

beforeAll(async () => {
  model = await loadFaceModel('head');
  grid = computeGrid(() => false);
}, 60_000);

describe('computeVisibility', () => {
  it('tells the distance to the outline of the head as looking for the nearest cell beside it does', () => {
    const { width, height, depth, outlineMm } = grid;
    const beside: number[] = [];
    for (let p = 0; p < outlineMm.length; p++) if (outlineMm[p] === 0) beside.push(p);
    expect(beside.length).toBeGreaterThan(0.2 * outlineMm.length);
    for (const p of beside) expect(depth[p]).toBe(Number.POSITIVE_INFINITY);
    let checked = 0;
    for (let p = 0; p < width * height; p += 37) {
      if (depth[p] === Number.POSITIVE_INFINITY) continue;
      let nearest = Number.POSITIVE_INFINITY;
      for (const q of beside)
        nearest = Math.min(nearest, Math.hypot((q % width) - (p % width), Math.floor(q / width) - Math.floor(p / width)));
      const truth = Math.min(OUTLINE_LIMIT_MM, nearest * cellMm);
      // Steps of 1 and the root of 2 are never too short and at most 8.3 % too long (1 / cos 22.5° at 22.5°).
      expect(outlineMm[p]).toBeGreaterThan(truth - 1e-3);
      expect(outlineMm[p]).toBeLessThan(1.083 * truth + 1e-3);
      checked++;
    }
    expect(checked).toBeGreaterThan(100);
  });

  it('sees no outline in an opening within the head', () => {
    const isNose = (t: number): boolean => {
      const v = 3 * model.triangles[3 * t];
      return Math.hypot(model.neutral[v], model.neutral[v + 1] + 35) < 25;
    };
    const { depth, outlineMm } = computeGrid(isNose);
    let openings = 0;
    for (let p = 0; p < depth.length; p++)
      if (depth[p] === Number.POSITIVE_INFINITY && grid.depth[p] < Number.POSITIVE_INFINITY) openings++;
    expect(openings).toBeGreaterThan(50);
    expect(outlineMm).toEqual(grid.outlineMm);
  });
});
