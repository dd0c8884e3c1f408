import { describe, expect, it } from 'vitest';
import type { FaceLandmarks } from '../nets/face-networks.ts';
import type { PhotoView } from '../photo/photo.ts';
import { findHairAbove } from './find-hair-above.ts';
import { computeTone } from './skin-color.ts';

const SKIN = [200, 150, 125] as const;
const HAIR = [60, 42, 34] as const;
const WALL = [120, 150, 190] as const;

/** A head as an ellipse on a wall; above `hairFrom` (share of the face's height over the uppermost landmark) it is hair; null: bald. */
function drawHead(hairFrom: number | null): { view: PhotoView; landmarks: FaceLandmarks } {
  const width = 400;
  const height = 400;
  const chin = 330;
  const top = 130;
  const faceHeight = chin - top;
  const rgb = new Uint8Array(3 * width * height);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const above = (top - row) / faceHeight;
      // The crown is 0.28 face heights above the uppermost landmark; hair adds a little.
      const inside = ((column - 200) / 85) ** 2 + ((row - 202) / (hairFrom === null ? 128 : 140)) ** 2 < 1;
      const color = !inside ? WALL : hairFrom !== null && above > hairFrom ? HAIR : SKIN;
      rgb.set(color, 3 * (row * width + column));
    }
  }
  const points = new Float64Array(3 * 478);
  points.set([200, chin, 0], 3 * 152);
  [
    [10, 0],
    [338, 18],
    [109, -18],
    [297, 34],
    [67, -34],
  ].forEach(([l, dx]) => void points.set([200 + dx, top + Math.abs(dx) / 8, 0], 3 * l));
  return {
    view: { raster: { width, height, rgb }, x: 0, y: 0, scaleX: 1, scaleY: 1 },
    landmarks: { points, presence: 1, region: { centerX: 0, centerY: 0, sizePx: 1, rotationRad: 0 } },
  };
}

const tone = new Float32Array(3);
computeTone(...SKIN, tone, 0);

describe('findHairAbove', () => {
  it('finds hair over the forehead and its colour', () => {
    for (const hairFrom of [0.02, 0.12]) {
      const { view, landmarks } = drawHead(hairFrom);
      const samples = findHairAbove(landmarks, view, [...tone]);
      expect(samples.length).toBeGreaterThan(90);
      for (let i = 0; i < samples.length; i += 3) expect(samples.slice(i, i + 3)).toEqual([...HAIR]);
    }
  });

  it('does not take the wall over a bald head for hair', () => {
    const { view, landmarks } = drawHead(null);
    expect(findHairAbove(landmarks, view, [...tone])).toEqual([]);
  });
});
