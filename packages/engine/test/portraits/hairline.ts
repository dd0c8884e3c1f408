import { noise3 } from './noise.ts';

/** Depth of the skull's middle, rest frame, mm. */
const SKULL_MIDDLE_Z = -70;

/** Height of the hairline by azimuth: trichion, receding temple, sideburn before the ear, over the ear, nape. Degrees, mm. */
const HEIGHTS: readonly (readonly [number, number])[] = [
  [0, 63],
  [18, 64],
  [30, 60],
  [40, 51],
  [48, 42],
  [57, 31],
  [64, 10],
  [70, -8],
  [78, -14],
  [83, 10],
  [96, 14],
  [108, 2],
  [122, -28],
  [140, -58],
  [180, -66],
];

/** Distance to the hairline, mm, rest frame: positive where hair grows. */
export function hairDistance(x: number, y: number, z: number): number {
  const ax = Math.abs(x);
  const back = -(z + 70);
  // Azimuth around the skull: 0 at the front, 90 at the ear, 180 at the back.
  const azimuth = (Math.atan2(ax, z - SKULL_MIDDLE_Z) * 180) / Math.PI;
  let height = -66;
  for (let i = 1; i < HEIGHTS.length; i++) {
    const [a0, h0] = HEIGHTS[i - 1]!;
    const [a1, h1] = HEIGHTS[i]!;
    if (azimuth <= a1) {
      const t = (azimuth - a0) / (a1 - a0);
      height = h0 + (h1 - h0) * t * t * (3 - 2 * t);
      break;
    }
  }
  const ragged = 2.2 * noise3(x * 0.16, y * 0.16, z * 0.16, 95) + 1.2 * noise3(x * 0.5, y * 0.5, z * 0.5, 96);
  // The ears stand off the skull.
  const onEar = ax > 78 && y < 12 && back < 60 ? 20 : 0;
  return y - height + ragged - onEar;
}
