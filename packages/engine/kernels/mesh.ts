/**
 * Plain loops over the vertices of a mesh. AssemblyScript; called by src/export and src/render. Points are f32, shape (count,3).
 */

/** Sum of numbers: finite when and only when all of them are (and none is near the largest double). */
export function sumNumbers(at: usize, count: i32): f64 {
  let sum: f64 = 0;
  for (let end = at + ((<usize>count) << 2); at < end; at += 4) sum += load<f32>(at);
  return sum;
}

/**
 * Extent of points along three axes.
 *
 * @param axes - f64 (3,3), row-major
 * @param out - f64 (6): least along each axis, then most; infinite where there is no point
 */
export function boundPoints(points: usize, count: i32, axes: usize, out: usize): void {
  for (let k: usize = 0; k < 3; k++) {
    const ax = load<f64>(axes + 24 * k);
    const ay = load<f64>(axes + 24 * k, 8);
    const az = load<f64>(axes + 24 * k, 16);
    let least: f64 = Infinity;
    let most: f64 = -Infinity;
    for (let at = points, end = points + 12 * <usize>count; at < end; at += 12) {
      const v = ax * <f64>load<f32>(at) + ay * <f64>load<f32>(at, 4) + az * <f64>load<f32>(at, 8);
      if (v < least) least = v;
      if (v > most) most = v;
    }
    store<f64>(out + (k << 3), least);
    store<f64>(out + (k << 3), most, 24);
  }
}

/** out = source of each vertex / divisor - pivot, shape (count,3). */
export function takeVertices(
  vertices: usize,
  count: i32,
  source: usize,
  divisor: f64,
  pivotX: f64,
  pivotY: f64,
  pivotZ: f64,
  out: usize,
): void {
  for (let end = vertices + ((<usize>count) << 2); vertices < end; vertices += 4, out += 12) {
    const from = source + 12 * <usize>load<u32>(vertices);
    store<f32>(out, <f32>(<f64>load<f32>(from) / divisor - pivotX));
    store<f32>(out, <f32>(<f64>load<f32>(from, 4) / divisor - pivotY), 4);
    store<f32>(out, <f32>(<f64>load<f32>(from, 8) / divisor - pivotZ), 8);
  }
}
