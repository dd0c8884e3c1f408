import type { StepCarries } from '../src/head-model-data.ts';

/**
 * Takes numbers of steps apart into bytes and what bytes do not hold: step = byte + 256 carry.
 *
 * @param steps - shape (C, entries)
 * @param columnCount - C
 */
export function splitSteps(steps: Int32Array, columnCount: number): { steps: Int8Array; carries: StepCarries } {
  const entries = steps.length / columnCount;
  const low = new Int8Array(steps.length);
  const count = new Uint16Array(columnCount);
  const place: number[] = [];
  const amount: number[] = [];
  for (let at = 0; at < steps.length; at++) {
    low[at] = steps[at]!;
    const carry = (steps[at]! - low[at]!) / 256;
    if (carry === 0) continue;
    if (Math.abs(carry) > 127) throw new Error(`${steps[at]} steps cannot be packed`);
    count[Math.floor(at / entries)]!++;
    place.push(at % entries);
    amount.push(carry);
  }
  if (entries > 0xffff) throw new Error(`columns of ${entries} entries cannot be packed`);
  return { steps: low, carries: { count, place: Uint16Array.from(place), amount: Int8Array.from(amount) } };
}
