import type { FaceModel } from '../../src/models/face-model.ts';

/** Where features lie on the mean head: rest frame = model frame of the neutral mean face, millimetres, origin between the eyeballs. */
export interface Anatomy {
  /** Shape (V,3): the mean neutral head, rest frame. */
  readonly rest: Float32Array;
  readonly eyes: readonly [EyeAnatomy, EyeAnatomy];
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
  /** Rest frame: centre of the eyeball and its radius. */
  readonly center: readonly [number, number, number];
  readonly radius: number;
  /** Vertex at the top of the cornea. */
  readonly apex: number;
  /** Vertices of the outer ball. */
  readonly vertices: readonly number[];
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
  const origin = [0, 1, 2].map((k) => (eyes[0].center[k]! + eyes[1].center[k]!) / 2);
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
  const moved = (eye: EyeAnatomy): EyeAnatomy => ({
    ...eye,
    center: [eye.center[0] - origin[0]!, eye.center[1] - origin[1]!, eye.center[2] - origin[2]!],
  });
  return {
    rest,
    eyes: [moved(eyes[0]), moved(eyes[1])],
    lipOutline: smoothClosed(
      LIP_OUTLINE.map((i) => point(i)),
      6,
    ),
    lipLine: new Float64Array(LIP_LINE.flatMap((i) => point(i).slice(0, 2))),
    brows: [describeBrow(0), describeBrow(1)],
    noseTip: point(NOSE_TIP),
  };
}

/** The person's right eye (negative x), then the left. */
function findEyes(model: AnatomyModel): [EyeAnatomy, EyeAnatomy] {
  const { neutral, triangles, parts } = model;
  const sides: [Set<number>, Set<number>] = [new Set(), new Set()];
  for (const part of parts) {
    if (part.material !== 'sclera') continue;
    for (let c = 3 * part.firstTriangle; c < 3 * (part.firstTriangle + part.triangleCount); c++) {
      const v = triangles[c]!;
      sides[neutral[3 * v]! < 0 ? 0 : 1].add(v);
    }
  }
  const describe = (set: Set<number>): EyeAnatomy => {
    const vertices = [...set];
    // The back two thirds of the ball are a sphere: its centre from the extremes across the axis, its radius likewise.
    const low = [1e9, 1e9, 1e9];
    const high = [-1e9, -1e9, -1e9];
    for (const v of vertices) {
      for (let k = 0; k < 3; k++) {
        low[k] = Math.min(low[k]!, neutral[3 * v + k]!);
        high[k] = Math.max(high[k]!, neutral[3 * v + k]!);
      }
    }
    const radius = (high[1]! - low[1]!) / 2;
    const center: [number, number, number] = [(low[0]! + high[0]!) / 2, (low[1]! + high[1]!) / 2, low[2]! + radius];
    let apex = vertices[0]!;
    let farthest = 0;
    for (const v of vertices) {
      const d = Math.hypot(neutral[3 * v]! - center[0], neutral[3 * v + 1]! - center[1], neutral[3 * v + 2]! - center[2]);
      if (neutral[3 * v + 2]! > center[2] && d > farthest) {
        farthest = d;
        apex = v;
      }
    }
    return { center, radius, apex, vertices };
  };
  return [describe(sides[0]), describe(sides[1])];
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
