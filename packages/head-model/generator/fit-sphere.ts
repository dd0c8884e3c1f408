/** Centre of the least-squares sphere through vertices: linear in (2c, r^2 - c^2). */
export function fitSphere(positions: Float64Array, [first, end]: readonly [number, number]): [number, number, number] {
  const m = Array.from({ length: 4 }, () => new Array<number>(5).fill(0));
  for (let v = first; v < end; v++) {
    const p = [positions[3 * v]!, positions[3 * v + 1]!, positions[3 * v + 2]!];
    const row = [2 * p[0]!, 2 * p[1]!, 2 * p[2]!, 1];
    const right = p[0]! ** 2 + p[1]! ** 2 + p[2]! ** 2;
    for (let i = 0; i < 4; i++) {
      for (let j = 0; j < 4; j++) m[i]![j]! += row[i]! * row[j]!;
      m[i]![4]! += row[i]! * right;
    }
  }
  for (let c = 0; c < 4; c++) {
    for (let r = 0; r < 4; r++) {
      if (r === c) continue;
      const f = m[r]![c]! / m[c]![c]!;
      for (let k = c; k < 5; k++) m[r]![k]! -= f * m[c]![k]!;
    }
  }
  return [m[0]![4]! / m[0]![0]!, m[1]![4]! / m[1]![1]!, m[2]![4]! / m[2]![2]!];
}
