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
const LIT: u8 = 4;

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
    setLine(row0, <f32>(fy - <f64>row0));
    paintRow(row, step);
  }
}

/** What may hold for a cell of the plan; what holds for the four around a run holds in all of it. */
const IS_PHOTO: i32 = 1;
const IS_EVEN: i32 = 2;
const IS_FILL: i32 = 4;
const IS_HAIR: i32 = 8;
const IS_BARE: i32 = 16;

let flagsAt: usize = 0;

/**
 * Describes every cell of the plan. Called when the plan and the tables are as they are painted.
 *
 * @param flags - shape (F,F), u8, written
 */
export function prepareRows(flags: usize): void {
  flagsAt = flags;
  const hasHair = contrast !== 0;
  for (let p: usize = 0, at = channelsAt; p < <usize>(FIELD_SIZE * FIELD_SIZE); p++, at += CELL) {
    const own = load<f32>(at);
    let flag = 0;
    if (own > 1 - MIN_WEIGHT) {
      const isEven = load<f32>(at, GAIN) === 1 && load<f32>(at, GAIN + 4) === 1 && load<f32>(at, GAIN + 8) === 1;
      flag = isEven ? IS_PHOTO | IS_EVEN : IS_PHOTO;
    } else if (own <= MIN_WEIGHT && load<f32>(at, MIRRORED) <= MIN_WEIGHT) {
      flag = IS_FILL;
      const hairness = load<f32>(at, HAIRNESS);
      if (!hasHair || hairness <= MIN_HAIRNESS) flag |= IS_BARE;
      else if (hairness >= FULL_HAIRNESS) flag |= IS_HAIR;
    }
    store<u8>(flags + p, <u8>flag);
  }
}

/** Kind of every run between the field rows `row0` and the next: it holds for all rows of texels between them. */
function classifyRuns(row0: i32): void {
  const upper = flagsAt + <usize>(row0 * FIELD_SIZE);
  const lower = row0 + 1 < FIELD_SIZE ? upper + FIELD_SIZE : upper;
  let left = <i32>(load<u8>(upper) & load<u8>(lower));
  for (let k = 0; k <= FIELD_SIZE; k++) {
    const cell = <usize>min(k, FIELD_SIZE - 1);
    const right = <i32>(load<u8>(upper + cell) & load<u8>(lower + cell));
    const all = left & right;
    let kind = MIXED;
    if (all & IS_PHOTO) kind = all & IS_EVEN ? PHOTO : LIT;
    else if (all & IS_FILL) kind = all & IS_BARE ? SKIN_ONLY : all & IS_HAIR ? HAIR_ONLY : MIXED;
    store<u8>(kindsAt + <usize>k, kind);
    left = right;
  }
}

/** The plan's rows above and below the row of texels that is painted, and how near that is to the lower one, 0..1. */
let upperAt: usize = 0;
let lowerAt: usize = 0;
let rowShare: f32 = 0;

function setLine(row0: i32, t: f32): void {
  upperAt = channelsAt + <usize>row0 * LINE;
  lowerAt = row0 + 1 < FIELD_SIZE ? upperAt + LINE : upperAt;
  rowShare = t;
}

/** Four numbers of a cell of the plan at the height of the row, from byte `channel` on. */
function atRow(cell: i32, channel: i32): v128 {
  const at = <usize>(cell * CELL + channel);
  const a = v128.load(upperAt + at);
  return f32x4.add(a, f32x4.mul(f32x4.splat(rowShare), f32x4.sub(v128.load(lowerAt + at), a)));
}

/** Writes all numbers of the cell to the left of run `k` (shape (F+2,16)): cell k - 1 at k, the first and the last twice. */
function writeLine(k: i32): void {
  const cell = max(0, min(FIELD_SIZE - 1, k - 1));
  const to = lineAt + <usize>(k * CELL);
  for (let i = 0; i < CELL; i += 16) v128.store(to + <usize>i, atRow(cell, i));
}

function paintRow(row: i32, step: f64): void {
  const empty = emptyAt + <usize>(row * (FIELD_SIZE + 1));
  let written = -1;
  let k = 0;
  while (k <= FIELD_SIZE) {
    if (load<u8>(empty + <usize>k) !== 0) {
      // Beside the islands there is much of nothing.
      while (k + 4 <= FIELD_SIZE && load<u32>(empty + <usize>k) === 0x01010101) k += 4;
      if (load<u8>(empty + <usize>k) !== 0) k++;
      continue;
    }
    const from = load<i32>(runsAt + ((<usize>k) << 2));
    const end = load<i32>(runsAt + ((<usize>k) << 2), 4);
    if (from === end) {
      k++;
      continue;
    }
    const kind = load<u8>(kindsAt + <usize>k);
    if (kind === MIXED) {
      if (written < k) writeLine(k);
      writeLine(k + 1);
      written = k + 1;
      // Share of the right cell at the first column, and its change from column to column.
      const t = <f32>((<f64>from + 0.5) * step + 0.5 - <f64>k);
      paintMixed(row, from, end, lineAt + <usize>(k * CELL), t, <f32>step);
      k++;
      continue;
    }
    // Neighbours of one kind are painted together.
    let next = k + 1;
    while (next <= FIELD_SIZE && load<u8>(kindsAt + <usize>next) === kind && load<u8>(empty + <usize>next) === 0) next++;
    if (kind === PHOTO) paintPhoto(row, from, load<i32>(runsAt + ((<usize>next) << 2)));
    else if (kind === LIT) paintLit(row, k, next, step);
    else paintFill(row, k, next, step, kind === HAIR_ONLY);
    k = next;
  }
}

function lerp(a: v128, b: v128, t: f32): v128 {
  return f32x4.add(a, f32x4.mul(f32x4.splat(t), f32x4.sub(b, a)));
}

/** One and a half times 2^23: the sum of it and a number below 2^22 has that number, rounded (halves to even), in its lowest bits. */
const ROUNDER: f32 = 12582912;
const ROUNDER_BITS: i32 = 0x4b400000;

/** Rounds to whole numbers. */
function round(color: v128): v128 {
  return i32x4.sub(f32x4.add(color, f32x4.splat(ROUNDER)), i32x4.splat(ROUNDER_BITS));
}

/** Stores the first three numbers as bytes, rounded and clamped. */
function storeColor(at: usize, color: v128): void {
  storeBytes(at, round(color));
}

/** Stores the first three numbers of each of four neighbouring texels. */
function storeFour(at: usize, a: v128, b: v128, c: v128, d: v128): void {
  const bytes = i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(round(a), round(b)), i16x8.narrow_i32x4_s(round(c), round(d)));
  const packed = v128.shuffle<u8>(bytes, bytes, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 15, 15, 15, 15);
  v128.store64_lane(at, packed, 0);
  v128.store32_lane(at + 8, packed, 2);
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

/** The photo in other light and nothing else: runs `first` to before `end`. */
function paintLit(row: i32, first: i32, end: i32, step: f64): void {
  const y = <f64>row + 0.5;
  let known: i32 = NO_TRIANGLE;
  let xx: f64 = 0;
  let x0: f64 = 0;
  let yx: f64 = 0;
  let y0: f64 = 0;
  const scale = f32x4.splat(1.0 / 16384);
  let right = f32x4.mul(atRow(max(first - 1, 0), GAIN), scale);
  let column = load<i32>(runsAt + ((<usize>first) << 2));
  let p = <usize>(row * size + column);
  for (let k = first; k < end; k++) {
    const left = right;
    right = f32x4.mul(atRow(min(k, FIELD_SIZE - 1), GAIN), scale);
    const difference = f32x4.sub(right, left);
    const change = f32x4.mul(difference, f32x4.splat(<f32>step));
    const share = <f32>((<f64>column + 0.5) * step + 0.5 - <f64>k);
    let gain = f32x4.add(left, f32x4.mul(difference, f32x4.splat(share)));
    const last = load<i32>(runsAt + ((<usize>k) << 2), 4);
    for (; column < last; column++, p++, gain = f32x4.add(gain, change)) {
      const triangle = <i32>load<u16>(triangleAt + (p << 1));
      if (triangle === NO_TRIANGLE) continue;
      if (triangle !== known) {
        known = triangle;
        const m = ownAt + <usize>(48 * triangle);
        xx = load<f64>(m);
        x0 = load<f64>(m, 8) * y + load<f64>(m, 16);
        yx = load<f64>(m, 24);
        y0 = load<f64>(m, 32) * y + load<f64>(m, 40);
      }
      const x = <f64>column + 0.5;
      const color = samplePhoto(clampTo(xx * x + x0, maxX), clampTo(yx * x + y0, maxY));
      storeColor(outAt + 3 * p, f32x4.mul(f32x4.convert_i32x4_s(color), gain));
      if (observedAt !== 0) store<u8>(observedAt + p, 255);
    }
  }
}

/** Completed skin or completed hair and nothing else: runs `first` to before `end`. */
function paintFill(row: i32, first: i32, end: i32, step: f64, isHair: bool): void {
  const channel = isHair ? HAIR : SKIN;
  const contrastOf = f32x4.splat(isHair ? contrast : grainScale);
  const one = f32x4.splat(1);
  const grainRow = grainAt + <usize>((row & (GRAIN_TILE - 1)) * GRAIN_TILE);
  let right = atRow(max(first - 1, 0), channel);
  let column = load<i32>(runsAt + ((<usize>first) << 2));
  for (let k = first; k < end; k++) {
    const left = right;
    right = atRow(min(k, FIELD_SIZE - 1), channel);
    const difference = f32x4.sub(right, left);
    const change = f32x4.mul(difference, f32x4.splat(<f32>step));
    const share = <f32>((<f64>column + 0.5) * step + 0.5 - <f64>k);
    let color = f32x4.add(left, f32x4.mul(difference, f32x4.splat(share)));
    const last = load<i32>(runsAt + ((<usize>k) << 2), 4);
    while (column < last) {
      const p = <usize>(row * size + column);
      const out = outAt + 3 * p;
      // The grain's tile ends at a column that four texels do not go beyond unless they begin within its last three.
      const inTile = column & (GRAIN_TILE - 1);
      if (column + 4 <= last && (isHair || inTile <= GRAIN_TILE - 4)) {
        const noise = v128.load32_zero(isHair ? strandsAt + p : grainRow + <usize>inTile);
        const wide = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(noise)));
        const shine = f32x4.add(one, f32x4.mul(contrastOf, wide));
        const b = f32x4.add(color, change);
        const c = f32x4.add(b, change);
        const d = f32x4.add(c, change);
        storeFour(
          out,
          f32x4.mul(color, v128.shuffle<f32>(shine, shine, 0, 0, 0, 0)),
          f32x4.mul(b, v128.shuffle<f32>(shine, shine, 1, 1, 1, 1)),
          f32x4.mul(c, v128.shuffle<f32>(shine, shine, 2, 2, 2, 2)),
          f32x4.mul(d, v128.shuffle<f32>(shine, shine, 3, 3, 3, 3)),
        );
        color = f32x4.add(d, change);
        column += 4;
        continue;
      }
      const noise = <f32>load<i8>(isHair ? strandsAt + p : grainRow + <usize>inTile);
      storeColor(out, f32x4.mul(color, f32x4.add(one, f32x4.mul(contrastOf, f32x4.splat(noise)))));
      color = f32x4.add(color, change);
      column++;
    }
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

/**
 * Colours an eyeball, shape (count,3).
 *
 * @param shade - u8, as are `redness`, `iris` and `fibre` (see createEyeTemplate)
 * @param colors - f32: the sclera's (4), the iris' (4), how much a level of redness reddens
 */
export function paintEyeball(shade: usize, redness: usize, iris: usize, fibre: usize, count: i32, colors: usize, out: usize): void {
  const sclera = f32x4.mul(v128.load(colors), f32x4.splat(1.0 / 255));
  const lit = v128.load(colors, 16);
  const redScale = load<f32>(colors, 32);
  const one = f32x4.splat(1);
  // Veins take green and blue away.
  const taken = f32x4(0.1, 0.55, 0.55, 0);
  const floor = f32x4(6, 5, 5, 0);
  for (let i = 0; i < count; i++) {
    const p = <usize>i;
    const red = redScale * <f32>load<u8>(redness + p);
    let color = f32x4.mul(f32x4.mul(sclera, f32x4.splat(<f32>load<u8>(shade + p))), f32x4.sub(one, f32x4.mul(taken, f32x4.splat(red))));
    const w = load<u8>(iris + p);
    if (w !== 0) {
      const f: f32 = <f32>load<u8>(fibre + p) * (1.0 / 128);
      // Bright fibres are paler than dark ones.
      const pale = f32x4.add(floor, f32x4.splat(max<f32>(0, 14 * (f - 1))));
      const wanted = f32x4.add(f32x4.mul(lit, f32x4.splat(f)), pale);
      color = f32x4.add(color, f32x4.mul(f32x4.splat(<f32>w * (1.0 / 255)), f32x4.sub(wanted, color)));
    }
    storeColor(out + 3 * p, color);
  }
}
