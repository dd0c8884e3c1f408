import { fractalNoise3, smoothstep } from './noise.ts';

/** A crew-neck shirt around the mean head's neck and shoulders. */
export interface Shirt {
  /** Shape (V,3), millimetres, rest frame (see anatomy.ts). */
  readonly positions: Float32Array;
  /** Shape (T,3) */
  readonly triangles: Uint32Array;
  /** Shape (V,2): turns around the neck, millimetres down from the collar. */
  readonly cloth: Float32Array;
}

const AROUND = 160;
const DOWN = 90;

/** Builds the shirt: rings from the collar over the shoulders down out of the picture. */
export function createShirt(): Shirt {
  const positions = new Float32Array(AROUND * DOWN * 3);
  const cloth = new Float32Array(AROUND * DOWN * 2);
  for (let j = 0; j < DOWN; j++) {
    for (let i = 0; i < AROUND; i++) {
      const angle = (2 * Math.PI * i) / AROUND;
      const p = ringPoint(angle, j);
      const v = j * AROUND + i;
      positions.set(p, 3 * v);
      cloth[2 * v] = i / AROUND;
      cloth[2 * v + 1] = j;
    }
  }
  const triangles: number[] = [];
  for (let j = 0; j + 1 < DOWN; j++) {
    for (let i = 0; i < AROUND; i++) {
      const a = j * AROUND + i;
      const b = j * AROUND + ((i + 1) % AROUND);
      triangles.push(a, a + AROUND, b, b, a + AROUND, b + AROUND);
    }
  }
  return { positions, triangles: new Uint32Array(triangles), cloth };
}

/** Angle 0 = front, growing to the person's left. Rings 0..9 are the collar band, a rolled tube; the rest is the body. */
function ringPoint(angle: number, j: number): [number, number, number] {
  const sin = Math.sin(angle);
  const cos = Math.cos(angle);
  // The collar: an ellipse around the neck that dips at the front.
  const front = 0.5 + 0.5 * cos;
  const collarX = 79;
  const collarZ = 74;
  const centerZ = -84 + 6 * front;
  const collarY = -131 - 40 * front ** 1.5;
  const band = 10;
  if (j < band) {
    const turn = Math.PI * (j / (band - 1)) * 1.05 - 0.35;
    const roll = 4.5;
    const out = -Math.cos(turn) * roll;
    const up = Math.sin(turn) * roll * 1.9;
    return [sin * (collarX + out), collarY + up, centerZ + cos * (collarZ + out)];
  }
  const s = (j - band) / (DOWN - 1 - band);
  // Distance from the collar outward, then down: shoulders slope like a tent that turns smoothly into a vertical fall.
  const outX = 132;
  const outZ = cos > 0 ? 44 : 34;
  const along = s * 420;
  const reach = 1 - Math.exp(-along / 92);
  const ellipse = Math.hypot(sin * outX, cos * outZ);
  const slope = 0.36 + 0.5 * cos * cos;
  const radial = ellipse * reach;
  const fall = Math.max(0, along - 92 * reach * 1.02) * 0.96 + radial * slope;
  const fold =
    (3.4 * fractalNoise3(sin * 3.1, along * 0.011, cos * 3.1, 3, 201) + 1.3 * Math.sin(along * 0.055 + 5 * sin)) * smoothstep(0, 60, along);
  const x = sin * (collarX + 3) + sin * outX * reach + sin * fold;
  const z = centerZ + cos * (collarZ + 3) + cos * outZ * reach + cos * fold;
  const y = collarY - 1.5 - fall * (1 - 0.25 * (1 - Math.abs(sin)) * reach * 0) + fold * 0.5;
  return [x, y, z];
}
