/**
 * The screened membrane that lays a mesh over landmarks. AssemblyScript; called by src/fit/align-to-landmarks.ts, where the tables are described.
 */

let start: usize = 0;
let neighbour: usize = 0;
let degree: usize = 0;
let cornerStart: usize = 0;
let corner: usize = 0;
let cornerWeight: usize = 0;
let weight: usize = 0;
let residual: usize = 0;
let field: usize = 0;

export function setMembrane(
  startAt: usize,
  neighbourAt: usize,
  degreeAt: usize,
  cornerStartAt: usize,
  cornerAt: usize,
  cornerWeightAt: usize,
  weightAt: usize,
  residualAt: usize,
  fieldAt: usize,
): void {
  start = startAt;
  neighbour = neighbourAt;
  degree = degreeAt;
  cornerStart = cornerStartAt;
  corner = cornerAt;
  cornerWeight = cornerWeightAt;
  weight = weightAt;
  residual = residualAt;
  field = fieldAt;
}

/** Where the sweeps begin: each vertex with the share `arrives` of the residual of a landmark that is near. */
export function startMembrane(nearest: usize, arrives: usize, count: i32): void {
  for (let i = 0; i < count; i++) {
    const from = residual + ((<usize>load<u32>(nearest + ((<usize>i) << 2))) << 4);
    const share = v128.load64_splat(arrives + ((<usize>i) << 3));
    v128.store(field + ((<usize>i) << 4), f64x2.mul(share, v128.load(from)));
  }
}

/** One over-relaxed visit of the first `count` vertices. x and y of the field are the two lanes. */
export function relaxMembrane(count: i32, screen: f64, landmarkWeight: f64, relaxation: f64): void {
  const over = f64x2.splat(relaxation);
  for (let i = 0; i < count; i++) {
    let pull = f64x2.splat(0);
    let stiffness = load<f64>(degree + ((<usize>i) << 3)) + screen;
    let at = start + ((<usize>i) << 2);
    let n = neighbour + ((<usize>load<u32>(at)) << 2);
    for (const end = neighbour + ((<usize>load<u32>(at, 4)) << 2); n < end; n += 4) {
      pull = f64x2.add(pull, v128.load(field + ((<usize>load<u32>(n)) << 4)));
    }
    at = cornerStart + ((<usize>i) << 2);
    for (let k = load<u32>(at), end = load<u32>(at, 4); k < end; k++) {
      const c = corner + 12 * <usize>k;
      const b = cornerWeight + 24 * <usize>k;
      const l = <usize>load<u32>(c);
      const own = load<f64>(b);
      const w = landmarkWeight * load<f64>(weight + (l << 3)) * own;
      const first = f64x2.mul(v128.load64_splat(b, 8), v128.load(field + ((<usize>load<u32>(c, 4)) << 4)));
      const second = f64x2.mul(v128.load64_splat(b, 16), v128.load(field + ((<usize>load<u32>(c, 8)) << 4)));
      const left = f64x2.sub(f64x2.sub(v128.load(residual + (l << 4)), first), second);
      pull = f64x2.add(pull, f64x2.mul(f64x2.splat(w), left));
      stiffness += w * own;
    }
    const to = field + ((<usize>i) << 4);
    const old = v128.load(to);
    v128.store(to, f64x2.add(old, f64x2.mul(over, f64x2.sub(f64x2.div(pull, f64x2.splat(stiffness)), old))));
  }
}

/**
 * Marks and lists the corners of triangles that face the camera and would fold or nearly vanish under the field.
 *
 * @param triangles - u32 (count,3)
 * @param vertex - u32: vertex of the model of each
 * @param projected - f32 (V,2)
 * @param isFolded - u8, marks
 * @param folded - u32, the list
 * @returns how many are listed
 */
export function listFolded(
  triangles: usize,
  count: i32,
  vertex: usize,
  projected: usize,
  leastRatio: f64,
  isFolded: usize,
  folded: usize,
): i32 {
  let listed = 0;
  for (let t = triangles, end = triangles + 12 * <usize>count; t < end; t += 12) {
    const a = <usize>load<u32>(t);
    const b = <usize>load<u32>(t, 4);
    const c = <usize>load<u32>(t, 8);
    const pa = projected + ((<usize>load<u32>(vertex + (a << 2))) << 3);
    const pb = projected + ((<usize>load<u32>(vertex + (b << 2))) << 3);
    const pc = projected + ((<usize>load<u32>(vertex + (c << 2))) << 3);
    const ax = <f64>load<f32>(pa);
    const ay = <f64>load<f32>(pa, 4);
    const abx = <f64>load<f32>(pb) - ax;
    const aby = <f64>load<f32>(pb, 4) - ay;
    const acx = <f64>load<f32>(pc) - ax;
    const acy = <f64>load<f32>(pc, 4) - ay;
    const before = abx * acy - aby * acx;
    // y down: what is counter-clockwise from outside turns clockwise here, which makes the area negative
    if (before >= 0) continue;
    const fa = field + (a << 4);
    const fb = field + (b << 4);
    const fc = field + (c << 4);
    const dbx = abx + load<f64>(fb) - load<f64>(fa);
    const dby = aby + load<f64>(fb, 8) - load<f64>(fa, 8);
    const dcx = acx + load<f64>(fc) - load<f64>(fa);
    const dcy = acy + load<f64>(fc, 8) - load<f64>(fa, 8);
    if (dbx * dcy - dby * dcx <= leastRatio * before) continue;
    for (let k: usize = 0; k < 12; k += 4) {
      const i = load<u32>(t + k);
      if (load<u8>(isFolded + i) !== 0) continue;
      store<u8>(isFolded + i, 1);
      store<u32>(folded + ((<usize>listed) << 2), i);
      listed++;
    }
  }
  return listed;
}

/** The triangles with a corner that is marked. @returns how many */
export function selectTriangles(triangles: usize, count: i32, isMarked: usize, out: usize): i32 {
  let to = out;
  for (let t = triangles, end = triangles + 12 * <usize>count; t < end; t += 12) {
    const a = load<u32>(t);
    const b = load<u32>(t, 4);
    const c = load<u32>(t, 8);
    if ((load<u8>(isMarked + a) | load<u8>(isMarked + b) | load<u8>(isMarked + c)) === 0) continue;
    store<u32>(to, a);
    store<u32>(to, b, 4);
    store<u32>(to, c, 8);
    to += 12;
  }
  return <i32>((to - out) / 12);
}

/** points[vertices[i]] += field[i], for the first `count`. @param points - f32 (V,2) */
export function addField(points: usize, vertices: usize, count: i32): void {
  for (let i = 0; i < count; i++) {
    const at = points + ((<usize>load<u32>(vertices + ((<usize>i) << 2))) << 3);
    const by = field + ((<usize>i) << 4);
    store<f32>(at, <f32>(<f64>load<f32>(at) + load<f64>(by)));
    store<f32>(at, <f32>(<f64>load<f32>(at, 4) + load<f64>(by, 8)), 4);
  }
}
