/**
 * Colours of pixels of a rendered mesh. AssemblyScript; src/render/shade-pixels.ts says where the formulas are from and hands in the arrays.
 */

/** Of a surface: linear RGB and alpha, squared GGX roughness and factor of the highlight, 1 if double-sided, alpha mode (f64). */
const SURFACE_BYTES: usize = 64;
/** Of a texture: place, width, height, channels (i32). */
const TEXTURE_BYTES: usize = 16;
/** Of a light: unit direction to it, its linear RGB, 1 if it makes highlights (f64). */
const LIGHT_BYTES: usize = 56;

const MASK: f64 = 1;
const BLEND: f64 = 2;

/** How far diffuse light reaches past the terminator, as a share of the radius: a hint of the softness of skin. */
const WRAP: f64 = 0.15;
/** Width of the drawn triangle edges, px. */
const WIRE_PX: f64 = 0.7;
/** Steps of the table from linear to sRGB. */
const STEPS: f64 = 4096;

let surfacesAt: usize = 0;
let texturesAt: usize = 0;
let triangleSurfaceAt: usize = 0;
let trianglesAt: usize = 0;
let triangleUvsAt: usize = 0;
let uvsAt: usize = 0;
let normalsAt: usize = 0;
let lightsAt: usize = 0;
let lightCount: i32 = 0;
let ambientAt: usize = 0;
let wireAt: usize = 0;
let linearAt: usize = 0;
let srgbAt: usize = 0;

let layerAt: usize = 0;
let weight1At: usize = 0;
let weight2At: usize = 0;
let sourceAt: usize = 0;
let width: i32 = 0;
let inverseFocal: f64 = 0;
let centerX: f64 = 0;
let centerY: f64 = 0;

let red: f64 = 0;
let green: f64 = 0;
let blue: f64 = 0;
let alpha: f64 = 0;

/** What is shaded, and the tables between sRGB and linear light. `wire` is 0 where no edges are drawn. */
export function setShading(
  surfaces: usize,
  textures: usize,
  triangleSurface: usize,
  triangles: usize,
  triangleUvs: usize,
  uvs: usize,
  normals: usize,
  lights: usize,
  lightsCount: i32,
  ambient: usize,
  wire: usize,
  linearFromSrgb: usize,
  srgbFromLinear: usize,
): void {
  surfacesAt = surfaces;
  texturesAt = textures;
  triangleSurfaceAt = triangleSurface;
  trianglesAt = triangles;
  triangleUvsAt = triangleUvs;
  uvsAt = uvs;
  normalsAt = normals;
  lightsAt = lights;
  lightCount = lightsCount;
  ambientAt = ambient;
  wireAt = wire;
  linearAt = linearFromSrgb;
  srgbAt = srgbFromLinear;
}

/** Which triangle each pixel shows (`source`: its number in the mesh, 0 where the numbers are those of the mesh), and the camera. */
export function setLayer(triangle: usize, weight1: usize, weight2: usize, source: usize, columns: i32, focalPx: f64, x: f64, y: f64): void {
  layerAt = triangle;
  weight1At = weight1;
  weight2At = weight2;
  sourceAt = source;
  width = columns;
  inverseFocal = 1 / focalPx;
  centerX = x;
  centerY = y;
}

function linearOf(byte: usize): f64 {
  return <f64>load<f32>(linearAt + ((<usize>load<u8>(byte)) << 2));
}

/** sRGB byte of a linear value; below 0 and above 1 are clipped. */
function encode(linear: f64): u8 {
  const step = linear <= 0 ? 0 : linear >= 1 ? <i32>STEPS : <i32>(linear * STEPS + 0.5);
  return load<u8>(srgbAt + <usize>step);
}

/** Shades a pixel into red, green, blue and alpha; those that show no triangle get alpha 0. */
function shade(p: i32): void {
  const found = load<i32>(layerAt + ((<usize>p) << 2));
  alpha = 0;
  if (found < 0) return;
  const t = sourceAt === 0 ? found : load<i32>(sourceAt + ((<usize>found) << 2));
  const corner = 12 * <usize>t;
  const s = <usize>load<u8>(triangleSurfaceAt + <usize>t);
  const w1 = <f64>load<f32>(weight1At + ((<usize>p) << 2));
  const w2 = <f64>load<f32>(weight2At + ((<usize>p) << 2));
  const w0 = 1 - w1 - w2;
  const surface = surfacesAt + SURFACE_BYTES * s;
  let r = load<f64>(surface);
  let g = load<f64>(surface, 8);
  let b = load<f64>(surface, 16);
  let a = load<f64>(surface, 24);
  const texture = texturesAt + TEXTURE_BYTES * s;
  const columns = load<i32>(texture, 4);
  if (columns > 0) {
    const pixels = <usize>load<i32>(texture);
    const rows = load<i32>(texture, 8);
    const channels = <usize>load<i32>(texture, 12);
    const u0 = uvsAt + 8 * <usize>load<u32>(triangleUvsAt + corner);
    const u1 = uvsAt + 8 * <usize>load<u32>(triangleUvsAt + corner, 4);
    const u2 = uvsAt + 8 * <usize>load<u32>(triangleUvsAt + corner, 8);
    const u = w0 * <f64>load<f32>(u0) + w1 * <f64>load<f32>(u1) + w2 * <f64>load<f32>(u2);
    const v = w0 * <f64>load<f32>(u0, 4) + w1 * <f64>load<f32>(u1, 4) + w2 * <f64>load<f32>(u2, 4);
    const tx = max<f64>(0, min<f64>(<f64>(columns - 1), u * <f64>columns - 0.5));
    const ty = max<f64>(0, min<f64>(<f64>(rows - 1), v * <f64>rows - 0.5));
    const x0 = <i32>tx;
    const y0 = <i32>ty;
    const sx = tx - <f64>x0;
    const sy = ty - <f64>y0;
    const p00 = pixels + <usize>(y0 * columns + x0) * channels;
    const p01 = x0 < columns - 1 ? p00 + channels : p00;
    const down = y0 < rows - 1 ? <usize>columns * channels : 0;
    const p10 = p00 + down;
    const p11 = p01 + down;
    const k11 = sx * sy;
    const k01 = sx - k11;
    const k10 = sy - k11;
    const k00 = 1 - sx - k10;
    r *= k00 * linearOf(p00) + k01 * linearOf(p01) + k10 * linearOf(p10) + k11 * linearOf(p11);
    g *= k00 * linearOf(p00 + 1) + k01 * linearOf(p01 + 1) + k10 * linearOf(p10 + 1) + k11 * linearOf(p11 + 1);
    b *= k00 * linearOf(p00 + 2) + k01 * linearOf(p01 + 2) + k10 * linearOf(p10 + 2) + k11 * linearOf(p11 + 2);
    if (channels === 4) {
      a *= (k00 * <f64>load<u8>(p00, 3) + k01 * <f64>load<u8>(p01, 3) + k10 * <f64>load<u8>(p10, 3) + k11 * <f64>load<u8>(p11, 3)) / 255;
    }
  }
  const mode = load<f64>(surface, 56);
  alpha = mode === BLEND ? a : mode === MASK ? (a < 0.5 ? 0 : 1) : 1;
  if (alpha === 0) return;

  const n0 = normalsAt + 12 * <usize>load<u32>(trianglesAt + corner);
  const n1 = normalsAt + 12 * <usize>load<u32>(trianglesAt + corner, 4);
  const n2 = normalsAt + 12 * <usize>load<u32>(trianglesAt + corner, 8);
  let nx = w0 * <f64>load<f32>(n0) + w1 * <f64>load<f32>(n1) + w2 * <f64>load<f32>(n2);
  let ny = w0 * <f64>load<f32>(n0, 4) + w1 * <f64>load<f32>(n1, 4) + w2 * <f64>load<f32>(n2, 4);
  let nz = w0 * <f64>load<f32>(n0, 8) + w1 * <f64>load<f32>(n1, 8) + w2 * <f64>load<f32>(n2, 8);
  const row = p / width;
  const rayX = (<f64>(p - row * width) + 0.5 - centerX) * inverseFocal;
  const rayY = (<f64>row + 0.5 - centerY) * inverseFocal;
  let toUnit = 1 / sqrt(nx * nx + ny * ny + nz * nz + 1e-20);
  // The back of a double-sided surface is lit as its front.
  if (load<f64>(surface, 48) === 1 && nx * rayX + ny * rayY + nz > 0) toUnit = -toUnit;
  nx *= toUnit;
  ny *= toUnit;
  nz *= toUnit;
  const viewZ = -1 / sqrt(rayX * rayX + rayY * rayY + 1);
  const viewX = rayX * viewZ;
  const viewY = rayY * viewZ;

  // y points down: up is -y.
  let diffuseR = load<f64>(ambientAt) - ny * load<f64>(ambientAt, 24);
  let diffuseG = load<f64>(ambientAt, 8) - ny * load<f64>(ambientAt, 32);
  let diffuseB = load<f64>(ambientAt, 16) - ny * load<f64>(ambientAt, 40);
  let shineR: f64 = 0;
  let shineG: f64 = 0;
  let shineB: f64 = 0;
  const a2 = load<f64>(surface, 32);
  const highlight = load<f64>(surface, 40);
  for (let light = lightsAt, end = lightsAt + LIGHT_BYTES * <usize>lightCount; light < end; light += LIGHT_BYTES) {
    const lx = load<f64>(light);
    const ly = load<f64>(light, 8);
    const lz = load<f64>(light, 16);
    const facing = nx * lx + ny * ly + nz * lz;
    if (facing <= -WRAP) continue;
    const lightR = load<f64>(light, 24);
    const lightG = load<f64>(light, 32);
    const lightB = load<f64>(light, 40);
    const wrapped = (facing + WRAP) * (1 / (1 + WRAP));
    diffuseR += lightR * wrapped;
    diffuseG += lightG * wrapped;
    diffuseB += lightB * wrapped;
    if (facing <= 0 || load<f64>(light, 48) === 0) continue;
    const hx = lx + viewX;
    const hy = ly + viewY;
    const hz = lz + viewZ;
    // With h not made unit: n.h^2 = nh^2 / square, l.h^2 = square / 4, and one division for all.
    const square = hx * hx + hy * hy + hz * hz + 1e-20;
    const nh = nx * hx + ny * hy + nz * hz;
    const d = nh * nh * (a2 - 1) + square;
    const shine = (facing * highlight * square * square) / (d * d * max<f64>(0.1, square * 0.25));
    shineR += lightR * shine;
    shineG += lightG * shine;
    shineB += lightB * shine;
  }
  r = r * diffuseR + shineR;
  g = g * diffuseG + shineG;
  b = b * diffuseB + shineB;
  if (wireAt !== 0) {
    const ink = inkOfWire(corner, w0, w1, w2);
    r += (0.02 - r) * ink;
    g += (0.02 - g) * ink;
    b += (0.09 - b) * ink;
  }
  red = r;
  green = g;
  blue = b;
}

/** How much of a wire covers a point of a triangle, 0..0.65. */
function inkOfWire(corner: usize, w0: f64, w1: f64, w2: f64): f64 {
  const a = wireAt + 8 * <usize>load<u32>(trianglesAt + corner);
  const b = wireAt + 8 * <usize>load<u32>(trianglesAt + corner, 4);
  const c = wireAt + 8 * <usize>load<u32>(trianglesAt + corner, 8);
  const abx = <f64>load<f32>(b) - <f64>load<f32>(a);
  const aby = <f64>load<f32>(b, 4) - <f64>load<f32>(a, 4);
  const acx = <f64>load<f32>(c) - <f64>load<f32>(a);
  const acy = <f64>load<f32>(c, 4) - <f64>load<f32>(a, 4);
  const area = abs(abx * acy - acx * aby);
  // Distance to an edge = weight of the corner across from it times the triangle's height over that edge.
  const bcx = acx - abx;
  const bcy = acy - aby;
  const distance = min(
    min((w0 * area) / sqrt(bcx * bcx + bcy * bcy), (w1 * area) / sqrt(acx * acx + acy * acy)),
    (w2 * area) / sqrt(abx * abx + aby * aby),
  );
  return max<f64>(0, 1 - distance / WIRE_PX) * 0.65;
}

/** Paints covered pixels from `from` to before `end` that are not marked in `edge` (shape as the layer) into `rgb`. */
export function paintInside(edge: usize, rgb: usize, from: i32, end: i32): void {
  for (let p = from; p < end; p++) {
    if (load<i32>(layerAt + ((<usize>p) << 2)) < 0 || load<u8>(edge + <usize>p) !== 0) continue;
    shade(p);
    const out = rgb + 3 * <usize>p;
    store<u8>(out, encode(red));
    store<u8>(out, encode(green), 1);
    store<u8>(out, encode(blue), 2);
  }
}

/**
 * Adds the colours of pixels, clipped to what can be shown, to `sum`, shape (count,3), f32; of `backdrop`, shape (height,3), bytes as f32, where
 * nothing is seen.
 */
export function addOutlines(pixels: usize, count: i32, backdrop: usize, sum: usize): void {
  for (let k = 0; k < count; k++) {
    const p = load<i32>(pixels + ((<usize>k) << 2));
    shade(p);
    const out = sum + 12 * <usize>k;
    if (alpha === 0) {
      const behind = backdrop + 12 * <usize>(p / width);
      for (let c: usize = 0; c < 12; c += 4) {
        const byte = <usize>nearest(load<f32>(behind + c));
        store<f32>(out + c, load<f32>(out + c) + load<f32>(linearAt + (byte << 2)));
      }
      continue;
    }
    store<f32>(out, load<f32>(out) + <f32>min<f64>(1, red));
    store<f32>(out, load<f32>(out, 4) + <f32>min<f64>(1, green), 4);
    store<f32>(out, load<f32>(out, 8) + <f32>min<f64>(1, blue), 8);
  }
}

/** Writes pixels to `rgb`: their sums, shape (count,3), times `share`. */
export function storeOutlines(pixels: usize, count: i32, sum: usize, share: f64, rgb: usize): void {
  for (let k = 0; k < count; k++) {
    const from = sum + 12 * <usize>k;
    const out = rgb + 3 * <usize>load<i32>(pixels + ((<usize>k) << 2));
    store<u8>(out, encode(<f64>load<f32>(from) * share));
    store<u8>(out, encode(<f64>load<f32>(from, 4) * share), 1);
    store<u8>(out, encode(<f64>load<f32>(from, 8) * share), 2);
  }
}

/** Adds colour times alpha, and alpha, of the covered pixels `from` to before `end` to `sum`, shape (end - from, 4), f32. */
export function addSheet(from: i32, end: i32, sum: usize): void {
  for (let p = from; p < end; p++) {
    if (load<i32>(layerAt + ((<usize>p) << 2)) < 0) continue;
    shade(p);
    if (alpha === 0) continue;
    const out = sum + ((<usize>(p - from)) << 4);
    store<f32>(out, <f32>(<f64>load<f32>(out) + red * alpha));
    store<f32>(out, <f32>(<f64>load<f32>(out, 4) + green * alpha), 4);
    store<f32>(out, <f32>(<f64>load<f32>(out, 8) + blue * alpha), 8);
    store<f32>(out, <f32>(<f64>load<f32>(out, 12) + alpha), 12);
  }
}

/** Lays what {@link addSheet} gathered over the picture; `share` is one over the number of samples. */
export function blendSheet(from: i32, end: i32, sum: usize, share: f64, rgb: usize): void {
  for (let p = from; p < end; p++) {
    const at = sum + ((<usize>(p - from)) << 4);
    const opacity = <f64>load<f32>(at, 12) * share;
    if (opacity === 0) continue;
    for (let c: usize = 0; c < 3; c++) {
      const out = rgb + 3 * <usize>p + c;
      store<u8>(out, encode(linearOf(out) * (1 - opacity) + <f64>load<f32>(at + (c << 2)) * share));
    }
  }
}

/** Marks the pixels on both sides of a step in depth of more than `step`; `edge` is all zero before. */
export function markOutlines(depth: usize, edge: usize, columns: i32, rows: i32, step: f32): void {
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const p = <usize>(row * columns + column);
      const z = load<f32>(depth + (p << 2));
      // Infinity - Infinity is NaN, which is no step.
      if (column + 1 < columns && abs(z - load<f32>(depth + (p << 2), 4)) > step) {
        store<u8>(edge + p, 1);
        store<u8>(edge + p, 1, 1);
      }
      if (row + 1 < rows && abs(z - load<f32>(depth + ((p + <usize>columns) << 2))) > step) {
        store<u8>(edge + p, 1);
        store<u8>(edge + p + <usize>columns, 1);
      }
    }
  }
}

/** Writes the numbers of the marked pixels, ascending; returns how many there are. */
export function listMarked(edge: usize, count: i32, pixels: usize): i32 {
  let n = 0;
  for (let p = 0; p < count; p++) {
    if (load<u8>(edge + <usize>p) === 0) continue;
    store<i32>(pixels + ((<usize>n) << 2), p);
    n++;
  }
  return n;
}

/** Sums of marked pixels left of and above each corner (a summed-area table), shape (rows + 1, columns + 1), i32; the first row and column are 0. */
export function sumMarked(edge: usize, columns: i32, rows: i32, sums: usize): void {
  const stride = columns + 1;
  for (let row = 0; row < rows; row++) {
    let inRow = 0;
    for (let column = 0; column < columns; column++) {
      inRow += <i32>load<u8>(edge + <usize>(row * columns + column));
      const q = sums + ((<usize>((row + 1) * stride + column + 1)) << 2);
      store<i32>(q, load<i32>(q - ((<usize>stride) << 2)) + inRow);
    }
  }
}

/**
 * Selects triangles `first` to before `end` that may touch a marked pixel: their corners to `selected`, shape (n,3), their numbers to `numbers`.
 *
 * @param known - how many are selected already
 * @returns how many are selected then
 */
export function selectMarked(
  screen: usize,
  triangles: usize,
  first: i32,
  end: i32,
  showsBack: bool,
  sums: usize,
  columns: i32,
  rows: i32,
  selected: usize,
  numbers: usize,
  known: i32,
): i32 {
  const stride = columns + 1;
  let count = known;
  for (let t = first; t < end; t++) {
    const corner = triangles + 12 * <usize>t;
    const a = screen + 8 * <usize>load<u32>(corner);
    const b = screen + 8 * <usize>load<u32>(corner, 4);
    const c = screen + 8 * <usize>load<u32>(corner, 8);
    const ax = <f64>load<f32>(a);
    const ay = <f64>load<f32>(a, 4);
    const bx = <f64>load<f32>(b);
    const by = <f64>load<f32>(b, 4);
    const cx = <f64>load<f32>(c);
    const cy = <f64>load<f32>(c, 4);
    // y points down: the front runs counter-clockwise, which is a negative area.
    if (!showsBack && !((bx - ax) * (cy - ay) - (cx - ax) * (by - ay) < 0)) continue;
    // A sample stays inside its pixel's square, so a pixel can be covered when its square is touched.
    const left = max<f64>(0, floor(min(min(ax, bx), cx)));
    const right = min<f64>(<f64>columns, floor(max(max(ax, bx), cx)) + 1);
    const top = max<f64>(0, floor(min(min(ay, by), cy)));
    const bottom = min<f64>(<f64>rows, floor(max(max(ay, by), cy)) + 1);
    if (!(left < right && top < bottom)) continue;
    const above = sums + ((<usize>(<i32>top * stride)) << 2);
    const below = sums + ((<usize>(<i32>bottom * stride)) << 2);
    const l = (<usize>(<i32>left)) << 2;
    const r = (<usize>(<i32>right)) << 2;
    if (load<i32>(below + r) - load<i32>(above + r) - load<i32>(below + l) + load<i32>(above + l) <= 0) continue;
    memory.copy(selected + 12 * <usize>count, corner, 12);
    store<i32>(numbers + ((<usize>count) << 2), t);
    count++;
  }
  return count;
}
