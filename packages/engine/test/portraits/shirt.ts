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

const AROUND = 120;
/** The last column lies on the first: the weave needs no seam. */
const COLUMNS = AROUND + 1;
const DOWN = 54;

/** The neck's opening, rest frame, mm: middle, half width and half depth. */
const COLLAR = { z: -81, halfX: 79, halfZ: 74 };

/** Whether a point of the mean head's bust is under the shirt. */
export function isUnderShirt(x: number, y: number, z: number): boolean {
  return y < -150 && (x / (COLLAR.halfX - 2)) ** 2 + ((z - COLLAR.z) / (COLLAR.halfZ - 2)) ** 2 > 1;
}

/** Builds the shirt: rings from the collar over the shoulders down out of the picture. */
export function createShirt(): Shirt {
  const positions = new Float32Array(COLUMNS * DOWN * 3);
  const cloth = new Float32Array(COLUMNS * DOWN * 2);
  for (let j = 0; j < DOWN; j++) {
    for (let i = 0; i < COLUMNS; i++) {
      // The first column is at the back, where nobody sees that it meets the last.
      const angle = Math.PI + (2 * Math.PI * i) / AROUND;
      const p = ringPoint(angle, j);
      const v = j * COLUMNS + i;
      positions.set(p, 3 * v);
      cloth[2 * v] = Math.abs((2 * i) / AROUND - 1);
      cloth[2 * v + 1] = j;
    }
  }
  const triangles: number[] = [];
  for (let j = 0; j + 1 < DOWN; j++) {
    for (let i = 0; i < AROUND; i++) {
      const a = j * COLUMNS + i;
      triangles.push(a, a + COLUMNS, a + 1, a + 1, a + COLUMNS, a + COLUMNS + 1);
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
  const collarX = COLLAR.halfX;
  const collarZ = COLLAR.halfZ;
  const centerZ = COLLAR.z + 6 * (front - 0.5);
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
    (4.5 * fractalNoise3(sin * 3.1, along * 0.011, cos * 3.1, 3, 201) + 0.7 * Math.sin(along * 0.05 + 5 * sin)) * smoothstep(0, 60, along);
  const x = sin * (collarX + 3) + sin * outX * reach + sin * fold;
  const z = centerZ + cos * (collarZ + 3) + cos * outZ * reach + cos * fold;
  const y = collarY - 1.5 - fall + fold * 0.5;
  return [x, y, z];
}
