import { evaluateHead } from '../src/evaluate-head.ts';
import type { HeadModelData } from '../src/head-model-data.ts';

/** Root mean square and largest distance between where a vertex is and where it should be, millimetres. */
export interface Deviation {
  readonly rmsMm: number;
  readonly worstMm: number;
}

/** What the archive says, in the model's frame and units. */
export interface ExactShapes {
  /** Shape (V,3) */
  readonly neutralMm: Float64Array;
  /** Per mode (V,3), per standard deviation. */
  readonly identitiesMm: readonly Float64Array[];
  /** Per expression (V,3), in the order of the model. */
  readonly expressionsMm: readonly Float64Array[];
}

/**
 * Compares random heads, every mode N(0, 1) and every expression uniform in 0..1, with the same sums in double precision.
 *
 * @param ranges - vertex ranges to report on, half open
 */
export function measureQuantisation(
  data: Pick<HeadModelData, 'neutral' | 'mirrorVertex' | 'identity' | 'expressions'>,
  exact: ExactShapes,
  ranges: readonly (readonly [number, number])[],
  seeds: readonly number[],
): Deviation[] {
  const sums = ranges.map(() => ({ squares: 0, worst: 0, count: 0 }));
  const actual = new Float32Array(data.neutral.length);
  for (const seed of seeds) {
    const random = createRandom(seed);
    const identity = exact.identitiesMm.map(() => random.normal());
    const expression = exact.expressionsMm.map(() => random.uniform());
    evaluateHead(data, identity, expression, actual);
    const expected = Float64Array.from(exact.neutralMm);
    exact.identitiesMm.forEach((mode, k) => {
      addScaled(expected, mode, identity[k]!);
    });
    exact.expressionsMm.forEach((shape, e) => {
      addScaled(expected, shape, expression[e]!);
    });
    ranges.forEach(([first, end], r) => {
      const sum = sums[r]!;
      for (let v = first; v < end; v++) {
        const d = Math.hypot(
          actual[3 * v]! - expected[3 * v]!,
          actual[3 * v + 1]! - expected[3 * v + 1]!,
          actual[3 * v + 2]! - expected[3 * v + 2]!,
        );
        sum.squares += d * d;
        sum.worst = Math.max(sum.worst, d);
        sum.count++;
      }
    });
  }
  return sums.map(({ squares, worst, count }) => ({ rmsMm: Math.sqrt(squares / count), worstMm: worst }));
}

function addScaled(out: Float64Array, field: Float64Array, scale: number): void {
  for (let i = 0; i < out.length; i++) out[i]! += scale * field[i]!;
}

/** Numbers that are the same on every machine: xorshift32 (Marsaglia 2003) and the polar method of Box and Muller. */
function createRandom(seed: number): { uniform(): number; normal(): number } {
  let state = (seed * 2654435761) >>> 0 || 1;
  const uniform = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state = (state ^ (state << 5)) >>> 0;
    return state / 2 ** 32;
  };
  return {
    uniform,
    normal() {
      for (;;) {
        const a = 2 * uniform() - 1;
        const b = 2 * uniform() - 1;
        const s = a * a + b * b;
        if (s > 0 && s < 1) return a * Math.sqrt((-2 * Math.log(s)) / s);
      }
    },
  };
}
