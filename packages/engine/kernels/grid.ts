/**
 * Work on square grids of numbers: filling, spreading, softening. AssemblyScript; src/texture says what for. All numbers are f32.
 */

const NO_TRIANGLE: i32 = 0xffff;

/** Stores the first three numbers. */
function storeThree(at: usize, value: v128): void {
  v128.store64_lane(at, value, 0);
  v128.store32_lane(at + 8, value, 2);
}

/**
 * Weighted means of 2 x 2 cells: a level of half the size. A coarse cell counts in full as soon as one of its four cells is known in full.
 *
 * @param channels - 3 or 1
 */
export function pullLevel(fine: usize, fineWeights: usize, fineSize: i32, coarse: usize, coarseWeights: usize, channels: i32): void {
  const side = fineSize >> 1;
  const step = <usize>(channels << 2);
  const below = <usize>(fineSize << 2);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const p = <usize>(2 * row * fineSize + 2 * column);
      const q = <usize>(row * side + column);
      const w = fineWeights + (p << 2);
      const w00 = load<f32>(w);
      const w01 = load<f32>(w, 4);
      const w10 = load<f32>(w + below);
      const w11 = load<f32>(w + below, 4);
      const sum = w00 + w01 + w10 + w11;
      store<f32>(coarseWeights + (q << 2), min<f32>(1, sum));
      const inverse: f32 = sum <= 1e-9 ? 0 : 1 / sum;
      const a = fine + p * step;
      const b = a + <usize>fineSize * step;
      const out = coarse + q * step;
      if (channels === 1) {
        store<f32>(out, (w00 * load<f32>(a) + w01 * load<f32>(a, 4) + w10 * load<f32>(b) + w11 * load<f32>(b, 4)) * inverse);
        continue;
      }
      const upper = f32x4.add(f32x4.mul(f32x4.splat(w00), v128.load(a)), f32x4.mul(f32x4.splat(w01), v128.load(a, 12)));
      const lower = f32x4.add(f32x4.mul(f32x4.splat(w10), v128.load(b)), f32x4.mul(f32x4.splat(w11), v128.load(b, 12)));
      // What is not known may be anything, also not a number.
      const mean = sum <= 1e-9 ? f32x4.splat(0) : f32x4.mul(f32x4.add(upper, lower), f32x4.splat(inverse));
      storeThree(out, mean);
    }
  }
}

/** The second-nearest coarse cell of a fine one along one axis; the nearest again at the border. */
function beside(fine: i32, coarseSide: i32): i32 {
  const near = fine >> 1;
  if (fine & 1) return near + 1 < coarseSide ? near + 1 : near;
  return near > 0 ? near - 1 : 0;
}

/**
 * Fills what is not known in a level from the coarser one by tent interpolation, drawn to `prior` (as many numbers as channels, 16 bytes readable)
 * by `priorWeight`.
 *
 * @param channels - 3 or 1
 */
export function pushLevel(coarse: usize, target: usize, weights: usize, side: i32, channels: i32, prior: usize, priorWeight: f32): void {
  const coarseSide = side >> 1;
  const share: f32 = <f32>1 - priorWeight;
  const step = <usize>(channels << 2);
  const mean = f32x4.mul(v128.load(prior), f32x4.splat(priorWeight));
  const oneMean = load<f32>(prior) * priorWeight;
  for (let row = 0; row < side; row++) {
    const nearRow = (row >> 1) * coarseSide;
    const farRow = beside(row, coarseSide) * coarseSide;
    for (let column = 0; column < side; column++) {
      const p = <usize>(row * side + column);
      const w = load<f32>(weights + (p << 2));
      if (w >= 1) continue;
      const nearColumn = column >> 1;
      const farColumn = beside(column, coarseSide);
      const a = coarse + <usize>(nearRow + nearColumn) * step;
      const b = coarse + <usize>(nearRow + farColumn) * step;
      const c = coarse + <usize>(farRow + nearColumn) * step;
      const d = coarse + <usize>(farRow + farColumn) * step;
      const out = target + p * step;
      const pull: f32 = <f32>1 - w;
      if (channels === 1) {
        const around: f32 = 0.5625 * load<f32>(a) + 0.1875 * (load<f32>(b) + load<f32>(c)) + 0.0625 * load<f32>(d);
        // A place without weight may hold anything.
        const kept: f32 = w === 0 ? 0 : w * load<f32>(out);
        store<f32>(out, kept + pull * (share * around + oneMean));
        continue;
      }
      const around = f32x4.add(
        f32x4.add(f32x4.mul(f32x4.splat(0.5625), v128.load(a)), f32x4.mul(f32x4.splat(0.1875), f32x4.add(v128.load(b), v128.load(c)))),
        f32x4.mul(f32x4.splat(0.0625), v128.load(d)),
      );
      const drawn = f32x4.mul(f32x4.splat(pull), f32x4.add(f32x4.mul(f32x4.splat(share), around), mean));
      storeThree(out, w === 0 ? drawn : f32x4.add(f32x4.mul(f32x4.splat(w), v128.load(out)), drawn));
    }
  }
}

/**
 * As pushLevel, but at `places` (u32) only: those of a grid that are looked at afterwards.
 */
export function pushPlaces(
  coarse: usize,
  target: usize,
  weights: usize,
  side: i32,
  channels: i32,
  prior: usize,
  priorWeight: f32,
  places: usize,
  count: i32,
): void {
  const coarseSide = side >> 1;
  const shift = ctz(side);
  const share: f32 = <f32>1 - priorWeight;
  const step = <usize>(channels << 2);
  const mean = f32x4.mul(v128.load(prior), f32x4.splat(priorWeight));
  const oneMean = load<f32>(prior) * priorWeight;
  const near = f32x4.splat(0.5625);
  const next = f32x4.splat(0.1875);
  const far = f32x4.splat(0.0625);
  for (let i = 0; i < count; i++) {
    const p = <usize>load<u32>(places + ((<usize>i) << 2));
    const w = load<f32>(weights + (p << 2));
    if (w >= 1) continue;
    const row = <i32>p >> shift;
    const column = <i32>p & (side - 1);
    const nearRow = (row >> 1) * coarseSide;
    const farRow = beside(row, coarseSide) * coarseSide;
    const nearColumn = column >> 1;
    const farColumn = beside(column, coarseSide);
    const a = coarse + <usize>(nearRow + nearColumn) * step;
    const b = coarse + <usize>(nearRow + farColumn) * step;
    const c = coarse + <usize>(farRow + nearColumn) * step;
    const d = coarse + <usize>(farRow + farColumn) * step;
    const out = target + p * step;
    const pull: f32 = <f32>1 - w;
    if (channels === 1) {
      const around: f32 = 0.5625 * load<f32>(a) + 0.1875 * (load<f32>(b) + load<f32>(c)) + 0.0625 * load<f32>(d);
      const kept: f32 = w === 0 ? 0 : w * load<f32>(out);
      store<f32>(out, kept + pull * (share * around + oneMean));
      continue;
    }
    const around = f32x4.add(
      f32x4.add(f32x4.mul(near, v128.load(a)), f32x4.mul(next, f32x4.add(v128.load(b), v128.load(c)))),
      f32x4.mul(far, v128.load(d)),
    );
    const drawn = f32x4.mul(f32x4.splat(pull), f32x4.add(f32x4.mul(f32x4.splat(share), around), mean));
    storeThree(out, w === 0 ? drawn : f32x4.add(f32x4.mul(f32x4.splat(w), v128.load(out)), drawn));
  }
}

/** Replaces every value by the largest within two texels (a square); values >= 0. `scratch` is as large as the grid. */
export function growMaximum(values: usize, scratch: usize, size: i32): void {
  const rowBytes = <usize>(size << 2);
  for (let row = 0; row < size; row++) {
    const from = values + <usize>row * rowBytes;
    const to = scratch + <usize>row * rowBytes;
    for (let column = 0; column < size; column++) {
      const at = <usize>(column << 2);
      let v = load<f32>(from + at);
      if (column > 0) v = max(v, load<f32>(from + at - 4));
      if (column > 1) v = max(v, load<f32>(from + at - 8));
      if (column + 1 < size) v = max(v, load<f32>(from + at, 4));
      if (column + 2 < size) v = max(v, load<f32>(from + at, 8));
      store<f32>(to + at, v);
    }
  }
  for (let row = 0; row < size; row++) {
    const first = max(0, row - 2);
    const last = min(size - 1, row + 2);
    for (let column = 0; column < size; column += 4) {
      const at = <usize>(column << 2);
      let v = v128.load(scratch + <usize>first * rowBytes + at);
      for (let r = first + 1; r <= last; r++) v = f32x4.max(v, v128.load(scratch + <usize>r * rowBytes + at));
      v128.store(values + <usize>row * rowBytes + at, v);
    }
  }
}

/**
 * Mean of 3 x 3 texels where that is less, except beside the rim of an island (`triangles`, u16), where there is nothing to average with. `scratch` is
 * as large as the grid.
 */
export function softenWeights(weights: usize, scratch: usize, triangles: usize, size: i32): void {
  const n = size * size;
  const third = f32x4.splat(1.0 / 3);
  // Beyond the ends of the grid its own first and last values count; they are not used.
  for (let p = 4; p + 8 <= n; p += 4) {
    const at = weights + <usize>(p << 2);
    const sum = f32x4.add(f32x4.add(v128.load(at - 4), v128.load(at)), v128.load(at + 4));
    v128.store(scratch + <usize>(p << 2), f32x4.mul(sum, third));
  }
  for (let p = size + 4; p < n - size - 4; p++) {
    const at = <usize>(p << 2);
    const w = load<f32>(weights + at);
    if (w === 0) continue;
    const triangle = triangles + <usize>(p << 1);
    if (
      <i32>load<u16>(triangle - 2) === NO_TRIANGLE ||
      <i32>load<u16>(triangle, 2) === NO_TRIANGLE ||
      <i32>load<u16>(triangle - <usize>(size << 1)) === NO_TRIANGLE ||
      <i32>load<u16>(triangle + <usize>(size << 1)) === NO_TRIANGLE
    )
      continue;
    const mean =
      (load<f32>(scratch + at - <usize>(size << 2)) + load<f32>(scratch + at) + load<f32>(scratch + at + <usize>(size << 2))) * (1.0 / 3);
    if (mean < w) store<f32>(weights + at, mean);
  }
}

/**
 * Sums over squares of `radius` texels to either side; beyond the grid is nothing. `scratch` is as large as the grid.
 *
 * @param sums - written
 */
export function sumSquares(values: usize, scratch: usize, sums: usize, size: i32, radius: i32): void {
  for (let row = 0; row < size; row++) {
    const first = (<usize>(row * size)) << 2;
    sumAlong(values + first, scratch + first, size, radius);
  }
  // Down the columns, four at a time.
  const rowBytes = <usize>(size << 2);
  for (let column = 0; column < size; column += 4) {
    const from = scratch + ((<usize>column) << 2);
    const to = sums + ((<usize>column) << 2);
    let sum = f32x4.splat(0);
    for (let k = 0; k < radius; k++) sum = f32x4.add(sum, v128.load(from + <usize>k * rowBytes));
    for (let k = 0; k < size; k++) {
      if (k + radius < size) sum = f32x4.add(sum, v128.load(from + <usize>(k + radius) * rowBytes));
      if (k > radius) sum = f32x4.sub(sum, v128.load(from + <usize>(k - radius - 1) * rowBytes));
      v128.store(to + <usize>k * rowBytes, sum);
    }
  }
}

function sumAlong(from: usize, to: usize, size: i32, radius: i32): void {
  let sum: f64 = 0;
  for (let k = 0; k < radius; k++) sum += <f64>load<f32>(from + ((<usize>k) << 2));
  for (let k = 0; k < size; k++) {
    if (k + radius < size) sum += <f64>load<f32>(from + ((<usize>(k + radius)) << 2));
    if (k > radius) sum -= <f64>load<f32>(from + ((<usize>(k - radius - 1)) << 2));
    store<f32>(to + ((<usize>k) << 2), <f32>sum);
  }
}

/**
 * Shrinks what is above 0 by a texel and makes its edge two texels wide; texels beside the islands (`triangles`, u16) are passed over. `first` and
 * `second` are scratch memory as large as the grid.
 */
export function softenEdges(values: usize, triangles: usize, size: i32, first: usize, second: usize): void {
  const n = size * size;
  shrink(values, first, triangles, 1, n);
  shrink(first, second, triangles, size, n);
  for (let row = 0; row < size; row++) {
    const from = second + ((<usize>(row * size)) << 2);
    const to = first + ((<usize>(row * size)) << 2);
    const last = (<usize>(size - 1)) << 2;
    store<f32>(to, load<f32>(from));
    store<f32>(to + last, load<f32>(from + last));
    for (let at: usize = 4; at < last; at += 4) {
      store<f32>(to + at, 0.25 * (load<f32>(from + at - 4) + load<f32>(from + at, 4)) + 0.5 * load<f32>(from + at));
    }
  }
  const rowBytes = <usize>(size << 2);
  const quarter = f32x4.splat(0.25);
  const half = f32x4.splat(0.5);
  // Nothing grows to more than twice of what it was.
  for (let p = size; p < n - size; p += 4) {
    const at = <usize>(p << 2);
    const around = f32x4.add(v128.load(first + at - rowBytes), v128.load(first + at + rowBytes));
    const mean = f32x4.add(f32x4.mul(quarter, around), f32x4.mul(half, v128.load(first + at)));
    const least = v128.load(second + at);
    v128.store(values + at, f32x4.min(mean, f32x4.add(least, least)));
  }
}

/** Smallest of a texel and its two neighbours `step` texels away, as far as those lie on an island. */
function shrink(from: usize, to: usize, triangles: usize, step: i32, n: i32): void {
  const bytes = <usize>(step << 2);
  const words = <usize>(step << 1);
  for (let p = 0; p < n; p++) {
    const at = from + <usize>(p << 2);
    let v = load<f32>(at);
    if (v > 0) {
      const triangle = triangles + <usize>(p << 1);
      if (p >= step) {
        const before = load<f32>(at - bytes);
        if (before < v && <i32>load<u16>(triangle - words) !== NO_TRIANGLE) v = before;
      }
      if (p + step < n) {
        const after = load<f32>(at + bytes);
        if (after < v && <i32>load<u16>(triangle + words) !== NO_TRIANGLE) v = after;
      }
    }
    store<f32>(to + <usize>(p << 2), v);
  }
}

/** target += added, `count` numbers (a multiple of four). */
export function addNumbers(target: usize, added: usize, count: i32): void {
  for (let i: usize = 0, end = <usize>(count << 2); i < end; i += 16) {
    v128.store(target + i, f32x4.add(v128.load(target + i), v128.load(added + i)));
  }
}
