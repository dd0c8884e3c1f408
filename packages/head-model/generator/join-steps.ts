import type { IdentityBasis } from '../src/head-model-data.ts';

/** The numbers of steps of all columns in one piece, shape (C,3,H): what `splitSteps` took apart. */
export function joinSteps({ steps, carries, columnCount }: Pick<IdentityBasis, 'steps' | 'carries' | 'columnCount'>): Int32Array {
  const out = Int32Array.from(steps);
  const entries = steps.length / columnCount;
  let n = 0;
  for (let c = 0; c < columnCount; c++) {
    for (const end = n + carries.count[c]!; n < end; n++) out[c * entries + carries.place[n]!]! += 256 * carries.amount[n]!;
  }
  return out;
}
