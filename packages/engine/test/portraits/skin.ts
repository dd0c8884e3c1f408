import type { Anatomy } from './anatomy.ts';
import { hairDistance } from './hairline.ts';
import { fractalNoise3, hash, noise3, smoothstep } from './noise.ts';
import type { PersonLook } from './person.ts';

/** What the light meets at a point of the skin. */
export interface SkinSample {
  r: number;
  g: number;
  b: number;
  /** 0 dry .. 1 wet */
  gloss: number;
  /** What the fine relief adds to the unit normal. */
  bumpX: number;
  bumpY: number;
  bumpZ: number;
  /** 0..1: red of the lips. */
  lip: number;
}

/** Linear RGB of even skin from very fair to very dark, at equal steps of `melanin` (measured skin falls along such a line). */
const TONES = [
  [0.74, 0.49, 0.39],
  [0.62, 0.375, 0.275],
  [0.46, 0.25, 0.165],
  [0.27, 0.135, 0.082],
  [0.125, 0.062, 0.04],
  [0.06, 0.033, 0.024],
] as const;

/** Square picture of the signed distance to the outline of the lips, mm (negative inside), as fine as {@link LIP_STEP_MM}. */
const LIP_STEP_MM = 0.8;

/** A function that tells the colour and relief of the skin at a point of the mean head (rest frame, mm). */
export function createSkin(look: PersonLook, anatomy: Anatomy): (x: number, y: number, z: number, out: SkinSample) => void {
  const tone = mixTones(look.melanin);
  const lips = createLipDistance(anatomy.lipOutline);
  const [noseX, noseY, noseZ] = anatomy.noseTip;
  const { eyeX } = anatomy;
  const lightness = 1 - look.melanin;
  const mottle = 0.6 + 0.7 * look.age;

  return (x, y, z, out) => {
    let r: number = tone[0];
    let g: number = tone[1];
    let b: number = tone[2];
    const ax = Math.abs(x);
    const front = smoothstep(-25, 5, z);

    // Blood: cheeks, nose, ears, chin, knuckles of the brow; patchy.
    const patch = fractalNoise3(x * 0.06, y * 0.06, z * 0.06, 3, 11);
    const fine = noise3(x * 0.32, y * 0.32, z * 0.32, 23);
    const cheek = gauss(ax - 41, y + 36, z - 18, 17) * 0.95 + gauss(ax - 50, y + 48, z - 8, 20) * 0.35;
    const nose = gauss(x - noseX, y - noseY + 3, z - noseZ, 12) * 0.9 + gauss(ax - 14, y + 42, z - 33, 8) * 0.7;
    const ear = smoothstep(74, 84, ax) * smoothstep(20, 0, y) * 0.9;
    const chin = gauss(x, y + 98, z - 34, 14) * 0.35;
    const lid = gauss(ax - eyeX, (y - 5) * 1.6, z - 14, 14);
    const inner = gauss(ax - 15, y + 1, z - 15, 6) * 0.8;
    const throat = smoothstep(-100, -135, y) * 0.12;
    let blood = 0.12 * look.redness * (1 + 2.2 * patch * mottle + 0.8 * fine * mottle);
    blood +=
      look.redness * (cheek * 0.5 + nose * 0.5 + ear * 0.75 + chin * 0.5 + inner * 0.5 + throat) * (0.85 + 0.5 * patch + 0.25 * fine);
    blood += lid * 0.18;
    // Blood shows less through dark skin.
    blood *= 0.35 + 0.65 * lightness;

    // Pigment: broad unevenness, the ring around the eyes, the beard's shadow, freckles.
    let pigment = 0.1 * patch * mottle + 0.05 * fine * mottle;
    pigment += lid * (0.12 + 0.1 * look.age) + gauss(ax - eyeX, (y + 11) * 1.3, z - 14, 13) * (0.09 + 0.2 * look.age);
    pigment -= gauss(x, y - 48, z - 22, 32) * 0.08;
    if (look.freckles > 0 && front > 0) pigment += freckle(x, y) * look.freckles * freckleArea(ax, y) * front;

    const beard = look.stubble * beardArea(ax, y, z);
    if (beard > 0) {
      // Hair roots under the skin: bluish grey dots.
      const dots = Math.max(0, noise3(x * 1.35, y * 1.35, z * 1.35, 41)) * 0.75 + 0.25 + 0.3 * noise3(x * 0.5, y * 0.5, z * 0.5, 43);
      const k = beard * dots * 0.55;
      r *= 1 - 0.72 * k;
      g *= 1 - 0.62 * k;
      b *= 1 - 0.5 * k;
    }
    r *= Math.exp(-0.1 * blood - 0.55 * pigment);
    g *= Math.exp(-0.62 * blood - 0.85 * pigment);
    b *= Math.exp(-0.55 * blood - 1.15 * pigment);

    // Under the brows and the hair the skin is darker: hairs too fine to be drawn, and their shadows.
    if (look.hairTopMm > 0 && (y > 20 || z < -30)) {
      const under = 0.75 * smoothstep(-3, 12, hairDistance(x, y, z));
      r += (look.hairColor[0] * 0.7 - r) * under;
      g += (look.hairColor[1] * 0.7 - g) * under;
      b += (look.hairColor[2] * 0.7 - b) * under;
    }
    // Pores and fine grain: larger on the nose and cheeks.
    const coarse = nose + cheek * 0.7 + 0.25;
    const pore = noise3(x * 1.7, y * 1.7, z * 1.7, 57);
    const grain = noise3(x * 3.4, y * 3.4, z * 3.4, 59);
    const pit = Math.max(0, pore - 0.25) * coarse * (0.5 + look.age * 0.5);
    const tint = 1 - 0.16 * pit + 0.018 * grain + 0.012 * fine;
    r *= tint;
    g *= tint;
    b *= tint;
    const relief = (0.06 + 0.11 * coarse) * (0.7 + 0.5 * look.age);
    let bumpX = relief * (0.7 * pore + 0.5 * grain);
    let bumpY = relief * (0.7 * noise3(x * 1.7, y * 1.7, z * 1.7, 63) + 0.5 * noise3(x * 3.4, y * 3.4, z * 3.4, 65));
    const bumpZ = relief * 0.5 * noise3(x * 2.3, y * 2.3, z * 2.3, 67);
    let gloss = 0.32 + 0.28 * (nose * 0.8 + gauss(x, y - 35, z - 28, 22) * 0.8) + 0.08 * fine - 0.12 * smoothstep(50, 75, ax);

    // Lips: own colour, soft edge, fine vertical creases, darker where they meet.
    let lip = 0;
    if (front > 0 && y < -50 && y > -92 && ax < 36) {
      const wobble = 0.35 * noise3(x * 0.55, y * 0.55, 0, 71) + 0.2 * noise3(x * 1.6, y * 1.6, 0, 73);
      const d = lips(x, y) + wobble;
      lip = smoothstep(0.75, -0.95, d) * front;
      if (lip > 0) {
        const crease = noise3(x * 1.25 + 0.35 * noise3(x * 0.2, y * 0.4, 0, 75), y * 0.16, 3, 77);
        const depth = smoothstep(0, -5, d);
        const k = lip * (0.35 + 0.65 * look.lips);
        const strength = k * (0.8 + 0.3 * depth + 0.1 * crease);
        const dark = y > -70.3 ? 0.14 : 0;
        r *= Math.exp(-(0.16 + dark) * strength);
        g *= Math.exp(-(0.66 + dark) * strength);
        b *= Math.exp(-(0.5 + dark) * strength);
        bumpX += lip * (0.2 * crease + 0.1 * noise3(x * 2.6, y * 0.5, 5, 79));
        bumpY += lip * 0.05 * crease;
        gloss += lip * 0.22;
      }
    }
    out.r = r;
    out.g = g;
    out.b = b;
    out.gloss = gloss;
    out.bumpX = bumpX;
    out.bumpY = bumpY;
    out.bumpZ = bumpZ;
    out.lip = lip;
  };
}

/** Where a beard grows: 0..1. */
export function beardArea(ax: number, y: number, z: number): number {
  if (z < -60) return 0;
  const jaw = smoothstep(-38, -62, y + 0.25 * Math.max(0, 40 - ax)) * smoothstep(-140, -112, y);
  // Clear around the cheeks' roundness; the moustache reaches up to the nose.
  const moustache = smoothstep(30, 20, ax) * smoothstep(-53, -57, y) * smoothstep(-70, -62, y);
  const cheek = smoothstep(34, 52, ax + Math.max(0, -70 - y) * 1.2);
  return Math.max(moustache, jaw * Math.max(cheek, smoothstep(-76, -88, y)));
}

function mixTones(melanin: number): [number, number, number] {
  const at = Math.max(0, Math.min(0.9999, melanin)) * (TONES.length - 1);
  const i = Math.floor(at);
  const t = at - i;
  const a = TONES[i]!;
  const b = TONES[i + 1]!;
  return [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t];
}

function gauss(dx: number, dy: number, dz: number, radius: number): number {
  const q = (dx * dx + dy * dy + 0.5 * dz * dz) / (radius * radius);
  return q > 6 ? 0 : Math.exp(-q);
}

function freckleArea(ax: number, y: number): number {
  return 0.25 + Math.exp(-(((ax - 26) / 26) ** 2) - ((y + 24) / 20) ** 2) + 0.3 * Math.exp(-(((y - 45) / 25) ** 2));
}

/** Small round spots of different sizes: one at most in each cell of a lattice. */
function freckle(x: number, y: number): number {
  let sum = 0;
  for (const [cell, seed] of [
    [4.2, 5],
    [2.6, 6],
  ] as const) {
    const cx = Math.floor(x / cell);
    const cy = Math.floor(y / cell);
    const px = (cx + 0.25 + 0.5 * hash(cx, cy, 0, seed)) * cell;
    const py = (cy + 0.25 + 0.5 * hash(cx, cy, 1, seed)) * cell;
    const present = hash(cx, cy, 2, seed);
    if (present < 0.55) continue;
    const radius = cell * (0.1 + 0.16 * hash(cx, cy, 3, seed));
    const q = ((x - px) ** 2 + (y - py) ** 2) / (radius * radius);
    sum += Math.exp(-q) * (present - 0.4) * 1.3;
  }
  return sum;
}

/** Signed distance to a closed curve, looked up bilinearly in a table. */
function createLipDistance(outline: Float64Array): (x: number, y: number) => number {
  const x0 = -36;
  const y0 = -94;
  const columns = Math.ceil(72 / LIP_STEP_MM) + 1;
  const rows = Math.ceil(46 / LIP_STEP_MM) + 1;
  const table = new Float32Array(columns * rows);
  const n = outline.length / 2;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const x = x0 + column * LIP_STEP_MM;
      const y = y0 + row * LIP_STEP_MM;
      let nearest = Number.POSITIVE_INFINITY;
      let inside = false;
      for (let i = 0; i < n; i++) {
        const ax = outline[2 * i]!;
        const ay = outline[2 * i + 1]!;
        const bx = outline[2 * ((i + 1) % n)]!;
        const by = outline[2 * ((i + 1) % n) + 1]!;
        const dx = bx - ax;
        const dy = by - ay;
        const t = Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy + 1e-12)));
        nearest = Math.min(nearest, Math.hypot(x - ax - t * dx, y - ay - t * dy));
        if (ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * dx) inside = !inside;
      }
      table[row * columns + column] = inside ? -nearest : nearest;
    }
  }
  return (x, y) => {
    const tx = Math.max(0, Math.min(columns - 1.001, (x - x0) / LIP_STEP_MM));
    const ty = Math.max(0, Math.min(rows - 1.001, (y - y0) / LIP_STEP_MM));
    const i = Math.floor(tx);
    const j = Math.floor(ty);
    const fx = tx - i;
    const fy = ty - j;
    const p = j * columns + i;
    const top = table[p]! + (table[p + 1]! - table[p]!) * fx;
    const bottom = table[p + columns]! + (table[p + columns + 1]! - table[p + columns]!) * fx;
    return top + (bottom - top) * fy;
  };
}
