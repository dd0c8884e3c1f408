import type { FaceModel } from '../../src/models/face-model.ts';

/** Where features lie on the mean head: rest frame = model frame of the neutral mean face, millimetres, origin between the eyeballs. */
export interface Anatomy {
  /** Shape (V,3): the mean neutral head, rest frame. */
  readonly rest: Float32Array;
  /** Person's right, left. */
  readonly eyes: readonly [EyeAnatomy, EyeAnatomy];
  /** Distance of the eyeballs' centres from the midline, mm. */
  readonly eyeX: number;
  /** Closed outline of the red of the lips, x and y, rest frame. */
  readonly lipOutline: Float64Array;
  /** From the right to the left corner, where the lips meet. */
  readonly lipLine: Float64Array;
  /** Person's right, left. */
  readonly brows: readonly [BrowAnatomy, BrowAnatomy];
  readonly noseTip: readonly [number, number, number];
}

/** Edges of a brow, shape (5,2) each, x and y, rest frame, from the inner to the outer end. */
export interface BrowAnatomy {
  readonly upper: Float64Array;
  readonly lower: Float64Array;
}

export interface EyeAnatomy {
  /** Vertices of the outer ball's back: a sphere. */
  readonly ball: Uint32Array;
  /** Index of the middle of the pupil in the model's landmark table. */
  readonly pupil: number;
}

/** Where an eyeball is and looks. */
export interface EyePlacement {
  readonly center: readonly [number, number, number];
  readonly radius: number;
  /** Unit, from the centre through the pupil. */
  readonly axis: readonly [number, number, number];
}

/** Vertices of ICT-FaceKit's topology (its README, "Facial Landmarks", Multi-PIE 68). */
const LIP_OUTLINE = [5708, 5695, 2081, 0, 4275, 6200, 6213, 6346, 6461, 5518, 5957, 5841];
const LIP_LINE = [5702, 5711, 5533, 6216, 6207];
const NOSE_TIP = 4857;

/** Edges of the brows among the face network's 478 landmarks, from the inner to the outer end: where the network will look for them. */
const BROW_EDGES = [
  { upper: [107, 66, 105, 63, 70], lower: [55, 65, 52, 53, 46] },
  { upper: [336, 296, 334, 293, 300], lower: [285, 295, 282, 283, 276] },
] as const;

type AnatomyModel = Pick<FaceModel, 'neutral' | 'triangles' | 'parts' | 'landmarks'>;

/** Reads the anatomy off a head of ICT-FaceKit's topology. */
export function describeAnatomy(model: AnatomyModel): Anatomy {
  const eyes = findEyes(model);
  const centers = eyes.map((eye) => placeEye(model, eye, model.neutral).center);
  const origin = [0, 1, 2].map((k) => (centers[0]![k]! + centers[1]![k]!) / 2);
  const rest = model.neutral.map((v, i) => v - origin[i % 3]!);
  const point = (i: number): [number, number, number] => [rest[3 * i]!, rest[3 * i + 1]!, rest[3 * i + 2]!];
  const landmark = (number: number): [number, number] => {
    const l = model.landmarks.landmark.indexOf(number);
    return [model.landmarks.mean[3 * l]! - origin[0]!, model.landmarks.mean[3 * l + 1]! - origin[1]!];
  };
  const describeBrow = (side: 0 | 1): BrowAnatomy => ({
    upper: new Float64Array(BROW_EDGES[side].upper.flatMap(landmark)),
    lower: new Float64Array(BROW_EDGES[side].lower.flatMap(landmark)),
  });
  return {
    rest,
    eyes,
    eyeX: Math.abs(centers[1]![0]! - centers[0]![0]!) / 2,
    lipOutline: smoothClosed(
      LIP_OUTLINE.map((i) => point(i)),
      6,
    ),
    lipLine: new Float64Array(LIP_LINE.flatMap((i) => point(i).slice(0, 2))),
    brows: [describeBrow(0), describeBrow(1)],
    noseTip: point(NOSE_TIP),
  };
}

/** Landmarks of the pupils among the network's 478. */
const PUPILS = [468, 473] as const;

/** The person's right eye (negative x), then the left. */
function findEyes(model: AnatomyModel): [EyeAnatomy, EyeAnatomy] {
  const { neutral, triangles, parts, landmarks } = model;
  const describe = (side: 0 | 1): EyeAnatomy => {
    const vertices = new Set<number>();
    for (const part of parts) {
      if (part.material !== 'sclera') continue;
      for (let c = 3 * part.firstTriangle; c < 3 * (part.firstTriangle + part.triangleCount); c++) {
        const v = triangles[c]!;
        if (neutral[3 * v]! < 0 === (side === 0)) vertices.add(v);
      }
    }
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (const v of vertices) {
      low = Math.min(low, neutral[3 * v + 2]!);
      high = Math.max(high, neutral[3 * v + 2]!);
    }
    // Without the front third, where the cornea bulges.
    const ball = [...vertices].filter((v) => neutral[3 * v + 2]! < low + 0.62 * (high - low));
    return { ball: new Uint32Array(ball), pupil: landmarks.landmark.indexOf(PUPILS[side]) };
  };
  return [describe(0), describe(1)];
}

/** Finds an eyeball on posed vertices: the sphere through its back, by linear least squares, and the direction of its pupil. */
export function placeEye(model: Pick<FaceModel, 'triangles' | 'landmarks'>, eye: EyeAnatomy, positions: Float32Array): EyePlacement {
  // |p|^2 = 2 c.p + k: normal equations of the four unknowns, about the mean so that they are well conditioned.
  const n = eye.ball.length;
  const mean = [0, 0, 0];
  for (const v of eye.ball) for (let k = 0; k < 3; k++) mean[k]! += positions[3 * v + k]! / n;
  const m = new Float64Array(9);
  const rhs = [0, 0, 0];
  let meanSquare = 0;
  for (const v of eye.ball) {
    const p = [0, 1, 2].map((k) => positions[3 * v + k]! - mean[k]!);
    const square = p[0]! ** 2 + p[1]! ** 2 + p[2]! ** 2;
    meanSquare += square / n;
    for (let i = 0; i < 3; i++) {
      rhs[i]! += p[i]! * square;
      for (let j = 0; j < 3; j++) m[3 * i + j]! += 2 * p[i]! * p[j]!;
    }
  }
  const offset = solve3(m, rhs);
  const radius = Math.sqrt(meanSquare + offset[0] ** 2 + offset[1] ** 2 + offset[2] ** 2);
  const center: [number, number, number] = [mean[0]! + offset[0], mean[1]! + offset[1], mean[2]! + offset[2]];
  const axis: [number, number, number] = [-center[0], -center[1], -center[2]];
  const { triangle, barycentric } = model.landmarks;
  for (let k = 0; k < 3; k++) {
    const v = model.triangles[3 * triangle[eye.pupil]! + k]!;
    for (let c = 0; c < 3; c++) axis[c]! += barycentric[3 * eye.pupil + k]! * positions[3 * v + c]!;
  }
  const length = Math.hypot(...axis);
  return { center, radius, axis: [axis[0] / length, axis[1] / length, axis[2] / length] };
}

/** Solves m x = b by Cramer's rule. */
function solve3(m: Float64Array, b: readonly number[]): [number, number, number] {
  const determinant = (a: readonly number[]): number =>
    a[0]! * (a[4]! * a[8]! - a[5]! * a[7]!) - a[1]! * (a[3]! * a[8]! - a[5]! * a[6]!) + a[2]! * (a[3]! * a[7]! - a[4]! * a[6]!);
  const whole = determinant([...m]);
  const column = (k: number): number => {
    const replaced = [...m];
    for (let i = 0; i < 3; i++) replaced[3 * i + k] = b[i]!;
    return determinant(replaced) / whole;
  };
  return [column(0), column(1), column(2)];
}

/** Catmull-Rom curve through a closed polygon, x and y only. */
function smoothClosed(points: readonly (readonly [number, number, number])[], steps: number): Float64Array {
  const n = points.length;
  const out: number[] = [];
  for (let i = 0; i < n; i++) {
    const p0 = points[(i + n - 1) % n]!;
    const p1 = points[i]!;
    const p2 = points[(i + 1) % n]!;
    const p3 = points[(i + 2) % n]!;
    // The corners of the mouth (first and seventh point) stay sharp: no tangent from across.
    const sharpStart = i === 0 || i === 6;
    const sharpEnd = (i + 1) % n === 0 || i + 1 === 6;
    for (let s = 0; s < steps; s++) {
      const t = s / steps;
      for (let k = 0; k < 2; k++) {
        const m1 = sharpStart ? p2[k]! - p1[k]! : (p2[k]! - p0[k]!) / 2;
        const m2 = sharpEnd ? p2[k]! - p1[k]! : (p3[k]! - p1[k]!) / 2;
        const t2 = t * t;
        const t3 = t2 * t;
        out.push((2 * t3 - 3 * t2 + 1) * p1[k]! + (t3 - 2 * t2 + t) * m1 + (3 * t2 - 2 * t3) * p2[k]! + (t3 - t2) * m2);
      }
    }
  }
  return new Float64Array(out);
}
