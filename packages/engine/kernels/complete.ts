/**
 * Decides place by place what paints a surface. AssemblyScript; src/texture/observe-surface.ts and complete-surface.ts say how the parts play together and
 * hand in the arrays. All numbers in arrays are f32 unless said otherwise.
 */

/** Cosine to the camera at which a surface begins to count as seen, and from which it counts in full. */
const FACING_ZERO: f64 = 0.14;
const FACING_FULL: f64 = 0.5;
/** The surface may lie this far behind the nearest one and still be it, millimetres; half as much again is the soft edge. */
const DEPTH_BIAS_MM: f64 = 3;
/**
 * Nothing is taken nearer to the outline of the fitted head than the first, all from the second on, millimetres: fits miss the outline by some
 * millimetres, and what lies beyond it is the background.
 */
const OUTLINE_ZERO_MM: f64 = 1.5;
const OUTLINE_FULL_MM: f64 = 6;
/** Nothing of a lid's or lip's margin is taken nearer to the opening than this, millimetres: eyeball and teeth show through there. */
const RIM_ZERO_MM: f64 = 0.5;
const RIM_FULL_MM: f64 = 1.6;

/** Light differs between the halves of a face by no more than this (overexposed beside shaded skin), 8-bit levels. */
const MAX_OFFSET: f64 = 140;
/** The band along the outline of the head in which colours are looked at more closely, millimetres across the line of sight. */
const RIM_NEAR_MM: f64 = 5;
const RIM_FAR_MM: f64 = 14;
/** Distances from the skin's tone count this much more at the outline: twice the usual strictness. */
const RIM_STRICTNESS: f64 = 1;

/** Distances from the skin's tone, in standard deviations: below the first it is skin, above the second it is not (see head-colors.ts). */
const SKIN_SURE: f64 = 2.4;
const SKIN_NOT: f64 = 3.9;
/** Keeps the logarithm and the ratios calm near black, 8-bit levels (see skin-color.ts). */
const LUMA_OFFSET: f64 = 8;
/** Brightness below the reference counts this much less than above: skin in shade is skin. */
const SHADE_FACTOR: f64 = 0.72;

/** Numbers per cell of the plan, and where they are (PLAN in complete-surface.ts), in bytes. */
const CELL: usize = 64;
const MIRRORED: usize = 4;
const OFFSET: usize = 8;
const SKIN: usize = 20;
const HAIR: usize = 32;
const HAIRNESS: usize = 44;
const GAIN: usize = 48;

let count: i32 = 0;
let texelsAt: usize = 0;
let cornersAt: usize = 0;
let cornerWeightsAt: usize = 0;
let mirrorAt: usize = 0;
let outsideAt: usize = 0;
let hairlineAt: usize = 0;
let lidRimAt: usize = 0;
let lipRimAt: usize = 0;
let opennessAt: usize = 0;
let liningAt: usize = 0;
let seenAt: usize = 0;
let rgbAt: usize = 0;
let toneAt: usize = 0;
let beyondAt: usize = 0;
let outlineAt: usize = 0;

/** A surface: its places (u32, with corners u32 and weights) and attributes, and what the photo shows of it. */
export function setField(
  placeCount: i32,
  texels: usize,
  corners: usize,
  cornerWeights: usize,
  mirrorTexel: usize,
  outsideMm: usize,
  hairlineMm: usize,
  lidRimMm: usize,
  lipRimMm: usize,
  openness: usize,
  lining: usize,
  seen: usize,
  rgb: usize,
  tone: usize,
  beyondMm: usize,
  outlineMm: usize,
): void {
  count = placeCount;
  texelsAt = texels;
  cornersAt = corners;
  cornerWeightsAt = cornerWeights;
  mirrorAt = mirrorTexel;
  outsideAt = outsideMm;
  hairlineAt = hairlineMm;
  lidRimAt = lidRimMm;
  lipRimAt = lipRimMm;
  opennessAt = openness;
  liningAt = lining;
  seenAt = seen;
  rgbAt = rgb;
  toneAt = tone;
  beyondAt = beyondMm;
  outlineAt = outlineMm;
}

/** Entry `p` of an array of numbers. */
function num(at: usize, p: usize): f64 {
  return <f64>load<f32>(at + (p << 2));
}
function put(at: usize, p: usize, value: f64): void {
  store<f32>(at + (p << 2), <f32>value);
}
function place(i: i32): usize {
  return <usize>load<u32>(texelsAt + ((<usize>i) << 2));
}

function smoothstep(from: f64, to: f64, x: f64): f64 {
  // Both ends are constants: the factor is one too.
  const t = (x - from) * (1 / (to - from));
  return t <= 0 ? 0 : t >= 1 ? 1 : t * t * (3 - 2 * t);
}

/**
 * What the photo shows of the surface.
 *
 * @param frame - per vertex: image points (V,2), depth, facing, insidePx, beyondMm
 * @param grid - depth of the nearest surface and distance to the outline, shape (gridHeight, gridWidth)
 * @param numbers - f64: origin and scale of the grid (3), origin and scale of the level (4), one over the width of the photo's soft border
 */
export function observeTexels(
  imagePoints: usize,
  depth: usize,
  facing: usize,
  inside: usize,
  beyond: usize,
  gridDepth: usize,
  gridOutline: usize,
  gridWidth: i32,
  gridHeight: i32,
  level: usize,
  width: i32,
  height: i32,
  numbers: usize,
): void {
  const gridX = load<f64>(numbers);
  const gridY = load<f64>(numbers, 8);
  const gridScale = load<f64>(numbers, 16);
  const levelX = load<f64>(numbers, 24);
  const levelY = load<f64>(numbers, 32);
  const scaleX = load<f64>(numbers, 40);
  const scaleY = load<f64>(numbers, 48);
  const border = load<f64>(numbers, 56);
  const maxX = max<f64>(0, <f64>width - 1.001);
  const maxY = max<f64>(0, <f64>height - 1.001);
  const right: usize = width > 1 ? 3 : 0;
  const down: usize = height > 1 ? 3 * <usize>width : 0;
  for (let i = 0; i < count; i++) {
    const p = place(i);
    put(seenAt, p, 0);
    const corner = cornersAt + 12 * <usize>i;
    const a = <usize>load<u32>(corner);
    const b = <usize>load<u32>(corner, 4);
    const c = <usize>load<u32>(corner, 8);
    const wb = num(cornerWeightsAt, 2 * <usize>i);
    const wc = num(cornerWeightsAt, 2 * <usize>i + 1);
    const wa = 1 - wb - wc;
    const turned = smoothstep(FACING_ZERO, FACING_FULL, wa * num(facing, a) + wb * num(facing, b) + wc * num(facing, c));
    if (turned === 0) continue;
    const within = (wa * num(inside, a) + wb * num(inside, b) + wc * num(inside, c)) * border;
    if (!(within > 0)) continue;
    const ix = wa * num(imagePoints, 2 * a) + wb * num(imagePoints, 2 * b) + wc * num(imagePoints, 2 * c);
    const iy = wa * num(imagePoints, 2 * a + 1) + wb * num(imagePoints, 2 * b + 1) + wc * num(imagePoints, 2 * c + 1);
    const x = (ix - gridX) * gridScale;
    const y = (iy - gridY) * gridScale;
    const gx = <usize>max<f64>(0, min<f64>(<f64>(gridWidth - 1), floor(x)));
    const gy = <usize>max<f64>(0, min<f64>(<f64>(gridHeight - 1), floor(y)));
    const behind = wa * num(depth, a) + wb * num(depth, b) + wc * num(depth, c) - num(gridDepth, gy * <usize>gridWidth + gx);
    if (behind >= 1.5 * DEPTH_BIAS_MM) continue;
    const edge = sampleGrid(gridOutline, gridWidth, gridHeight, x, y);
    // Hair stands out from the skull: above the hairline the outline of the photo lies further out.
    const shown = max(smoothstep(OUTLINE_ZERO_MM, OUTLINE_FULL_MM, edge), smoothstep(-8, 4, num(hairlineAt, p)));
    if (shown === 0) continue;
    const margin = smoothstep(RIM_ZERO_MM, RIM_FULL_MM, min(num(lidRimAt, p), num(lipRimAt, p)));
    const before = 1 - smoothstep(DEPTH_BIAS_MM, 1.5 * DEPTH_BIAS_MM, behind);
    put(seenAt, p, turned * min<f64>(1, within) * margin * before * shown);
    put(outlineAt, p, edge);
    put(beyondAt, p, wa * num(beyond, a) + wb * num(beyond, b) + wc * num(beyond, c));

    // Bilinear, clamped at the border.
    const lx = max<f64>(0, min<f64>(maxX, (ix - levelX) * scaleX - 0.5));
    const ly = max<f64>(0, min<f64>(maxY, (iy - levelY) * scaleY - 0.5));
    const column = <i32>lx;
    const row = <i32>ly;
    const fx = lx - <f64>column;
    const fy = ly - <f64>row;
    const q = level + 3 * <usize>(row * width + column);
    const w11 = fx * fy;
    const w10 = fy - w11;
    const w01 = fx - w11;
    const w00 = 1 - w01 - fy;
    const r = mix(q, right, down, w00, w01, w10, w11);
    const g = mix(q + 1, right, down, w00, w01, w10, w11);
    const bl = mix(q + 2, right, down, w00, w01, w10, w11);
    put(rgbAt, 3 * p, r);
    put(rgbAt, 3 * p + 1, g);
    put(rgbAt, 3 * p + 2, bl);
    // Its tone: see computeTone.
    const luma = 0.299 * r + 0.587 * g + 0.114 * bl;
    const inverse = 1 / (luma + LUMA_OFFSET);
    put(toneAt, 3 * p, Math.log(luma + LUMA_OFFSET));
    put(toneAt, 3 * p + 1, (bl - luma) * inverse);
    put(toneAt, 3 * p + 2, (r - luma) * inverse);
  }
}

function mix(q: usize, right: usize, down: usize, w00: f64, w01: f64, w10: f64, w11: f64): f64 {
  return w00 * <f64>load<u8>(q) + w01 * <f64>load<u8>(q + right) + w10 * <f64>load<u8>(q + down) + w11 * <f64>load<u8>(q + right + down);
}

/** Bilinear value of a grid at (x, y), the centre of the first cell at 0.5; clamped at the border. */
function sampleGrid(values: usize, width: i32, height: i32, x: f64, y: f64): f64 {
  const sx = max<f64>(0, min<f64>(<f64>width - 1.001, x - 0.5));
  const sy = max<f64>(0, min<f64>(<f64>height - 1.001, y - 0.5));
  const column = <i32>sx;
  const row = <i32>sy;
  const fx = sx - <f64>column;
  const fy = sy - <f64>row;
  const q = <usize>(row * width + column);
  const r = q + <usize>width;
  const upper = num(values, q) + fx * (num(values, q + 1) - num(values, q));
  const lower = num(values, r) + fx * (num(values, r + 1) - num(values, r));
  return upper + fy * (lower - upper);
}

/** Colours of a person, f64: skin's tone (3), its spread (3), hair's tone (3), its spread (3), 1 if there is hair, exp of the skin's first tone. */
let colorsAt: usize = 0;
const SPREAD: i32 = 3;
const HAIR_TONE: i32 = 6;
const HAIR_SPREAD: i32 = 9;
const HAS_HAIR: i32 = 12;
const SKIN_LUMA: i32 = 13;

function color(i: i32): f64 {
  return load<f64>(colorsAt + ((<usize>i) << 3));
}

/** Distance of the tone at texel p from another one in standard deviations (see computeToneDistance). */
function toneDistance(p: usize, l0: f64, u0: f64, v0: f64, spread: i32): f64 {
  const l = (num(toneAt, 3 * p) - l0) / color(spread);
  const u = (num(toneAt, 3 * p + 1) - u0) / color(spread + 1);
  const v = (num(toneAt, 3 * p + 2) - v0) / color(spread + 2);
  const light = l < 0 ? SHADE_FACTOR * l : l;
  return sqrt(light * light + u * u + v * v);
}

/**
 * How far each place is something else than skin, how far it is foreign (background), and how far the photo may paint it.
 *
 * @param tones - tone that skin has, at `toneStep` times the texel (3 or 0)
 */
export function weighTexels(colors: usize, tones: usize, toneStep: i32, notSkin: usize, own: usize, foreign: usize): void {
  colorsAt = colors;
  const hasHair = color(HAS_HAIR) === 1;
  for (let i = 0; i < count; i++) {
    const p = place(i);
    put(notSkin, p, 0);
    const seen = num(seenAt, p);
    if (seen === 0) continue;
    // Near the outline of the head light grazes and the background is near: there skin must look more like the skin around.
    const rim = max(
      1 - smoothstep(RIM_NEAR_MM, RIM_FAR_MM, num(outlineAt, p)),
      smoothstep(-10, -2, num(beyondAt, p)) * (1 - smoothstep(0.5, 0.9, seen)),
    );
    const q = <usize>toneStep * p;
    const l0 = num(tones, q);
    const u0 = num(tones, q + 1);
    const v0 = num(tones, q + 2);
    const hairline = num(hairlineAt, p);
    const outside = num(outsideAt, p);
    let strictness: f64 = 0;
    if (rim > 0) {
      // Shade makes skin darker and redder; what is brighter, bluer or less red by 1.5 standard deviations is something else.
      const brighter = (num(toneAt, 3 * p) - l0) / color(SPREAD);
      const bluer = (num(toneAt, 3 * p + 1) - u0) / color(SPREAD + 1);
      const paler = (v0 - num(toneAt, 3 * p + 2)) / color(SPREAD + 2);
      strictness = rim * (1 - smoothstep(-20, -8, hairline)) * smoothstep(0, 1.5, max(max(brighter, bluer), paler));
    }
    const other = smoothstep(SKIN_SURE, SKIN_NOT, toneDistance(p, l0, u0, v0, SPREAD) * (1 + RIM_STRICTNESS * strictness));
    put(notSkin, p, other);
    // Inside the oval everything is face (brows, beard, glasses, a fringe), except at its lower edges, where the outline in the photo
    // says how near the background is; outside only skin is.
    let belongs: f64 = 1;
    if (other > 0) {
      const edge = max(smoothstep(-9, -3, num(beyondAt, p)), 1 - smoothstep(0.3, 0.65, seen));
      belongs = 1 - other * max(max(smoothstep(-9, -1, outside), edge * smoothstep(-40, -22, outside)), rim);
    }
    let reach = 1 - smoothstep(8, 24, outside);
    // Above the brows there is nothing but forehead, hair or hat before the scalp, as long as the surface is not seen edge-on.
    const onTop = smoothstep(-45, -25, hairline);
    if (onTop > 0) {
      let head = 1 - other;
      if (hasHair && other > 0) {
        // The more edge-on, the nearer the background: there it must look like the rest of the hair.
        const limit = 2.6 + 1.6 * smoothstep(0.3, 0.8, seen);
        const distance = toneDistance(p, color(HAIR_TONE), color(HAIR_TONE + 1), color(HAIR_TONE + 2), HAIR_SPREAD);
        const hairLike = 1 - smoothstep(limit, 1.5 * limit, distance);
        // On the temple a strand seen edge-on would be smeared over the cheek.
        head = max(max(hairLike * smoothstep(-28, -12, hairline), head), smoothstep(0.55, 0.9, seen));
      }
      belongs += onTop * (head - belongs);
      if (hasHair) reach += smoothstep(-10, 0, hairline) * (1 - smoothstep(70, 100, outside) - reach);
    }
    put(foreign, p, 1 - belongs);
    put(own, p, seen * reach * lipMargin(p));
  }
}

/** Weight of a place near the opening of the mouth, 0..1: teeth (paler than skin) and the dark between them do not belong on the lips. */
function lipMargin(p: usize): f64 {
  const rim = num(lipRimAt, p);
  if (rim > 11) return 1;
  const near = 1 - smoothstep(6, 11, rim);
  // Lips are redder than skin, teeth less red; the red excess of skin is about 0.2 and more, that of teeth near 0.05.
  const skinRed = color(2);
  const luma = 0.299 * num(rgbAt, 3 * p) + 0.587 * num(rgbAt, 3 * p + 1) + 0.114 * num(rgbAt, 3 * p + 2);
  const bright = smoothstep(0.55, 0.85, luma / color(SKIN_LUMA));
  const isTooth = (1 - smoothstep(0.45 * skinRed, 0.8 * skinRed, num(toneAt, 3 * p + 2))) * bright;
  const isGap = smoothstep(0.95, 1.4, color(0) - num(toneAt, 3 * p));
  return 1 - near * max(skinRed > 0.03 ? isTooth : 0, isGap);
}

/** Leaves `own` where nothing is foreign. */
export function leaveForeign(own: usize, foreign: usize): void {
  for (let i = 0; i < count; i++) {
    const p = place(i);
    put(own, p, num(own, p) * (1 - num(foreign, p)));
  }
}

/** Smooth shares, shape (cells), from weights: 0 below 0.1, 1 from 0.45 on. */
export function shareWeights(own: usize, out: usize, cells: i32): void {
  for (let p: usize = 0; p < <usize>cells; p++) {
    const w = num(own, p);
    put(out, p, w > 0 ? smoothstep(0.1, 0.45, w) : 0);
  }
}

/** Lets shares fade out toward the sides of the face, by their sums over squares of `side` texels; lids, lips and hair keep their edges. */
export function fadeShares(share: usize, sums: usize, side: i32): void {
  const inverse: f64 = 1 / <f64>(side * side);
  for (let i = 0; i < count; i++) {
    const p = place(i);
    const w = num(share, p);
    if (w === 0) continue;
    // A straight edge has the mean 0.5: nothing is left there, and all half a square further in.
    const faded = max<f64>(0, 2 * num(sums, p) * inverse - 1);
    if (faded >= w) continue;
    const hairline = num(hairlineAt, p);
    const side =
      smoothstep(-50, -35, num(outsideAt, p)) *
      (1 - smoothstep(-18, -5, hairline)) *
      smoothstep(8, 13, min(num(lidRimAt, p), num(lipRimAt, p)));
    // On the skull the photo's hair fades into strands.
    const zone = max(side, smoothstep(4, 14, hairline));
    put(share, p, w + zone * (faded - w));
  }
}

/**
 * Shares places between the photo and the mirrored photo, and takes the difference of light where both show skin.
 *
 * @returns sum of the mirrored photo's weights
 */
export function shareSides(channels: usize, notSkin: usize, own: usize, share: usize, weights: usize, delta: usize): f64 {
  let mirroredSum: f64 = 0;
  for (let i = 0; i < count; i++) {
    const p = place(i);
    const q = <usize>load<u32>(mirrorAt + (p << 2));
    const a = num(own, p);
    const b = q === p ? 0 : num(own, q);
    const cell = channels + p * CELL;
    store<f32>(cell, 0);
    store<f32>(cell, 0, MIRRORED);
    if (a === 0 && b === 0) continue;
    // A strand or shadow over the far side gives way to bare skin on the near side.
    const nearer = smoothstep(0.03, 0.2, num(seenAt, q) - num(seenAt, p)) * (1 - num(notSkin, q));
    // The tone of a place that was not seen is what the last photo left there.
    const darker = nearer === 0 || num(seenAt, p) === 0 ? 0 : smoothstep(0.35, 0.8, num(toneAt, 3 * q) - num(toneAt, 3 * p));
    const covered = 0.6 * nearer * max(num(notSkin, p), darker);
    const gain = b - a + covered;
    const w = num(share, p) * (1 - smoothstep(0.15, 0.6, gain));
    // Hair over one cheek is no mark of the other: on its outer part, below the brows and above the beard, only skin is mirrored.
    const hairline = num(hairlineAt, q);
    const isBeside = smoothstep(-58, -47, num(outsideAt, q)) * (1 - smoothstep(-58, -48, hairline)) * smoothstep(-94, -80, hairline);
    const like = 1 - isBeside * smoothstep(0.1, 0.5, num(notSkin, q));
    const mirrored = (1 - w) * num(share, q) * smoothstep(0.3, 0.75, b) * smoothstep(0.08, 0.3, gain) * like;
    store<f32>(cell, <f32>w);
    store<f32>(cell, <f32>mirrored, MIRRORED);
    mirroredSum += mirrored;
    // Only skin is compared with skin: a strand on one side is not a difference of light.
    const both = min<f64>(1, 4 * min(a, b)) * (1 - num(notSkin, p)) * (1 - num(notSkin, q)) * (1 - nearer * darker);
    put(weights, p, both);
    if (both > 0) {
      for (let k: usize = 0; k < 3; k++) {
        const difference = num(rgbAt, 3 * p + k) - num(rgbAt, 3 * q + k);
        put(delta, 3 * p + k, max(-MAX_OFFSET, min(MAX_OFFSET, difference)));
      }
    }
  }
  return mirroredSum;
}

/** Whether there is usually hair: 0 below the hairline, 1 above, thinning out over a finger's width. */
function usualHair(hairlineMm: f64): f64 {
  return smoothstep(-8, 15, hairlineMm);
}

/**
 * Colours that are known, and how far each may spread as skin and as hair; hands the offsets of the mirrored photo to the plan, and the factors that take
 * the light out (see setLight). Skin is in even light, hair as it is.
 */
export function gatherKnown(
  channels: usize,
  skin: usize,
  hair: usize,
  hairness: usize,
  notSkin: usize,
  delta: usize,
  weights: usize,
  hairWeight: usize,
  hairnessWeight: usize,
): void {
  for (let i = 0; i < count; i++) {
    const p = place(i);
    const cell = channels + p * CELL;
    memory.copy(cell + OFFSET, delta + 12 * p, 12);
    put(hairWeight, p, 0);
    const w1 = <f64>load<f32>(cell);
    const w2 = <f64>load<f32>(cell, MIRRORED);
    const w = w1 + w2;
    if (w < 0.02) {
      if (w === 0 && num(seenAt, p) === 0) {
        v128.store(cell, f32x4.splat(1), GAIN);
        put(lightAt, p, 0);
      } else applyLight(i, p, cell, skin, num(notSkin, p), 0);
      continue;
    }
    const q = <usize>load<u32>(mirrorAt + (p << 2));
    const hairline = num(hairlineAt, p);
    const other = (w1 * num(notSkin, p) + w2 * num(notSkin, q)) / w;
    for (let k: usize = 0; k < 3; k++) {
      const here = num(rgbAt, 3 * p + k);
      const c = w2 > 0 ? (w1 * here + w2 * (num(rgbAt, 3 * q + k) + num(delta, 3 * p + k))) / w : here;
      put(skin, 3 * p + k, c);
      put(hair, 3 * p + k, c);
    }
    // Beside the oval only skin may spread outward; inside it whatever is there (lips into lips, lids into lids). What is half
    // rejected may be mixed with the background and spreads nowhere.
    const known =
      smoothstep(0.25, 0.85, w) * (1 - other * smoothstep(-28, -12, num(outsideAt, p))) * (1 - other * smoothstep(-45, -30, hairline));
    put(weights, p, known);
    applyLight(i, p, cell, skin, other, known);
    // Only what is hair for sure gives hair its colour: at its edge it is mixed with skin.
    put(hairWeight, p, w * smoothstep(0.7, 1, other) * smoothstep(-25, 4, hairline));
    put(hairness, p, other - usualHair(hairline));
    put(hairnessWeight, p, 0.9 * w * smoothstep(-30, -16, hairline));
  }
}

/** What the smooth light leaves over is evened by no more than this factor: more is a beard, or a shadow with an edge. */
const MAX_GAIN: f64 = 1.25;
/** How far the light is evened in the middle of the face. */
const CENTER_SHARE: f64 = 0.3;

/**
 * How far what is left of the light is evened at a place: toward the sides, not where hair begins nor around lids and lips, whose shadows and colours
 * are their own. All of that changes slowly, and depends on the place and on nothing that the photo shows: else brows and stubble would have seams.
 */
function evenness(p: usize): f64 {
  const awayMm = min(num(lidRimAt, p), num(lipRimAt, p));
  return smoothstep(-60, -26, num(outsideAt, p)) * (1 - smoothstep(-42, -8, num(hairlineAt, p))) * smoothstep(8, 32, awayMm);
}

/** Lips and lids have colours of their own: 0 on them, 1 from a centimetre on. */
function awayFromRims(p: usize): f64 {
  return smoothstep(8, 13.5, min(num(lidRimAt, p), num(lipRimAt, p)));
}

/** Four numbers at `at`. */
function four(at: usize): v128 {
  return v128.load(at);
}
/** Multiplies the three numbers at `at`; the fourth stays. */
function scaleThree(at: usize, factor: v128): void {
  const scaled = f32x4.mul(v128.load(at), factor);
  v128.store64_lane(at, scaled, 0);
  v128.store32_lane(at + 8, scaled, 2);
}

/** Light is evened while the known colours are gathered: factors (V,3) and one more number, weights of what tells the light that is left (written). */
let gainsAt: usize = 0;
let lightAt: usize = 0;

export function setLight(gains: usize, light: usize): void {
  gainsAt = gains;
  lightAt = light;
}

/**
 * Writes the factor that takes the light out of place `p` (number `i`), in part in the middle of the face, in full at its sides; not where hair begins.
 * The same for whatever the photo shows there: brows and beards are in the light of the skin around them. Applies it to the colour that is known.
 *
 * @param other - how far what is shown is something else than skin
 * @param known - weight of the colour
 */
function applyLight(i: i32, p: usize, cell: usize, skin: usize, other: f64, known: f64): void {
  const one = f32x4.splat(1);
  put(lightAt, p, known === 0 ? 0 : known * (1 - smoothstep(0, 0.4, other)) * awayFromRims(p));
  const share =
    (1 - smoothstep(-42, -8, num(hairlineAt, p))) * (CENTER_SHARE + (1 - CENTER_SHARE) * smoothstep(-52, -20, num(outsideAt, p)));
  const corner = cornersAt + 12 * <usize>i;
  const wb = load<f32>(cornerWeightsAt + ((<usize>i) << 3));
  const wc = load<f32>(cornerWeightsAt + ((<usize>i) << 3), 4);
  const mean = f32x4.add(
    f32x4.mul(f32x4.splat(1 - wb - wc), four(gainsAt + 12 * <usize>load<u32>(corner))),
    f32x4.add(
      f32x4.mul(f32x4.splat(wb), four(gainsAt + 12 * <usize>load<u32>(corner, 4))),
      f32x4.mul(f32x4.splat(wc), four(gainsAt + 12 * <usize>load<u32>(corner, 8))),
    ),
  );
  const gain = f32x4.add(one, f32x4.mul(f32x4.splat(<f32>share), f32x4.sub(mean, one)));
  v128.store(cell, gain, GAIN);
  scaleThree(skin + 12 * p, gain);
}

/**
 * Evens the slow changes of light that are left along the outline of the face: changes the factor of the photo's light, and the colours that are known.
 *
 * @param means - shape (side,side,3) and one more number: slow part of the colours
 * @param target - f32 (4): colour that skin has in even light
 */
export function evenLight(channels: usize, skin: usize, means: usize, side: i32, target: usize): void {
  const scale: f32 = <f32>side / 256;
  const last: f32 = <f32>side - 1.001;
  const one = f32x4.splat(1);
  const least = f32x4.splat(<f32>(1 / MAX_GAIN));
  const most = f32x4.splat(<f32>MAX_GAIN);
  const wanted = v128.load(target);
  const below = 12 * <usize>side;
  for (let i = 0; i < count; i++) {
    const p = place(i);
    const cell = channels + p * CELL;
    if (num(seenAt, p) === 0 && load<f32>(cell, MIRRORED) === 0) continue;
    const share = evenness(p);
    if (share === 0) continue;
    const x = max<f32>(0, min<f32>(last, (<f32>(p & 255) + 0.5) * scale - 0.5));
    const y = max<f32>(0, min<f32>(last, (<f32>(p >> 8) + 0.5) * scale - 0.5));
    const column = <i32>x;
    const row = <i32>y;
    const fx = f32x4.splat(x - <f32>column);
    const q = means + 12 * <usize>(row * side + column);
    const upper = f32x4.add(four(q), f32x4.mul(fx, f32x4.sub(four(q + 12), four(q))));
    const lower = f32x4.add(four(q + below), f32x4.mul(fx, f32x4.sub(four(q + below + 12), four(q + below))));
    const mean = f32x4.add(upper, f32x4.mul(f32x4.splat(y - <f32>row), f32x4.sub(lower, upper)));
    const ratio = f32x4.min(most, f32x4.max(least, f32x4.div(wanted, f32x4.max(one, mean))));
    const gain = f32x4.add(one, f32x4.mul(f32x4.splat(<f32>share), f32x4.sub(ratio, one)));
    v128.store(cell, f32x4.mul(v128.load(cell, GAIN), gain), GAIN);
    scaleThree(skin + 12 * p, gain);
  }
}

/**
 * Writes completed skin and hair to the plan, darker where the surface is sheltered.
 *
 * @param flesh - colour of the lining, f64 (3)
 * @param reddening - of sheltered skin
 */
export function composePlan(
  channels: usize,
  skin: usize,
  hair: usize,
  hairness: usize,
  flesh: usize,
  reddening: f64,
  hasHair: bool,
  cells: i32,
): void {
  for (let p: usize = 0; p < <usize>cells; p += 8) {
    if (load<u64>(liningAt + p) === 0) continue;
    for (let j: usize = 0; j < 8; j++) {
      if (load<u8>(liningAt + p + j) === 0) continue;
      const at = channels + (p + j) * CELL + SKIN;
      for (let k: usize = 0; k < 3; k++) store<f32>(at + (k << 2), <f32>load<f64>(flesh + (k << 3)));
    }
  }
  for (let i = 0; i < count; i++) {
    const p = place(i);
    const cell = channels + p * CELL;
    // Folds and undersides that no photo shows are darker and a little redder than open skin.
    const closed = 1 - num(opennessAt, p);
    const shade = 1 - 0.42 * closed;
    put(cell + SKIN, 0, num(skin, 3 * p) * (shade + reddening * closed));
    put(cell + SKIN, 1, num(skin, 3 * p + 1) * shade);
    put(cell + SKIN, 2, num(skin, 3 * p + 2) * shade);
    if (!hasHair) {
      store<f32>(cell, 0, HAIRNESS);
      continue;
    }
    const dim = 1 - 0.35 * closed;
    for (let k: usize = 0; k < 3; k++) put(cell + HAIR, k, num(hair, 3 * p + k) * dim);
    // Hair that hangs over a cheek in the photo does not grow there: below the hairline nothing is completed as hair.
    const h = usualHair(num(hairlineAt, p)) + num(hairness, p);
    store<f32>(cell, <f32>(max<f64>(0, min<f64>(1, h)) * smoothstep(-14, -2, num(hairlineAt, p))), HAIRNESS);
  }
}
