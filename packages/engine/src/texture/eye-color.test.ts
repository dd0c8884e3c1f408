import { describe, expect, it } from 'vitest';
import type { FaceLandmarks } from '../nets/face-networks.ts';
import type { PhotoView } from '../photo/photo.ts';
import { estimateEyeColors } from './eye-color.ts';

const WIDTH = 400;
const HEIGHT = 160;
const IRIS = [70, 110, 140] as const;
const RADIUS = 22;
const CENTERS = [
  [110, 80],
  [290, 80],
] as const;
const LIDS = [
  [33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7],
  [362, 398, 384, 385, 386, 387, 388, 466, 263, 249, 390, 373, 374, 380, 381, 382],
];

/** Two eyes: lids as ellipses, whites, irises with pupil, dark upper half (lid's shade) and a white reflection. */
function drawEyes(gain: number): { view: PhotoView; landmarks: FaceLandmarks } {
  const rgb = new Uint8Array(3 * WIDTH * HEIGHT);
  for (let row = 0; row < HEIGHT; row++) {
    for (let column = 0; column < WIDTH; column++) {
      let color: readonly number[] = [190, 140, 120];
      for (const [cx, cy] of CENTERS) {
        const dx = column + 0.5 - cx;
        const dy = row + 0.5 - cy;
        if ((dx / 60) ** 2 + (dy / 20) ** 2 > 1) continue;
        const r = Math.hypot(dx, dy) / RADIUS;
        color = r > 1 ? [225, 215, 210] : r < 0.35 ? [8, 8, 8] : IRIS;
        if (r <= 1 && dy < -0.45 * RADIUS) color = color.map((c) => 0.4 * c);
        if (Math.hypot(dx - 8, dy + 6) < 4) color = [255, 255, 255];
      }
      for (let k = 0; k < 3; k++) rgb[3 * (row * WIDTH + column) + k] = gain * color[k];
    }
  }
  const points = new Float64Array(3 * 478);
  CENTERS.forEach(([cx, cy], eye) => {
    LIDS[eye].forEach((l, i) => {
      const a = Math.PI + (2 * Math.PI * i) / 16;
      points.set([cx + 60 * Math.cos(a), cy + 20 * Math.sin(a), 0], 3 * l);
    });
    for (let k = 0; k < 5; k++) {
      const r = k === 0 ? 0 : RADIUS;
      points.set([cx + r * Math.cos((k * Math.PI) / 2), cy + r * Math.sin((k * Math.PI) / 2), 0], 3 * (468 + 5 * eye + k));
    }
  });
  return {
    view: { raster: { width: WIDTH, height: HEIGHT, rgb }, x: 0, y: 0, scaleX: 1, scaleY: 1 },
    landmarks: { points, presence: 1, region: { centerX: 0, centerY: 0, sizePx: 1, rotationRad: 0 } },
  };
}

describe('estimateEyeColors', () => {
  it('finds the iris between pupil, shade and reflection', () => {
    const { view, landmarks } = drawEyes(1);
    const { iris, sclera } = estimateEyeColors(landmarks, view, 150);
    // Flat colours: what is left after the darkest third and the brightest fifth is iris only.
    for (let k = 0; k < 3; k++) expect(Math.abs(iris[k] - IRIS[k])).toBeLessThan(3);
    expect(Math.min(...sclera)).toBeGreaterThan(195);
  });

  it('follows the light of a dark photo', () => {
    const { view, landmarks } = drawEyes(0.5);
    const { iris, sclera } = estimateEyeColors(landmarks, view, 75);
    for (let k = 0; k < 3; k++) expect(Math.abs(iris[k] - IRIS[k] / 2)).toBeLessThan(3);
    expect(Math.max(...sclera)).toBeLessThan(150);
  });

  it('takes a dark brown where there is nothing to see', () => {
    const { view, landmarks } = drawEyes(1);
    const closed = { ...landmarks, points: landmarks.points.map((x, i) => (i % 3 === 1 ? 80 : x)) };
    const { iris } = estimateEyeColors(closed, view, 150);
    expect(iris[0]).toBeGreaterThan(iris[2]);
    expect(Math.max(...iris)).toBeLessThan(90);
  });
});
