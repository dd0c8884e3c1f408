/** Repeatable value noise: the same on every machine and in every run. */

/** 0..1 from whole numbers; only 32-bit integer arithmetic (an integer hash after Wellons' "lowbias32", public domain). */
export function hash(x: number, y: number, seed: number): number {
  let h = Math.imul(x, 0x9e3779b1) ^ Math.imul(y, 0x85ebca77) ^ Math.imul(seed, 0xc2b2ae3d);
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return ((h ^ (h >>> 16)) >>> 0) / 4294967296;
}

/** Smooth noise, 0..1, one bump per unit; in x it repeats every `periodX` units where that is > 0. */
export function valueNoise(x: number, y: number, seed: number, periodX = 0): number {
  const column = Math.floor(x);
  const row = Math.floor(y);
  const fx = x - column;
  const fy = y - row;
  const sx = fx * fx * (3 - 2 * fx);
  const sy = fy * fy * (3 - 2 * fy);
  const c0 = periodX > 0 ? ((column % periodX) + periodX) % periodX : column;
  const c1 = periodX > 0 ? (c0 + 1) % periodX : column + 1;
  const a = hash(c0, row, seed);
  const b = hash(c1, row, seed);
  const c = hash(c0, row + 1, seed);
  const d = hash(c1, row + 1, seed);
  const top = a + sx * (b - a);
  return top + sy * (c + sx * (d - c) - top);
}
