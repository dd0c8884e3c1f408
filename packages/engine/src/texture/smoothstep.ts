/** 0 below `from`, 1 above `to`, a smooth cubic between (Hermite). */
export function smoothstep(from: number, to: number, x: number): number {
  const t = (x - from) / (to - from);
  return t <= 0 ? 0 : t >= 1 ? 1 : t * t * (3 - 2 * t);
}
