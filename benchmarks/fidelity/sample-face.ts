import { createRandom } from '../../packages/engine/src/math/random.ts';
import type { Scan } from './read-scan.ts';

/** Radius of the scored region round the tip of the nose, millimetres. */
const FACE_RADIUS_MM = 75;

/** A point is hidden when another surface lies this far in front of it ... */
const HIDDEN_BEHIND_MM = 6;
/** ... within this distance in x and y. */
const HIDDEN_BESIDE_MM = 1.2;

/**
 * Points of the visible face of a scan, uniform in area: within 75 mm of the tip of the nose, without what another surface hides from the front
 * (eyeballs behind lids, the inside of mouth and nose).
 *
 * @param noseTip - shape (3); the foremost point near the middle below the eyes where not given
 * @returns shape (count,3), millimetres
 */
export function sampleFace(scan: Scan, count: number, seed: number, noseTip: ArrayLike<number> = findNoseTip(scan)): Float64Array {
  const { positions, triangles } = scan;
  const random = createRandom(seed);
  const areas = new Float64Array(triangles.length / 3);
  let total = 0;
  for (let t = 0; t < areas.length; t++) {
    const [a, b, c] = [0, 1, 2].map((k) => 3 * triangles[3 * t + k]);
    const ux = positions[b] - positions[a];
    const uy = positions[b + 1] - positions[a + 1];
    const uz = positions[b + 2] - positions[a + 2];
    const vx = positions[c] - positions[a];
    const vy = positions[c + 1] - positions[a + 1];
    const vz = positions[c + 2] - positions[a + 2];
    total += Math.hypot(uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx) / 2;
    areas[t] = total;
  }
  const draw = (out: Float64Array, o: number): void => {
    const at = random.uniform() * total;
    let low = 0;
    let high = areas.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (areas[middle] > at) high = middle;
      else low = middle + 1;
    }
    // Uniform in a triangle (Osada et al. 2002, eq. 1)
    const root = Math.sqrt(random.uniform());
    const r = random.uniform();
    const w = [1 - root, root * (1 - r), root * r];
    for (let k = 0; k < 3; k++) {
      out[o + k] = 0;
      for (let c = 0; c < 3; c++) out[o + k] += w[c] * positions[3 * triangles[3 * low + c] + k];
    }
  };

  // A height field of the front, in cells a third of the distance wide, from many more points than are scored.
  const cell = HIDDEN_BESIDE_MM / 3;
  const side = Math.ceil((2 * (FACE_RADIUS_MM + 5)) / cell);
  const front = new Float32Array(side * side).fill(-Infinity);
  const point = new Float64Array(3);
  const column = (x: number, middle: number): number => Math.floor((x - middle) / cell + side / 2);
  for (let i = 0; i < 600_000; i++) {
    draw(point, 0);
    const cx = column(point[0], noseTip[0]);
    const cy = column(point[1], noseTip[1]);
    if (cx < 0 || cy < 0 || cx >= side || cy >= side) continue;
    front[cy * side + cx] = Math.max(front[cy * side + cx], point[2]);
  }
  const isHidden = (p: Float64Array, o: number): boolean => {
    const cx = column(p[o], noseTip[0]);
    const cy = column(p[o + 1], noseTip[1]);
    for (let y = Math.max(0, cy - 3); y <= Math.min(side - 1, cy + 3); y++) {
      for (let x = Math.max(0, cx - 3); x <= Math.min(side - 1, cx + 3); x++) {
        if (Math.hypot(x - cx, y - cy) * cell <= HIDDEN_BESIDE_MM && front[y * side + x] > p[o + 2] + HIDDEN_BEHIND_MM) return true;
      }
    }
    return false;
  };

  const points = new Float64Array(3 * count);
  let found = 0;
  for (let tries = 0; found < count; tries++) {
    if (tries > 1000 * count) throw new Error(`${scan.name}: no face within ${FACE_RADIUS_MM} mm of the tip of the nose`);
    draw(points, 3 * found);
    const o = 3 * found;
    const d = Math.hypot(points[o] - noseTip[0], points[o + 1] - noseTip[1], points[o + 2] - noseTip[2]);
    if (d <= FACE_RADIUS_MM && !isHidden(points, o)) found++;
  }
  return points;
}

/** Foremost vertex within 15 mm of the middle, 10 to 80 mm below the eyes. */
export function findNoseTip(scan: Scan): Float64Array {
  const { positions, triangles } = scan;
  let best = -1;
  for (const v of triangles) {
    const y = positions[3 * v + 1];
    if (Math.abs(positions[3 * v]) > 15 || y > -10 || y < -80) continue;
    if (best < 0 || positions[3 * v + 2] > positions[3 * best + 2]) best = v;
  }
  if (best < 0) throw new Error(`${scan.name}: the origin is not between the eyes, no nose found`);
  return Float64Array.from(positions.subarray(3 * best, 3 * best + 3));
}
