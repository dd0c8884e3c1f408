import { createHash } from 'node:crypto';
import { createWarning } from '@facewright/protocol';
import { cameraOutputSchema, landmarksOutputSchema, reportOutputSchema } from '@facewright/protocol/outputs';
import { describe, expect, it } from 'vitest';
import { createSyntheticFace, createSyntheticMaps } from '../../test/synthetic-face.ts';
import type { FaceLandmarks } from '../nets/face-networks.ts';
import { describeCamera } from './describe-camera.ts';
import { describeLandmarks } from './describe-landmarks.ts';
import { describeReport, type ReportInput } from './describe-report.ts';

const PHOTO = { width: 800, height: 600 };
const LANDMARKS: FaceLandmarks = {
  points: Float64Array.from({ length: 3 * 478 }, (_, i) => 100 + Math.sin(i) * 50),
  presence: 0.987654,
  region: { centerX: 400, centerY: 300, sizePx: 200, rotationRad: 0 },
};

describe('describeCamera', () => {
  const face = createSyntheticFace();
  const camera = describeCamera(face.intrinsics, face.pose, PHOTO);
  /** A point of the model frame, millimetres, in the photo: by the two matrices. */
  const byMatrices = (p: readonly number[]): number[] => {
    const row = (m: readonly number[], width: number, r: number, q: readonly number[]) =>
      q.reduce((sum, x, k) => sum + m[width * r + k]! * x, 0);
    const inCamera = [0, 1, 2].map((r) => row(camera.cameraFromModel, 4, r, [...p, 1]));
    const [x, y, w] = [0, 1, 2].map((r) => row(camera.imageFromCamera, 3, r, inCamera)) as [number, number, number];
    return [x / w, y / w];
  };

  it('matches its schema and survives JSON', () => {
    expect(cameraOutputSchema.parse(JSON.parse(JSON.stringify(camera)))).toEqual(camera);
  });

  it('projects as the fitted face does', () => {
    const { rotation: r, translation: t } = face.pose;
    for (const p of [
      [0, 0, 0],
      [60, -80, 20],
      [-70, 40, -60],
    ] as const) {
      const c = [0, 1, 2].map((k) => r[3 * k]! * p[0] + r[3 * k + 1]! * p[1] + r[3 * k + 2]! * p[2] + t[k]!) as [number, number, number];
      const expected = [400 + (1000 * c[0]) / c[2], 300 + (1000 * c[1]) / c[2]];
      // Nine decimals of the rotation times 1000 px.
      byMatrices(p).forEach((x, k) => {
        expect(Math.abs(x - expected[k]!)).toBeLessThan(1e-5);
      });
    }
  });

  it('gives a glTF viewer the same picture: node matrix, field of view and aspect ratio against the two matrices', () => {
    const m = camera.gltf.nodeMatrix;
    for (const mm of [
      [0, 0, 0],
      [60, -80, 20],
      [-70, 40, -60],
    ] as const) {
      const p = mm.map((x) => x / 1000);
      // Inverse of a rigid matrix (columns m[0..2], m[4..6], m[8..10], translation m[12..14]).
      const q = [0, 1, 2].map((c) => [0, 1, 2].reduce((sum, k) => sum + m[4 * c + k]! * (p[k]! - m[12 + k]!), 0)) as [
        number,
        number,
        number,
      ];
      const half = Math.tan(camera.gltf.yfovRad / 2);
      const x = (q[0] / -q[2] / half / camera.gltf.aspectRatio + 1) * (PHOTO.width / 2);
      const y = (1 - q[1] / -q[2] / half) * (PHOTO.height / 2);
      byMatrices(mm).forEach((expected, k) => {
        expect(Math.abs([x, y][k]! - expected)).toBeLessThan(1e-4);
      });
    }
  });
});

describe('describeLandmarks', () => {
  const face = createSyntheticFace();

  it('matches its schema and has what was measured', () => {
    const output = describeLandmarks(face, LANDMARKS, PHOTO);
    expect(landmarksOutputSchema.parse(JSON.parse(JSON.stringify(output)))).toEqual(output);
    expect(output.points[477]).toEqual([3 * 477, 3 * 477 + 1, 3 * 477 + 2].map((i) => Math.round(LANDMARKS.points[i]! * 1000) / 1000));
  });

  it('has no residual where the model has no landmark, or where it was not used', () => {
    const residualsPx = new Float64Array(478);
    residualsPx[1] = 1.25;
    residualsPx[152] = Number.NaN;
    const output = describeLandmarks({ ...face, residualsPx }, LANDMARKS, PHOTO);
    expect(output.residualsPx.flatMap((r, l) => (r === null ? [] : [[l, r]]))).toEqual([
      [1, 1.25],
      [13, 0],
      [14, 0],
    ]);
  });

  it('places the model’s landmarks on the fitted surface', () => {
    const { model, positions } = face;
    const { points } = describeLandmarks(face, LANDMARKS, PHOTO).model;
    expect(points.map((p) => p.landmark)).toEqual([1, 152, 13, 14]);
    // The second lies on a corner: its position is that vertex.
    const v = model.triangles[3 * model.landmarks.triangle[1]!]!;
    points[1]!.positionMm.forEach((x, k) => {
      expect(Math.abs(x - positions[3 * v + k]!)).toBeLessThanOrEqual(0.51e-4);
    });
  });
});

describe('describeReport', () => {
  const face = createSyntheticFace();
  const input: ReportInput = {
    face,
    maps: createSyntheticMaps(),
    landmarks: LANDMARKS,
    blendshapes: [{ name: 'jawOpen', weight: 0.123456 }],
    warnings: [],
    timings: { decode: 1.23456 },
    photo: { ...PHOTO, format: 'jpeg', bytes: 1234 },
    faceIndex: 1,
    faceCount: 2,
    provider: 'cpu',
  };

  it('matches its schema', () => {
    const report = describeReport(input, [], { version: '1.2.3' });
    expect(reportOutputSchema.parse(JSON.parse(JSON.stringify(report)))).toEqual(report);
    expect(report.expression).toEqual({ jawOpen: 0.1235 });
    expect(report.quality.residualRmsRatio).toBeCloseTo(0.5 / 150, 6);
  });

  it('lists the files with sizes and SHA-256', () => {
    const bytes = new TextEncoder().encode('abc');
    // FIPS 180-2, appendix B.1.
    const sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect(createHash('sha256').update('abc').digest('hex')).toBe(sha256);
    expect(describeReport(input, [{ name: 'face.glb', bytes }], { version: '1.2.3' }).files).toEqual([
      { name: 'face.glb', bytes: 3, sha256 },
    ]);
  });

  it('names no folder, even where a warning does', () => {
    const warnings = [
      createWarning('CACHE_NOT_WRITABLE', { path: '/home/jane/.cache/facewright', reason: "EACCES: mkdir '/home/jane/.cache'" }),
    ];
    const text = JSON.stringify(describeReport({ ...input, warnings }, [], { version: '1.2.3' }));
    expect(text).toContain('CACHE_NOT_WRITABLE');
    expect(text).not.toContain('jane');
  });
});
