import { isFacewrightError } from '@facewright/protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Intrinsics } from '../camera/camera.ts';
import { createPose, rotationFromAngles } from '../camera/pose-angles.ts';
import { project } from '../camera/project.ts';
import { createRandom } from '../math/random.ts';
import type { FaceModel } from '../models/face-model.ts';
import { loadFaceModel } from '../models/load-face-model.ts';
import { fitFace } from './fit-face.ts';
import type { FittedFace } from './fitted-face.ts';
import { computeViewTerms } from './view-terms.ts';

let model: FaceModel;
beforeAll(async () => {
  model = await loadFaceModel('head');
});

const camera: Intrinsics = { focalPx: 2400, centerX: 500, centerY: 600, source: 'option' };

interface Truth {
  readonly identity: Float64Array;
  readonly expression: Float64Array;
  readonly yawDeg: number;
  readonly pitchDeg: number;
  readonly rollDeg: number;
}

/** A person of the model (first 20 modes) with no expression. */
function createTruth(seed: number, pose: readonly [number, number, number] = [0, 0, 0], size = 0.7): Truth {
  const random = createRandom(seed);
  const identity = new Float64Array(model.identityCount);
  for (let k = 0; k < 20; k++) identity[k] = size * random.normal();
  return { identity, expression: new Float64Array(model.expressionNames.length), yawDeg: pose[0], pitchDeg: pose[1], rollDeg: pose[2] };
}

/**
 * What the network reports of a person of the model if nothing but its known habits is wrong: x, y projected; z as the network has it, relative and in
 * pixels at the depth of the face.
 */
function observe(truth: Truth, intrinsics = camera): { points: Float64Array; pose: ReturnType<typeof createPose> } {
  const { landmarks } = model;
  const habits = landmarks.habits!;
  const pose = createPose(rotationFromAngles(truth.yawDeg, truth.pitchDeg, truth.rollDeg), Float64Array.of(30, -20, 900));
  const { rotation: r, translation: t } = pose;
  // From the head to the pinhole, model frame: -R^T t.
  const toViewer = [0, 1, 2].map((k) => -(r[k] * t[0] + r[3 + k] * t[1] + r[6 + k] * t[2]) / Math.hypot(...t));
  const terms = computeViewTerms(toViewer[0], toViewer[1]);
  const shape = landmarks.mean.slice();
  const size = shape.length;
  for (let m = 0; m < size; m++) {
    terms.forEach((term, k) => {
      shape[m] += term * habits.view[k * size + m];
    });
    // Edges of lids and lips are the model's own for the fit of expressions; both agree within the 2.5 mm that they may shift.
    for (let k = 0; k < 20; k++) shape[m] += truth.identity[k] * (landmarks.identity[k * size + m] + habits.identity[k * size + m]);
    for (let e = 0; e < truth.expression.length; e++) {
      if (truth.expression[e] !== 0)
        shape[m] += truth.expression[e] * (landmarks.expression[e * size + m] + habits.expression[e * size + m]);
    }
  }
  const pixels = project(shape, pose, intrinsics, new Float64Array((2 * shape.length) / 3));
  const points = new Float64Array(3 * 478);
  for (let l = 0; l < landmarks.count; l++) {
    const [x, y, z] = shape.subarray(3 * l, 3 * l + 3);
    const depth = pose.rotation[6] * x + pose.rotation[7] * y + pose.rotation[8] * z;
    points.set([pixels[2 * l], pixels[2 * l + 1], (depth * intrinsics.focalPx) / 900], 3 * landmarks.landmark[l]);
  }
  return { points, pose };
}

const fit = (points: Float64Array, extra: Partial<Parameters<typeof fitFace>[0]> = {}): FittedFace =>
  fitFace({ model, landmarks: { points }, intrinsics: camera, ...extra });

/** Root mean square distance of two shapes over the face, millimetres, each vertex as it is (same frame). */
function shapeError(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  let count = 0;
  for (const t of model.landmarks.triangle) {
    const v = 3 * model.triangles[3 * t];
    sum += (a[v] - b[v]) ** 2 + (a[v + 1] - b[v + 1]) ** 2 + (a[v + 2] - b[v + 2]) ** 2;
    count++;
  }
  return Math.sqrt(sum / count);
}

describe('fitFace', () => {
  it.each([
    [0, 0, 0],
    [22, -5, 3],
    [-35, 12, -20],
    [5, 0, 170],
  ] as const)('recovers pose and most of the shape at yaw %d, pitch %d, roll %d', (...angles) => {
    const truth = createTruth(5, angles);
    const { points, pose } = observe(truth);
    const face = fit(points);
    // A degree: without noise only the pull of the priors is left, which trades a little shape for turn.
    expect(Math.abs(face.pose.yawDeg - angles[0])).toBeLessThan(1);
    // Two, as the product promises: the network takes part of a person's profile for a nod, and of that part the priors hold some back.
    expect(Math.abs(face.pose.pitchDeg - angles[1])).toBeLessThan(2);
    expect(Math.abs(face.pose.rollDeg - angles[2])).toBeLessThan(1);
    // Size is known by statistics alone: identity moves it by a few per cent, and distance with it.
    expect(Math.abs(face.pose.translation[2] / pose.translation[2] - 1)).toBeLessThan(0.06);
    const before = shapeError(model.neutral, model.evaluate(truth.identity, []));
    // The network reports about half of what sets a person apart, and the prior of 1 sd against 2 mm landmark noise keeps part of that back.
    expect(shapeError(face.neutralPositions, model.evaluate(truth.identity, []))).toBeLessThan(0.9 * before);
    // A pixel is 0.4 mm; the eye corners are some 230 px apart.
    expect(face.residualRmsPx / face.eyeDistancePx).toBeLessThan(0.015);
    // The pose alone takes away up to a quarter at 37 degrees off the axis.
    expect(face.confidence).toBeGreaterThan(0.7);
  });

  it.each(['jawOpen', 'mouthSmile_L', 'eyeBlink_R', 'browDown_L', 'mouthPucker'])(
    'finds the expression %s and leaves it out of the neutral face',
    (name) => {
      const truth = createTruth(9, [4, 2, 0]);
      const index = model.expressionNames.indexOf(name);
      truth.expression[index] = 0.7;
      const face = fit(observe(truth).points);
      // Neighbouring shapes (smile and dimple, pucker and funnel) share the motion: nearly half must be under its own name; where brows sit is identity as well.
      expect(face.expression[index]).toBeGreaterThan(name.startsWith('brow') ? 0.1 : 0.3);
      expect(face.expression[index]).toBeLessThanOrEqual(1);
      expect(Math.min(...face.expression)).toBeGreaterThanOrEqual(0);
      const calm = fit(observe({ ...truth, expression: new Float64Array(truth.expression.length) }).points);
      const motion = shapeError(model.evaluate([], truth.expression), model.neutral);
      // What goes into the identity is lost to the neutral face: less than half of a mouth or lid, a little more of a brow.
      expect(shapeError(face.neutralPositions, calm.neutralPositions)).toBeLessThan((name.startsWith('brow') ? 0.65 : 0.5) * motion);
    },
  );

  it('turns the eyeballs to where the irises are', () => {
    const truth = createTruth(9);
    const { points } = observe(truth);
    const straight = fit(points);
    const names = model.expressionNames;
    const moved = points.slice();
    // 4 mm to the right of the picture, for both eyes: the person's left.
    for (let l = 468; l < 478; l++) moved[3 * l] += (4 * camera.focalPx) / 900;
    const aside = fit(moved);
    const change = (name: string): number => aside.expression[names.indexOf(name)] - straight.expression[names.indexOf(name)];
    expect(change('gazeOut_L')).toBeGreaterThan(0.1);
    expect(change('gazeIn_R')).toBeGreaterThan(0.1);
    expect(aside.expression[names.indexOf('eyeLookOut_L')]).toBe(aside.expression[names.indexOf('gazeOut_L')]);
  });

  it('mirrors: the mirror image gives the mirrored face', () => {
    const truth = createTruth(6, [20, 4, 5]);
    truth.expression[model.expressionNames.indexOf('mouthSmile_L')] = 0.6;
    const { points } = observe(truth);
    const face = fit(points);
    const mirrored = new Float64Array(points.length);
    const { landmark, mirror, count } = model.landmarks;
    for (let l = 0; l < count; l++) {
      const from = 3 * landmark[mirror[l]];
      mirrored.set([2 * camera.centerX - points[from], points[from + 1], points[from + 2]], 3 * landmark[l]);
    }
    const other = fit(mirrored);
    // The landmark table is mirrored only to a fraction of a millimetre, and the optimiser stops at 0.02 mm.
    expect(Math.abs(other.pose.yawDeg + face.pose.yawDeg)).toBeLessThan(0.5);
    expect(Math.abs(other.pose.pitchDeg - face.pose.pitchDeg)).toBeLessThan(0.5);
    expect(Math.abs(other.pose.rollDeg + face.pose.rollDeg)).toBeLessThan(0.5);
    const turned = Float32Array.from(other.neutralPositions, (_, i) => {
      const value = other.neutralPositions[3 * model.mirrorVertex[Math.floor(i / 3)] + (i % 3)];
      return i % 3 === 0 ? -value : value;
    });
    expect(shapeError(turned, face.neutralPositions)).toBeLessThan(0.25);
    const [left, right] = ['mouthSmile_L', 'mouthSmile_R'].map((name) => model.expressionNames.indexOf(name));
    expect(Math.abs(other.expression[right] - face.expression[left])).toBeLessThan(0.1);
  });

  it('does not depend on the size of the photo', () => {
    const { points } = observe(createTruth(7, [10, 3, 0]));
    const face = fit(points);
    const large = fitFace({
      model,
      landmarks: { points: points.map((x) => 3 * x) },
      intrinsics: { focalPx: 7200, centerX: 1500, centerY: 1800, source: 'option' },
    });
    // Pure scaling: the same numbers but for rounding, which the stopping rule may turn into a step less.
    expect(shapeError(large.positions, face.positions)).toBeLessThan(0.05);
    expect(large.pose.translation[2]).toBeCloseTo(face.pose.translation[2], 0);
    expect(large.residualRmsPx / 3).toBeCloseTo(face.residualRmsPx, 2);
  });

  it('only rolls when the photo is turned about its middle', () => {
    const { points } = observe(createTruth(8, [15, -4, 0]));
    const face = fit(points);
    const turned = points.slice();
    for (let l = 0; l < 478; l++) {
      // A quarter turn clockwise: what was up goes right.
      turned[3 * l] = camera.centerX - (points[3 * l + 1] - camera.centerY);
      turned[3 * l + 1] = camera.centerY + (points[3 * l] - camera.centerX);
    }
    const other = fit(turned);
    expect(other.pose.rollDeg - face.pose.rollDeg).toBeCloseTo(90, 1);
    expect(other.pose.yawDeg).toBeCloseTo(face.pose.yawDeg, 1);
    expect(other.pose.pitchDeg).toBeCloseTo(face.pose.pitchDeg, 1);
    expect(shapeError(other.positions, face.positions)).toBeLessThan(0.05);
  });

  it('honours a prior from outside: its mean where it is sure, the photo where it is not', () => {
    const truth = createTruth(5);
    const { points } = observe(truth);
    const K = model.identityCount;
    const mean = new Float64Array(K);
    mean[0] = 1.5;
    mean[7] = 0.8;
    const sure = new Float64Array(K * K);
    const unsure = new Float64Array(K * K);
    for (let k = 0; k < K; k++) {
      sure[k * K + k] = 1e-6;
      unsure[k * K + k] = 1;
    }
    const told = fit(points, { identityPrior: { mean, covariance: sure } });
    for (let k = 0; k < K; k++) expect(told.identity[k]).toBeCloseTo(mean[k], 2);
    // N(0,1) given from outside is the default, but for the modes beyond those in use by default.
    const same = fit(points, { identityPrior: { mean: new Float64Array(K), covariance: unsure } });
    expect(shapeError(same.neutralPositions, fit(points).neutralPositions)).toBeLessThan(0.3);
    // Unsure of all but one mode: that one stays, the others follow the photo.
    unsure[0] = 1e-6;
    const partly = fit(points, { identityPrior: { mean, covariance: unsure } });
    expect(partly.identity[0]).toBeCloseTo(1.5, 2);
    expect(Math.abs(partly.identity[7] - mean[7])).toBeGreaterThan(0.01);
  });

  it('shrugs off a tenth of the landmarks being far off', () => {
    const { points } = observe(createTruth(5, [10, 0, 0]));
    const face = fit(points);
    const random = createRandom(4);
    const spoiled = points.slice();
    for (let l = 0; l < 468; l += 10) {
      spoiled[3 * l] += 60 * random.normal();
      spoiled[3 * l + 1] += 60 * random.normal();
    }
    const other = fit(spoiled);
    // 60 px are 22 mm. A least-squares fit of the same data is off by more than a millimetre.
    expect(Math.abs(other.pose.yawDeg - face.pose.yawDeg)).toBeLessThan(1);
    expect(shapeError(other.neutralPositions, face.neutralPositions)).toBeLessThan(0.6);
  });

  it('puts the vertices of the picture onto the landmarks, lids and lips above all, and leaves the geometry alone', () => {
    const { points } = observe(createTruth(5, [8, 3, 2]));
    // What a model cannot explain is smooth over a face: a wave of 8 px (3 mm) along and across.
    for (let i = 0; i < points.length; i += 3) {
      const phase = points[i] / 60;
      points[i] += 8 * Math.sin(points[i + 1] / 60);
      points[i + 1] += 8 * Math.sin(phase);
    }
    const face = fit(points);
    const { landmark, triangle, barycentric, count } = model.landmarks;
    const lips = new Set([61, 291, 0, 17, 13, 14, 39, 269, 181, 405, 33, 133, 159, 145, 263, 362, 386, 374]);
    let worst = 0;
    for (let l = 0; l < count; l++) {
      if (!lips.has(landmark[l])) continue;
      let x = 0;
      let y = 0;
      for (let c = 0; c < 3; c++) {
        const v = model.triangles[3 * triangle[l] + c];
        x += barycentric[3 * l + c] * face.imagePoints[2 * v];
        y += barycentric[3 * l + c] * face.imagePoints[2 * v + 1];
      }
      worst = Math.max(worst, Math.hypot(x - points[3 * landmark[l]], y - points[3 * landmark[l] + 1]));
    }
    // The membrane keeps a few per cent of a residual, and some more where a fold is smoothed away: 1 % of the eye distance is 1 mm.
    expect(worst).toBeLessThan(0.01 * face.eyeDistancePx);
    expect(face.residualRmsPx).toBeGreaterThan(2);
    // Far from the landmarks the field is gone.
    const plain = project(face.positions, face.pose, camera);
    let back = 0;
    for (let v = 1; v < model.vertexCount; v++) if (model.neutral[3 * v + 2] < model.neutral[3 * back + 2]) back = v;
    expect(Math.abs(face.imagePoints[2 * back] - plain[2 * back])).toBeLessThan(1e-3);
  });

  it('is the same to the last bit when run again', () => {
    const { points } = observe(createTruth(3, [12, 0, 0]));
    const a = fit(points);
    const b = fit(points);
    expect(Buffer.from(a.imagePoints.buffer).equals(Buffer.from(b.imagePoints.buffer))).toBe(true);
    expect(a.positions).toEqual(b.positions);
    expect(a.identity).toEqual(b.identity);
  });

  it.each([
    ['not numbers', (p: Float64Array) => p.fill(Number.NaN)],
    ['all in one place', (p: Float64Array) => p.fill(7)],
    ['on a line', (p: Float64Array) => p.map((_, i) => Math.floor(i / 3))],
    ['too few', (p: Float64Array) => p.subarray(0, 300)],
  ])('fails with a code where the landmarks are %s', (_, spoil) => {
    const { points } = observe(createTruth(3));
    try {
      fit(spoil(points));
      expect.unreachable();
    } catch (e) {
      expect(isFacewrightError(e, 'FW_FIT_FAILED')).toBe(true);
    }
  });

  it('refuses a prior of another size or one that is no covariance', () => {
    const { points } = observe(createTruth(3));
    const K = model.identityCount;
    const code = (mean: Float64Array, covariance: Float64Array): string => {
      try {
        fit(points, { identityPrior: { mean, covariance } });
      } catch (e) {
        if (isFacewrightError(e)) return e.code;
      }
      return 'none';
    };
    expect(code(new Float64Array(3), new Float64Array(9))).toBe('FW_ARG_INVALID');
    expect(code(new Float64Array(K).fill(Number.NaN), new Float64Array(K * K))).toBe('FW_ARG_INVALID');
    expect(code(new Float64Array(K), new Float64Array(K * K))).toBe('FW_ARG_INVALID');
  });
});
