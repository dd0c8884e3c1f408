/** Rounds to a number of decimals, for JSON that people read and that must be the same every time; -0 becomes 0. */
export function roundTo(value: number, decimals: number): number {
  const scale = 10 ** decimals;
  return Math.round(value * scale) / scale + 0;
}
