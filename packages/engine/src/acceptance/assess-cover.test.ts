import { beforeAll, describe, expect, it } from 'vitest';
import { type ExampleTruth, readExampleRaster } from '../../test/example-portrait.ts';
import { landmarkAt } from '../../test/portraits/compose-pictures.ts';
import type { PortraitTruth } from '../../test/portraits/create-portrait.ts';
import type { Raster } from '../photo/raster.ts';
import { assessCover } from './assess-cover.ts';
import { FACE_BOUNDS } from './check-face.ts';

let raster: Raster;
let truth: ExampleTruth;
/** Shape (478,3): where the landmarks are in truth; -1 for the few that the model does not have. */
let points: Float64Array;

beforeAll(async () => {
  ({ raster, truth } = await readExampleRaster(512));
  points = new Float64Array(3 * 478).fill(-1);
  for (const landmark of truth.landmark) points.set(landmarkAt(truth as unknown as PortraitTruth, landmark), 3 * landmark);
});

/** The portrait with everything painted over that `isCovered` says, by its place: across and down in face widths from the nose tip. */
function cover(isCovered: (across: number, down: number) => boolean, color: readonly [number, number, number]): Raster {
  const rgb = Uint8Array.from(raster.rgb);
  const [noseX, noseY] = [points[3 * 4]!, points[3 * 4 + 1]!];
  const faceWidth = points[3 * 454]! - points[3 * 234]!;
  for (let y = 0; y < raster.height; y++) {
    for (let x = 0; x < raster.width; x++) {
      if (isCovered((x + 0.5 - noseX) / faceWidth, (y + 0.5 - noseY) / faceWidth)) rgb.set(color, 3 * (y * raster.width + x));
    }
  }
  return { ...raster, rgb };
}

describe('assessCover', () => {
  it('finds bare skin in a portrait, also in half of its light', () => {
    for (const exposure of [1, 0.5]) {
      const { rightCheek, leftCheek, nose, chin } = assessCover({ ...raster, rgb: raster.rgb.map((v) => exposure * v) }, points);
      // Far from the bounds of the warning: single places may be hair, highlights or shadow.
      expect(Math.max(rightCheek, leftCheek, nose, chin)).toBeLessThan(0.25);
    }
  });

  it.each([
    ['a surgical mask', [127, 179, 213]],
    ['a white scarf', [240, 238, 235]],
    ['a black mask', [24, 24, 27]],
  ] as const)('sees %s on both cheeks', (_, color) => {
    // From the bridge of the nose down.
    const { rightCheek, leftCheek } = assessCover(
      cover((_across, down) => down > -0.1, color),
      points,
    );
    expect(Math.min(rightCheek, leftCheek)).toBeGreaterThan(FACE_BOUNDS.coveredCheeksRatio);
  });

  it.each([-1, 1])('sees what covers a third of the face, and on which side (%d)', (side) => {
    // Landmarks of the covered side are right here; the networks would place them about there too.
    const { rightCheek, leftCheek } = assessCover(
      cover((across) => side * across > 0.12, [230, 226, 220]),
      points,
    );
    // The person's right is on the left of the picture.
    expect(side < 0 ? rightCheek : leftCheek).toBeGreaterThan(FACE_BOUNDS.coveredRatio);
    expect(side < 0 ? leftCheek : rightCheek).toBeLessThan(0.25);
  });

  it('takes a dark chin for a beard and a light one for covered', () => {
    const isChin = (across: number, down: number): boolean => Math.abs(across) < 0.4 && down > 0.34;
    expect(assessCover(cover(isChin, [52, 40, 34]), points).chin).toBe(0);
    expect(assessCover(cover(isChin, [235, 235, 235]), points).chin).toBeGreaterThan(FACE_BOUNDS.coveredChinRatio);
  });

  it('says nothing of what lies outside the picture', () => {
    const left = Math.round(points[3 * 4]!);
    const width = raster.width - left;
    const rgb = new Uint8Array(3 * width * raster.height);
    for (let y = 0; y < raster.height; y++) {
      rgb.set(raster.rgb.subarray(3 * (y * raster.width + left), 3 * (y * raster.width + raster.width)), 3 * y * width);
    }
    const moved = points.map((v, i) => (i % 3 === 0 ? v - left : v));
    expect(assessCover({ width, height: raster.height, rgb }, moved)).toMatchObject({ rightCheek: 0, chin: expect.any(Number) });
  });
});
