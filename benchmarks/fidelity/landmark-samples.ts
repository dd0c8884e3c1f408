import { readFileSync } from 'node:fs';
import type { Intrinsics } from '../../packages/engine/src/camera/camera.ts';
import { unprojectLandmarks } from '../../packages/engine/src/fit/unproject-landmarks.ts';
import type { FaceModel } from '../../packages/engine/src/models/face-model.ts';

/** What is kept of a rendered head: one row of 32-bit floats, `presence` 0 where no face was found. */
export interface SampleRecord {
  readonly presence: number;
  readonly isPainted: boolean;
  readonly focalPx: number;
  readonly centerX: number;
  readonly centerY: number;
  /** cameraFromModel, shape (3,3), and millimetres. */
  readonly rotation: ArrayLike<number>;
  readonly translation: ArrayLike<number>;
  readonly identity: ArrayLike<number>;
  readonly expression: ArrayLike<number>;
  /** Shape (478,3), as the network reports them. */
  readonly points: ArrayLike<number>;
  /** Number of the photograph that the skin comes from; none for painted skins. */
  readonly photoSkin?: number;
}

/** A rendered head for the regression: both shape (L,3), in the frame of `unprojectLandmarks`. */
export interface Sample {
  readonly isPainted: boolean;
  /** -1: painted. */
  readonly photoSkin: number;
  readonly intrinsics: Intrinsics;
  /** cameraFromModel, shape (3,3). */
  readonly rotation: Float64Array;
  /** Shape (478,3) */
  readonly points: Float64Array;
  readonly identity: Float64Array;
  readonly expression: Float64Array;
  readonly seen: Float64Array;
  readonly truth: Float64Array;
}

const PREFIX = 18;
const POINTS = 3 * 478;

/** Numbers per row of a samples file: presence, number of the photograph's skin from 1 on or 0, focal length, centre (2), kind, rotation (9), translation (3), identity, expression, points. */
export const countRowNumbers = (model: FaceModel): number => PREFIX + model.identityCount + model.expressionNames.length + POINTS;

export function formatSample(model: FaceModel, sample: SampleRecord): Buffer {
  const row = new Float32Array(countRowNumbers(model));
  row.set([sample.presence, (sample.photoSkin ?? -1) + 1, sample.focalPx, sample.centerX, sample.centerY, sample.isPainted ? 0 : 1]);
  row.set(sample.rotation, 6);
  row.set(sample.translation, 15);
  row.set(sample.identity, PREFIX);
  row.set(sample.expression, PREFIX + model.identityCount);
  row.set(sample.points, row.length - POINTS);
  return Buffer.from(row.buffer);
}

/** Samples in which a face was found. */
export function readSamples(path: string, model: FaceModel): Sample[] {
  const bytes = readFileSync(path);
  const length = countRowNumbers(model);
  const rows = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const samples: Sample[] = [];
  for (let at = 0; at + length <= rows.length; at += length) {
    const row = rows.subarray(at, at + length);
    if (row[0] < 0.5) continue;
    const [, photoSkin, focalPx, centerX, centerY, kind] = row as unknown as number[];
    const identity = Float64Array.from(row.subarray(PREFIX, PREFIX + model.identityCount));
    const expression = Float64Array.from(row.subarray(PREFIX + model.identityCount, length - POINTS));
    const points = Float64Array.from(row.subarray(length - POINTS));
    const intrinsics: Intrinsics = { focalPx: focalPx!, centerX: centerX!, centerY: centerY!, source: 'option' };
    samples.push({
      isPainted: kind === 0,
      photoSkin: photoSkin! - 1,
      intrinsics,
      rotation: Float64Array.from(row.subarray(6, 15)),
      points,
      identity,
      expression,
      seen: unprojectLandmarks(points, model.landmarks.landmark, intrinsics),
      truth: placeTruth(model, identity, expression, row, focalPx!),
    });
  }
  return samples;
}

/** The true landmarks in the frame that the reported ones are lifted into: one unit is a pixel at their mean depth. */
function placeTruth(model: FaceModel, identity: Float64Array, expression: Float64Array, row: Float32Array, focalPx: number): Float64Array {
  const { mean, count } = model.landmarks;
  const points = mean.slice();
  for (const [amounts, fields] of [
    [identity, model.landmarks.identity],
    [expression, model.landmarks.expression],
  ] as const) {
    amounts.forEach((amount, k) => {
      if (amount !== 0) for (let m = 0; m < points.length; m++) points[m] += amount * fields[k * points.length + m];
    });
  }
  const out = new Float64Array(points.length);
  let depth = 0;
  for (let l = 0; l < count; l++) {
    for (let k = 0; k < 3; k++) {
      const r = 6 + 3 * k;
      out[3 * l + k] = row[r] * points[3 * l] + row[r + 1] * points[3 * l + 1] + row[r + 2] * points[3 * l + 2] + row[15 + k];
    }
    depth += out[3 * l + 2] / count;
  }
  const scale = focalPx / depth;
  for (let l = 0; l < count; l++) {
    out[3 * l] *= scale;
    out[3 * l + 1] *= -scale;
    out[3 * l + 2] = (depth - out[3 * l + 2]) * scale;
  }
  return out;
}
