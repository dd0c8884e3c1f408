/** A stream of random numbers that is the same for the same seed on every machine. */
export interface Random {
  /** Uniform in [0, 1), 32 bits of resolution. */
  uniform(): number;
  /** Standard normal. */
  normal(): number;
}

/**
 * Seeded random numbers: PCG-XSH-RR 64/32 (O'Neill, HMC-CS-2014-0905), default stream; normals by Box and Muller's
 * transform (both numbers of a pair are used, cosine first).
 *
 * @param seed - integer >= 0; seeding as in pcg32_srandom with stream 54
 */
export function createRandom(seed: number): Random {
  const mask = (1n << 64n) - 1n;
  const multiplier = 6364136223846793005n;
  const increment = (54n << 1n) | 1n;
  let state = (((increment + BigInt(seed)) & mask) * multiplier + increment) & mask;
  let spare: number | null = null;
  const next = (): number => {
    const old = state;
    state = (old * multiplier + increment) & mask;
    const shifted = Number((((old >> 18n) ^ old) >> 27n) & 0xffffffffn);
    const rotate = Number(old >> 59n);
    return ((shifted >>> rotate) | (shifted << (-rotate & 31))) >>> 0;
  };
  const uniform = (): number => next() / 4294967296;
  return {
    uniform,
    normal(): number {
      if (spare !== null) {
        const s = spare;
        spare = null;
        return s;
      }
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      const angle = 2 * Math.PI * uniform();
      spare = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
  };
}
