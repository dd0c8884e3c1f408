import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { rotationFromAngles } from '../../src/camera/pose-angles.ts';
import { loadFaceModel } from '../../src/models/load-face-model.ts';
import { openPhoto } from '../../src/photo/open-photo.ts';

const example = new URL('../../../../examples/', import.meta.url);

interface TruthRecord {
  readonly width: number;
  readonly height: number;
  readonly focalPx: number;
  readonly principalPoint: [number, number];
  readonly pose: { yawDeg: number; pitchDeg: number; rollDeg: number; rotation: number[]; translation: [number, number, number] };
  readonly identity: number[];
  readonly expression: Record<string, number>;
  readonly landmarks: [number, number, number][];
}

describe('the example portrait', () => {
  it('is a small file that tells its size and focal length as its truth does', async () => {
    const bytes = await readFile(new URL('portrait.jpg', example));
    const truth = JSON.parse(await readFile(new URL('portrait.truth.json', example), 'utf8')) as TruthRecord;
    expect(bytes.length).toBeLessThan(600_000);
    const photo = await openPhoto(bytes);
    expect([photo.width, photo.height, photo.format]).toEqual([truth.width, truth.height, 'jpeg']);
    // The record has four decimals.
    expect(photo.exifFocalPx! - truth.focalPx).toBeCloseTo(0, 3);
  });

  it('belongs to the shipped head model (run scripts/make-example-portrait.ts when the model has changed)', async () => {
    const truth = JSON.parse(await readFile(new URL('portrait.truth.json', example), 'utf8')) as TruthRecord;
    const model = await loadFaceModel('head');
    const { pose } = truth;
    const rotation = rotationFromAngles(pose.yawDeg, pose.pitchDeg, pose.rollDeg);
    for (let i = 0; i < 9; i++) expect(pose.rotation[i]).toBeCloseTo(rotation[i]!, 3);
    const positions = model.evaluate(
      truth.identity,
      model.expressionNames.map((name) => truth.expression[name] ?? 0),
    );
    const { landmarks, triangles } = model;
    expect(truth.landmarks.map(([number]) => number)).toEqual([...landmarks.landmark]);
    let worst = 0;
    for (let l = 0; l < landmarks.count; l++) {
      const point = [0, 0, 0];
      for (let k = 0; k < 3; k++) {
        const v = 3 * triangles[3 * landmarks.triangle[l]! + k]!;
        for (let c = 0; c < 3; c++) point[c]! += landmarks.barycentric[3 * l + k]! * positions[v + c]!;
      }
      const [x, y, z] = [0, 3, 6].map(
        (row, k) => rotation[row]! * point[0]! + rotation[row + 1]! * point[1]! + rotation[row + 2]! * point[2]! + pose.translation[k]!,
      ) as [number, number, number];
      const [, px, py] = truth.landmarks[l]!;
      const dx = (truth.focalPx * x) / z + truth.principalPoint[0] - px;
      const dy = (truth.focalPx * y) / z + truth.principalPoint[1] - py;
      worst = Math.max(worst, Math.hypot(dx, dy));
    }
    // Half a pixel of 1600: 0.1 mm on the face, as far as the model's own quantisation may move a point.
    expect(worst).toBeLessThan(0.5);
  });
});
