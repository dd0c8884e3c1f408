/**
 * Paints rows of a texture by its plan. AssemblyScript; called by src/texture/paint-surface.ts, which says what the tables are. Numbers that end
 * with `At` are places in memory.
 */

/** Numbers per cell of the plan, and where they are (PLAN in complete-surface.ts), in bytes. */
const CELL: i32 = 64;
const MIRRORED: i32 = 4;
const OFFSET: i32 = 8;
const SKIN: i32 = 20;
const HAIR: i32 = 32;
const HAIRNESS: i32 = 44;
const GAIN: i32 = 48;

const FIELD_SIZE: i32 = 256;
/** Bytes of a row of the plan. */
const LINE: usize = 16384;
const GRAIN_TILE: i32 = 128;
const NO_TRIANGLE: i32 = 0xffff;

/** Weights below this are not worth a lookup in the photo (half a level of 8 bits at full contrast would be 0.002). */
const MIN_WEIGHT: f32 = 0.004;
const MIN_HAIRNESS: f32 = 0.02;
/** From here on strands cover the skin whatever the noise does (see `addHair`). */
const FULL_HAIRNESS: f32 = 0.95;

/** What the runs between two rows of the field need. */
const MIXED: u8 = 0;
const PHOTO: u8 = 1;
const SKIN_ONLY: u8 = 2;
const HAIR_ONLY: u8 = 3;

let size: i32 = 0;
let triangleAt: usize = 0;
let runsAt: usize = 0;
let emptyAt: usize = 0;
let ownAt: usize = 0;
let mirroredAt: usize = 0;
let channelsAt: usize = 0;
let grainAt: usize = 0;
let strandsAt: usize = 0;
let grainScale: f32 = 0;
let contrast: f32 = 0;
let photoAt: usize = 0;
let stride: i32 = 0;
/** From a row of the photo to the next; 0 where there is only one. */
let downOf: i32 = 0;
let maxX: f64 = 0;
let maxY: f64 = 0;
let outAt: usize = 0;
let observedAt: usize = 0;
let lineAt: usize = 0;
let kindsAt: usize = 0;

/** Tables of a surface. */
export function setPaintTables(
  textureSize: i32,
  triangle: usize,
  runs: usize,
  empty: usize,
  own: usize,
  mirrored: usize,
  channels: usize,
  grain: usize,
  strands: usize,
  line: usize,
  kinds: usize,
): void {
  size = textureSize;
  triangleAt = triangle;
  runsAt = runs;
  emptyAt = empty;
  ownAt = own;
  mirroredAt = mirrored;
  channelsAt = channels;
  grainAt = grain;
  strandsAt = strands;
  lineAt = line;
  kindsAt = kinds;
}

/**
 * What is painted on and with. `strands` and `observed` of the surface are not used where `hair` or `observed` is 0. The photo must be followed by
 * eight bytes that may be read.
 */
export function setPaintPhoto(photo: usize, width: i32, height: i32, out: usize, observed: usize, grain: f32, hair: f32): void {
  photoAt = photo;
  stride = 3 * width;
  maxX = width > 1 ? <f64>width - 1.001 : 0;
  maxY = height > 1 ? <f64>height - 1.001 : 0;
  downOf = height > 1 ? stride : 0;
  outAt = out;
  observedAt = observed;
  grainScale = grain;
  contrast = hair;
}

/** Paints rows `from` to before `end`. */
export function paintRows(from: i32, end: i32): void {
  const step: f64 = <f64>FIELD_SIZE / <f64>size;
  let classified: i32 = -1;
  for (let row = from; row < end; row++) {
    const fy = max<f64>(0, min<f64>(FIELD_SIZE - 1, (<f64>row + 0.5) * step - 0.5));
    const row0 = <i32>fy;
    if (row0 !== classified) classifyRuns(row0);
    classified = row0;
    interpolateLine(row0, <f32>(fy - <f64>row0));
    paintRow(row, step);
  }
}

/** Kind of every run between the field rows `row0` and the next: it holds for all rows of texels between them. */
function classifyRuns(row0: i32): void {
  const upper = channelsAt + <usize>row0 * LINE;
  const lower = row0 + 1 < FIELD_SIZE ? upper + LINE : upper;
  for (let k = 0; k <= FIELD_SIZE; k++) {
    const left = <usize>(max(k - 1, 0) * CELL);
    const right = <usize>(min(k, FIELD_SIZE - 1) * CELL);
    store<u8>(kindsAt + <usize>k, classifyRun(upper + left, upper + right, lower + left, lower + right));
  }
}

/** Kind of the run whose corners have their channels at a, b, c, d. */
function classifyRun(a: usize, b: usize, c: usize, d: usize): u8 {
  if (min(min(load<f32>(a), load<f32>(b)), min(load<f32>(c), load<f32>(d))) > 1 - MIN_WEIGHT)
    return isEven(a) && isEven(b) && isEven(c) && isEven(d) ? PHOTO : MIXED;
  const own = max(max(load<f32>(a), load<f32>(b)), max(load<f32>(c), load<f32>(d)));
  const other = max(max(load<f32>(a, MIRRORED), load<f32>(b, MIRRORED)), max(load<f32>(c, MIRRORED), load<f32>(d, MIRRORED)));
  if (own > MIN_WEIGHT || other > MIN_WEIGHT) return MIXED;
  if (contrast === 0) return SKIN_ONLY;
  const least = min(min(load<f32>(a, HAIRNESS), load<f32>(b, HAIRNESS)), min(load<f32>(c, HAIRNESS), load<f32>(d, HAIRNESS)));
  if (least >= FULL_HAIRNESS) return HAIR_ONLY;
  const most = max(max(load<f32>(a, HAIRNESS), load<f32>(b, HAIRNESS)), max(load<f32>(c, HAIRNESS), load<f32>(d, HAIRNESS)));
  return most > MIN_HAIRNESS ? MIXED : SKIN_ONLY;
}

/** Whether the photo's light stays as it is. */
function isEven(cell: usize): bool {
  return load<f32>(cell, GAIN) === 1 && load<f32>(cell, GAIN + 4) === 1 && load<f32>(cell, GAIN + 8) === 1;
}

/** The plan at the height of a row, shape (F+2,16): cell k - 1 at k, the first and the last twice. */
function interpolateLine(row0: i32, t: f32): void {
  const upper = channelsAt + <usize>row0 * LINE;
  const lower = row0 + 1 < FIELD_SIZE ? upper + LINE : upper;
  const share = f32x4.splat(t);
  for (let i: usize = 0; i < LINE; i += 16) {
    const a = v128.load(upper + i);
    v128.store(lineAt + i + CELL, f32x4.add(a, f32x4.mul(share, f32x4.sub(v128.load(lower + i), a))));
  }
  memory.copy(lineAt, lineAt + CELL, CELL);
  memory.copy(lineAt + CELL + LINE, lineAt + LINE, CELL);
}

function paintRow(row: i32, step: f64): void {
  const empty = emptyAt + <usize>(row * (FIELD_SIZE + 1));
  for (let k = 0; k <= FIELD_SIZE; k++) {
    if (load<u8>(empty + <usize>k) !== 0) continue;
    const from = load<i32>(runsAt + ((<usize>k) << 2));
    const end = load<i32>(runsAt + ((<usize>k) << 2), 4);
    if (from === end) continue;
    const kind = load<u8>(kindsAt + <usize>k);
    if (kind === PHOTO) paintPhoto(row, from, end);
    else {
      const a = lineAt + <usize>(k * CELL);
      // Share of the right cell at the first column, and its change from column to column.
      const t = <f32>((<f64>from + 0.5) * step + 0.5 - <f64>k);
      if (kind === SKIN_ONLY) paintSkin(row, from, end, a, t, <f32>step);
      else if (kind === HAIR_ONLY) paintHair(row, from, end, a, t, <f32>step);
      else paintMixed(row, from, end, a, t, <f32>step);
    }
  }
}

function lerp(a: v128, b: v128, t: f32): v128 {
  return f32x4.add(a, f32x4.mul(f32x4.splat(t), f32x4.sub(b, a)));
}

/** Stores the first three numbers as bytes, rounded (halves to even) and clamped. */
function storeColor(at: usize, color: v128): void {
  const whole = i32x4.trunc_sat_f32x4_s(f32x4.nearest(color));
  storeBytes(at, whole);
}

function storeBytes(at: usize, whole: v128): void {
  const narrow = i16x8.narrow_i32x4_s(whole, whole);
  const bytes = i32x4.extract_lane(i8x16.narrow_i16x8_u(narrow, narrow), 0);
  store<u16>(at, <u16>bytes);
  store<u8>(at, <u8>(bytes >> 16), 2);
}

/**
 * Bilinear colour of the photo at (sx, sy), both within it: four 32-bit numbers, 2^14 times the level. Weights have seven bits, so that products fit
 * in 16: the place is told to 1/128 of a pixel.
 */
function samplePhoto(sx: f64, sy: f64): v128 {
  const column = <i32>sx;
  const row = <i32>sy;
  const wx = <i32>((sx - <f64>column) * 128 + 0.5);
  const wy = <i32>((sy - <f64>row) * 128 + 0.5);
  const q = photoAt + <usize>(row * stride + 3 * column);
  const upper = v128.load64_zero(q);
  const lower = v128.load64_zero(q + <usize>downOf);
  // Left and right red, left and right green, left and right blue: 16-bit numbers.
  const zero = i8x16.splat(0);
  const a = v128.shuffle<u8>(upper, zero, 0, 16, 3, 17, 1, 18, 4, 19, 2, 20, 5, 21, 22, 23, 24, 25);
  const b = v128.shuffle<u8>(lower, zero, 0, 16, 3, 17, 1, 18, 4, 19, 2, 20, 5, 21, 22, 23, 24, 25);
  const mixed = i16x8.add(i16x8.mul(a, i16x8.splat(<i16>(128 - wy))), i16x8.mul(b, i16x8.splat(<i16>wy)));
  return i32x4.dot_i16x8_s(mixed, i32x4.splat((wx << 16) | (128 - wx)));
}

function clampTo(x: f64, high: f64): f64 {
  return x < 0 ? 0 : x > high ? high : x;
}

/** Photo and nothing else. */
function paintPhoto(row: i32, from: i32, end: i32): void {
  const y = <f64>row + 0.5;
  let known: i32 = NO_TRIANGLE;
  let xx: f64 = 0;
  let x0: f64 = 0;
  let yx: f64 = 0;
  let y0: f64 = 0;
  const half = i32x4.splat(1 << 13);
  for (let column = from; column < end; column++) {
    const p = <usize>(row * size + column);
    const t = <i32>load<u16>(triangleAt + (p << 1));
    // Beside the islands the texture keeps the colour that it was filled with.
    if (t === NO_TRIANGLE) continue;
    if (t !== known) {
      known = t;
      const m = ownAt + <usize>(48 * t);
      xx = load<f64>(m);
      x0 = load<f64>(m, 8) * y + load<f64>(m, 16);
      yx = load<f64>(m, 24);
      y0 = load<f64>(m, 32) * y + load<f64>(m, 40);
    }
    const x = <f64>column + 0.5;
    const color = samplePhoto(clampTo(xx * x + x0, maxX), clampTo(yx * x + y0, maxY));
    storeBytes(outAt + 3 * p, i32x4.shr_u(i32x4.add(color, half), 14));
    if (observedAt !== 0) store<u8>(observedAt + p, 255);
  }
}

/** Completed skin and nothing else; `t` is the share of the cell after the one at `a`, `dt` its change. */
function paintSkin(row: i32, from: i32, end: i32, a: usize, t: f32, dt: f32): void {
  const left = v128.load(a, SKIN);
  const right = v128.load(a, SKIN + CELL);
  const grainRow = grainAt + <usize>((row & (GRAIN_TILE - 1)) * GRAIN_TILE);
  let out = outAt + 3 * <usize>(row * size + from);
  for (let column = from; column < end; column++, t += dt, out += 3) {
    const grain: f32 = 1 + grainScale * <f32>load<i8>(grainRow + <usize>(column & (GRAIN_TILE - 1)));
    storeColor(out, f32x4.mul(lerp(left, right, t), f32x4.splat(grain)));
  }
}

/** Completed hair and nothing else. */
function paintHair(row: i32, from: i32, end: i32, a: usize, t: f32, dt: f32): void {
  const left = v128.load(a, HAIR);
  const right = v128.load(a, HAIR + CELL);
  let p = <usize>(row * size + from);
  for (let column = from; column < end; column++, t += dt, p++) {
    const shine: f32 = 1 + contrast * <f32>load<i8>(strandsAt + p);
    storeColor(outAt + 3 * p, f32x4.mul(lerp(left, right, t), f32x4.splat(shine)));
  }
}

/** Everything at once. */
function paintMixed(row: i32, from: i32, end: i32, a: usize, t: f32, dt: f32): void {
  const b = a + CELL;
  const grainRow = grainAt + <usize>((row & (GRAIN_TILE - 1)) * GRAIN_TILE);
  const hasHair = contrast !== 0 && (load<f32>(a, HAIRNESS) > MIN_HAIRNESS || load<f32>(b, HAIRNESS) > MIN_HAIRNESS);
  const hasOwn = load<f32>(a) >= MIN_WEIGHT || load<f32>(b) >= MIN_WEIGHT;
  const hasOther = load<f32>(a, MIRRORED) >= MIN_WEIGHT || load<f32>(b, MIRRORED) >= MIN_WEIGHT;
  const y = <f64>row + 0.5;
  const scale = f32x4.splat(1.0 / 16384);
  for (let column = from; column < end; column++, t += dt) {
    const p = <usize>(row * size + column);
    const triangle = <i32>load<u16>(triangleAt + (p << 1));
    if (triangle === NO_TRIANGLE) continue;
    const grain: f32 = 1 + grainScale * <f32>load<i8>(grainRow + <usize>(column & (GRAIN_TILE - 1)));
    let color = f32x4.mul(lerp(v128.load(a, SKIN), v128.load(b, SKIN), t), f32x4.splat(grain));
    if (hasHair) {
      const l = load<f32>(a, HAIRNESS);
      const hairness = l + t * (load<f32>(b, HAIRNESS) - l);
      const strand = <f32>load<i8>(strandsAt + p);
      // The hairline is where strands begin and end: noise moves it from strand to strand.
      const mix = max<f32>(0, min<f32>(1, 1.35 * hairness - 0.2 + 0.01 * strand * hairness * (1 - hairness)));
      const hair = lerp(v128.load(a, HAIR), v128.load(b, HAIR), t);
      color = f32x4.add(f32x4.mul(color, f32x4.splat(1 - mix)), f32x4.mul(hair, f32x4.splat(mix * (1 + contrast * strand))));
    }
    let own = load<f32>(a);
    own += t * (load<f32>(b) - own);
    let other = load<f32>(a, MIRRORED);
    other += t * (load<f32>(b, MIRRORED) - other);
    if (own < MIN_WEIGHT || !hasOwn) own = 0;
    if (other < MIN_WEIGHT || !hasOther) other = 0;
    if (observedAt !== 0) store<u8>(observedAt + p, <u8>(<f32>255 * own + 0.5));
    color = f32x4.mul(color, f32x4.splat(1 - own - other));
    const x = <f64>column + 0.5;
    if (own === 0 && other === 0) {
      storeColor(outAt + 3 * p, color);
      continue;
    }
    let photo = f32x4.splat(0);
    if (own !== 0) photo = f32x4.mul(lookUp(ownAt, triangle, x, y), f32x4.mul(scale, f32x4.splat(own)));
    if (other !== 0) {
      // The mirrored photo is changed by the difference of light between the sides.
      const offset = lerp(v128.load(a, OFFSET), v128.load(b, OFFSET), t);
      const seen = f32x4.add(f32x4.mul(lookUp(mirroredAt, triangle, x, y), scale), offset);
      photo = f32x4.add(photo, f32x4.mul(seen, f32x4.splat(other)));
    }
    const gain = lerp(v128.load(a, GAIN), v128.load(b, GAIN), t);
    storeColor(outAt + 3 * p, f32x4.add(color, f32x4.mul(photo, gain)));
  }
}

/** Colour of the photo where the table at `places` says that a texel lies, 2^14 times the level. */
function lookUp(places: usize, triangle: i32, x: f64, y: f64): v128 {
  const m = places + <usize>(48 * triangle);
  const sx = load<f64>(m) * x + load<f64>(m, 8) * y + load<f64>(m, 16);
  const sy = load<f64>(m, 24) * x + load<f64>(m, 32) * y + load<f64>(m, 40);
  return f32x4.convert_i32x4_s(samplePhoto(clampTo(sx, maxX), clampTo(sy, maxY)));
}
