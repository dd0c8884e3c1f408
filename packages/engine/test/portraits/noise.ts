/** Pseudo-random number 0..1 of a lattice point: integer hash (lowbias32 of C. Wellons), no state. */
export function hash(x: number, y: number, z: number, seed = 0): number {
  let h = (Math.imul(x, 0x8da6b343) ^ Math.imul(y, 0xd8163841) ^ Math.imul(z, 0xcb1ab31f) ^ Math.imul(seed, 0x9e3779b1)) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return ((h ^ (h >>> 16)) >>> 0) / 4294967296;
}

/** Smooth value noise, -1..1, features about one unit wide. */
export function noise3(x: number, y: number, z: number, seed = 0): number {
  const x0 = Math.floor(x);
  const y0 = Math.floor(y);
  const z0 = Math.floor(z);
  const fx = x - x0;
  const fy = y - y0;
  const fz = z - z0;
  const sx = fx * fx * (3 - 2 * fx);
  const sy = fy * fy * (3 - 2 * fy);
  const sz = fz * fz * (3 - 2 * fz);
  const a00 = hash(x0, y0, z0, seed);
  const a10 = hash(x0, y0 + 1, z0, seed);
  const a01 = hash(x0, y0, z0 + 1, seed);
  const a11 = hash(x0, y0 + 1, z0 + 1, seed);
  const b00 = a00 + (hash(x0 + 1, y0, z0, seed) - a00) * sx;
  const b10 = a10 + (hash(x0 + 1, y0 + 1, z0, seed) - a10) * sx;
  const b01 = a01 + (hash(x0 + 1, y0, z0 + 1, seed) - a01) * sx;
  const b11 = a11 + (hash(x0 + 1, y0 + 1, z0 + 1, seed) - a11) * sx;
  const c0 = b00 + (b10 - b00) * sy;
  const c1 = b01 + (b11 - b01) * sy;
  return (c0 + (c1 - c0) * sz) * 2 - 1;
}

/** Sum of `octaves` noises, each twice as fine and half as strong; about -1..1. */
export function fractalNoise3(x: number, y: number, z: number, octaves: number, seed = 0): number {
  let sum = 0;
  let scale = 1;
  let weight = 0.5;
  for (let k = 0; k < octaves; k++) {
    sum += weight * noise3(x * scale, y * scale, z * scale, seed + k);
    // Not quite 2, so that the lattices of the octaves do not fall together.
    scale *= 2.03;
    weight *= 0.5;
  }
  return sum;
}

/** Random numbers 0..1 from a seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** 0 below `low`, 1 above `high`, smooth between; `low` may be the larger one. */
export function smoothstep(low: number, high: number, x: number): number {
  const t = Math.max(0, Math.min(1, (x - low) / (high - low)));
  return t * t * (3 - 2 * t);
}
