import type { FaceModel } from '../models/face-model.ts';
import { PLAN, type SurfacePlan } from './complete-surface.ts';
import { GRAIN_TILE } from './grain.ts';
import type { PhotoFrame } from './photo-frame.ts';
import type { PhotoLevel } from './photo-level.ts';
import { FIELD_SIZE, type SurfaceTables } from './surface-tables.ts';
import { NO_TRIANGLE } from './texel-map.ts';

export interface PaintOptions {
  /** Standard deviation of the grain added to completed skin, 8-bit levels at mid brightness. */
  readonly grain: number;
  /** See createGrainTile. */
  readonly grainTile: Int8Array;
  /** Standard deviation of completed hair's brightness relative to its mean; 0: there is no hair. */
  readonly hairContrast: number;
  /** sRGB of what lies beside the islands: only mipmaps see it. */
  readonly beside: readonly [number, number, number];
  /** Receives 0..255 per texel: weight of the photo. */
  readonly observed?: Uint8Array;
}

/** Scratch memory of {@link paintSurface} for one surface. */
export interface PaintScratch {
  /** Shape (N,6): photo-level column and row of a texel as affine functions of its column and row, per triangle of the surface. */
  readonly own: Float64Array;
  /** Shape (N,6): the same on the other side of the face. */
  readonly mirrored: Float64Array;
  /** Shape (V,2) */
  readonly pixels: Float64Array;
  /** Shape (size, F+1): 1 for runs that lie beside the islands. */
  readonly isEmpty: Uint8Array;
}

export function createPaintScratch(model: FaceModel, tables: SurfaceTables): PaintScratch {
  const n = 6 * tables.map.triangles.length;
  return {
    own: new Float64Array(n),
    mirrored: new Float64Array(n),
    pixels: new Float64Array(2 * model.vertexCount),
    isEmpty: findEmptyRuns(tables),
  };
}

/** Weights below this are not worth a lookup in the photo (half a level of 8 bits at full contrast would be 0.002). */
const MIN_WEIGHT = 0.004;
const MIN_HAIRNESS = 0.02;
/** From here on strands cover the skin whatever the noise does (see `mix`). */
const FULL_HAIRNESS = 0.95;

/** What the runs of one texture have in common. */
interface Canvas {
  readonly size: number;
  readonly step: number;
  readonly triangle: Uint16Array;
  readonly own: Float64Array;
  readonly mirrored: Float64Array;
  readonly rgb: Uint8Array;
  readonly stride: number;
  readonly right: number;
  readonly down: number;
  readonly maxX: number;
  readonly maxY: number;
  readonly grainTile: Int8Array;
  readonly grainScale: number;
  readonly strands: Int8Array;
  readonly contrast: number;
  readonly observed: Uint8Array | null;
  /** The texture's memory; stores round and clamp. */
  readonly out: Uint8ClampedArray;
}

/** An Int8Array for surfaces without hair; never read. */
const NO_STRANDS = new Int8Array(0);

/**
 * Paints every texel of a surface by its plan. Shape (size,size,3), sRGB.
 *
 * A row is done in runs between neighbouring field cells, in which everything of the plan is linear: what a run does not need (photo,
 * mirrored photo, completed skin, hair) is left out for the whole of it.
 */
export function paintSurface(
  model: FaceModel,
  tables: SurfaceTables,
  frame: PhotoFrame,
  level: PhotoLevel,
  plan: SurfacePlan,
  options: PaintOptions,
  scratch: PaintScratch,
): Uint8Array {
  const { size, triangle } = tables.map;
  locateTexels(model, tables, frame, level, scratch);
  const hasHair = options.hairContrast > 0;
  const bytes = new Uint8Array(size * size * 3);
  const canvas: Canvas = {
    size,
    step: FIELD_SIZE / size,
    triangle,
    own: scratch.own,
    mirrored: scratch.mirrored,
    rgb: level.rgb,
    stride: 3 * level.width,
    right: level.width > 1 ? 3 : 0,
    down: level.height > 1 ? 3 * level.width : 0,
    maxX: Math.max(0, level.width - 1.001),
    maxY: Math.max(0, level.height - 1.001),
    grainTile: options.grainTile,
    grainScale: options.grain / 40 / 128,
    strands: hasHair ? tables.strands() : NO_STRANDS,
    contrast: options.hairContrast / 40,
    observed: options.observed ?? null,
    out: new Uint8ClampedArray(bytes.buffer),
  };
  const runs = planRuns(size);
  fillPixels(bytes, options.beside);
  const kinds = new Uint8Array(FIELD_SIZE + 1);
  let lastRow0 = -1;
  for (let row = 0; row < size; row++) {
    const fy = Math.max(0, Math.min(FIELD_SIZE - 1, (row + 0.5) * canvas.step - 0.5));
    const row0 = Math.floor(fy);
    if (row0 !== lastRow0) classifyRuns(plan.channels, row0, hasHair, kinds);
    lastRow0 = row0;
    paintRow(canvas, plan.channels, runs, kinds, scratch.isEmpty, row, fy);
  }
  return bytes;
}

/** What the runs between two rows of the field need. */
const MIXED = 0;
const PHOTO = 1;
const SKIN = 2;
const HAIR = 3;

/** Kind of every run between the field rows `row0` and `row0 + 1`: it holds for all rows of texels between them. */
function classifyRuns(channels: Float32Array, row0: number, hasHair: boolean, kinds: Uint8Array): void {
  const C = PLAN.count;
  const row1 = row0 + 1 < FIELD_SIZE ? row0 + 1 : row0;
  for (let k = 0; k <= FIELD_SIZE; k++) {
    const cell0 = k > 0 ? k - 1 : 0;
    const cell1 = k < FIELD_SIZE ? k : FIELD_SIZE - 1;
    let isPhoto = true;
    let hasPhoto = false;
    let isHair = hasHair;
    let isBare = true;
    for (let corner = 0; corner < 4; corner++) {
      const i = ((corner < 2 ? row0 : row1) * FIELD_SIZE + (corner & 1 ? cell1 : cell0)) * C;
      const own = channels[i + PLAN.own];
      const other = channels[i + PLAN.mirrored];
      if (own <= 1 - MIN_WEIGHT) isPhoto = false;
      if (own > MIN_WEIGHT || other > MIN_WEIGHT) hasPhoto = true;
      if (hasHair) {
        const hairness = channels[i + PLAN.hairness];
        if (hairness < FULL_HAIRNESS) isHair = false;
        if (hairness > MIN_HAIRNESS) isBare = false;
      }
    }
    kinds[k] = isPhoto ? PHOTO : hasPhoto ? MIXED : isBare ? SKIN : isHair ? HAIR : MIXED;
  }
}

/** Paints one row, `fy` rows of the field from its top. One function for all kinds of runs: those of four texels are too short for calls. */
function paintRow(
  canvas: Canvas,
  channels: Float32Array,
  runs: Int32Array,
  kinds: Uint8Array,
  isEmpty: Uint8Array,
  row: number,
  fy: number,
): void {
  const { size, step, triangle, own: ownPlace, mirrored: mirroredPlace, rgb, stride, right, down, maxX, maxY } = canvas;
  const { grainTile, grainScale, strands, contrast, observed, out } = canvas;
  const C = PLAN.count;
  const y = row + 0.5;
  const row0 = Math.floor(fy);
  const row1 = row0 + 1 < FIELD_SIZE ? row0 + 1 : row0;
  const ty = fy - row0;
  const base0 = row0 * FIELD_SIZE * C;
  const base1 = row1 * FIELD_SIZE * C;
  const grainRow = (row & (GRAIN_TILE - 1)) * GRAIN_TILE;
  const rowBase = row * size;
  const hasHair = strands.length > 0;

  for (let k = 0; k <= FIELD_SIZE; k++) {
    const from = runs[k];
    const to = runs[k + 1];
    if (from >= to || isEmpty[row * (FIELD_SIZE + 1) + k] === 1) continue;
    const kind = kinds[k];
    if (kind === PHOTO) {
      // Photo and nothing else: all runs of this kind at once.
      while (k < FIELD_SIZE && kinds[k + 1] === PHOTO) k++;
      const end = runs[k + 1];
      for (let column = from; column < end; column++) {
        const p = rowBase + column;
        const t = triangle[p];
        // Beside the islands the texture keeps the colour that it was filled with.
        if (t === NO_TRIANGLE) continue;
        const x = column + 0.5;
        const m = 6 * t;
        let sx = ownPlace[m] * x + ownPlace[m + 1] * y + ownPlace[m + 2];
        let sy = ownPlace[m + 3] * x + ownPlace[m + 4] * y + ownPlace[m + 5];
        sx = sx < 0 ? 0 : sx > maxX ? maxX : sx;
        sy = sy < 0 ? 0 : sy > maxY ? maxY : sy;
        const cx = sx | 0;
        const cy = sy | 0;
        const ax = sx - cx;
        const ay = sy - cy;
        const q = cy * stride + 3 * cx;
        const e = q + down;
        const w11 = ax * ay;
        const w10 = ay - w11;
        const w01 = ax - w11;
        const w00 = 1 - ax - w10;
        const o = 3 * p;
        out[o] = w00 * rgb[q] + w01 * rgb[q + right] + w10 * rgb[e] + w11 * rgb[e + right];
        out[o + 1] = w00 * rgb[q + 1] + w01 * rgb[q + right + 1] + w10 * rgb[e + 1] + w11 * rgb[e + right + 1];
        out[o + 2] = w00 * rgb[q + 2] + w01 * rgb[q + right + 2] + w10 * rgb[e + 2] + w11 * rgb[e + right + 2];
        if (observed !== null) observed[p] = 255;
      }
      continue;
    }

    // Cells k - 1 and k, the first and the last repeated beyond the border; a and b in the upper row, c and d in the lower.
    const cell0 = k > 0 ? k - 1 : 0;
    const cell1 = k < FIELD_SIZE ? k : FIELD_SIZE - 1;
    const a = base0 + cell0 * C;
    const b = base0 + cell1 * C;
    const c = base1 + cell0 * C;
    const d = base1 + cell1 * C;
    // Completed skin at the left end of the run and its change per cell.
    const r0 = channels[a + 5] + ty * (channels[c + 5] - channels[a + 5]);
    const g0 = channels[a + 6] + ty * (channels[c + 6] - channels[a + 6]);
    const b0 = channels[a + 7] + ty * (channels[c + 7] - channels[a + 7]);
    const dr = channels[b + 5] + ty * (channels[d + 5] - channels[b + 5]) - r0;
    const dg = channels[b + 6] + ty * (channels[d + 6] - channels[b + 6]) - g0;
    const db = channels[b + 7] + ty * (channels[d + 7] - channels[b + 7]) - b0;
    if (kind === SKIN) {
      for (let column = from; column < to; column++) {
        const p = rowBase + column;
        const tx = (column + 0.5) * step + 0.5 - k;
        const grain = 1 + grainScale * grainTile[grainRow | (column & (GRAIN_TILE - 1))];
        const o = 3 * p;
        out[o] = (r0 + tx * dr) * grain;
        out[o + 1] = (g0 + tx * dg) * grain;
        out[o + 2] = (b0 + tx * db) * grain;
      }
      continue;
    }

    const hr0 = channels[a + 8] + ty * (channels[c + 8] - channels[a + 8]);
    const hg0 = channels[a + 9] + ty * (channels[c + 9] - channels[a + 9]);
    const hb0 = channels[a + 10] + ty * (channels[c + 10] - channels[a + 10]);
    const hdr = channels[b + 8] + ty * (channels[d + 8] - channels[b + 8]) - hr0;
    const hdg = channels[b + 9] + ty * (channels[d + 9] - channels[b + 9]) - hg0;
    const hdb = channels[b + 10] + ty * (channels[d + 10] - channels[b + 10]) - hb0;
    if (kind === HAIR) {
      // Hair and nothing else.
      for (let column = from; column < to; column++) {
        const p = rowBase + column;
        const tx = (column + 0.5) * step + 0.5 - k;
        const shine = 1 + contrast * strands[p];
        const o = 3 * p;
        out[o] = (hr0 + tx * hdr) * shine;
        out[o + 1] = (hg0 + tx * hdg) * shine;
        out[o + 2] = (hb0 + tx * hdb) * shine;
      }
      continue;
    }
    const or0 = channels[a + 2] + ty * (channels[c + 2] - channels[a + 2]);
    const og0 = channels[a + 3] + ty * (channels[c + 3] - channels[a + 3]);
    const ob0 = channels[a + 4] + ty * (channels[c + 4] - channels[a + 4]);
    const odr = channels[b + 2] + ty * (channels[d + 2] - channels[b + 2]) - or0;
    const odg = channels[b + 3] + ty * (channels[d + 3] - channels[b + 3]) - og0;
    const odb = channels[b + 4] + ty * (channels[d + 4] - channels[b + 4]) - ob0;
    const own0 = channels[a] + ty * (channels[c] - channels[a]);
    const dOwn = channels[b] + ty * (channels[d] - channels[b]) - own0;
    const other0 = channels[a + 1] + ty * (channels[c + 1] - channels[a + 1]);
    const dOther = channels[b + 1] + ty * (channels[d + 1] - channels[b + 1]) - other0;
    const hairness0 = hasHair ? channels[a + 11] + ty * (channels[c + 11] - channels[a + 11]) : 0;
    const dHairness = hasHair ? channels[b + 11] + ty * (channels[d + 11] - channels[b + 11]) - hairness0 : 0;
    const needsHair = hairness0 > MIN_HAIRNESS || hairness0 + dHairness > MIN_HAIRNESS;
    for (let column = from; column < to; column++) {
      const p = rowBase + column;
      const x = column + 0.5;
      const tx = x * step + 0.5 - k;
      const t = triangle[p];
      const o = 3 * p;
      const grain = 1 + grainScale * grainTile[grainRow | (column & (GRAIN_TILE - 1))];
      let red = (r0 + tx * dr) * grain;
      let green = (g0 + tx * dg) * grain;
      let blue = (b0 + tx * db) * grain;
      if (t === NO_TRIANGLE) {
        out[o] = red;
        out[o + 1] = green;
        out[o + 2] = blue;
        continue;
      }
      if (needsHair) {
        const hairness = hairness0 + tx * dHairness;
        const strand = strands[p];
        // The hairline is where strands begin and end: noise moves it from strand to strand.
        let mix = 1.5 * hairness - 0.25 + 0.02 * strand * hairness * (1 - hairness);
        mix = mix < 0 ? 0 : mix > 1 ? 1 : mix;
        const shine = 1 + contrast * strand;
        red += mix * ((hr0 + tx * hdr) * shine - red);
        green += mix * ((hg0 + tx * hdg) * shine - green);
        blue += mix * ((hb0 + tx * hdb) * shine - blue);
      }
      let own = own0 + tx * dOwn;
      let other = other0 + tx * dOther;
      if (own < MIN_WEIGHT) own = 0;
      if (other < MIN_WEIGHT) other = 0;
      const rest = 1 - own - other;
      red *= rest;
      green *= rest;
      blue *= rest;
      const m = 6 * t;
      if (own > 0) {
        let sx = ownPlace[m] * x + ownPlace[m + 1] * y + ownPlace[m + 2];
        let sy = ownPlace[m + 3] * x + ownPlace[m + 4] * y + ownPlace[m + 5];
        sx = sx < 0 ? 0 : sx > maxX ? maxX : sx;
        sy = sy < 0 ? 0 : sy > maxY ? maxY : sy;
        const cx = sx | 0;
        const cy = sy | 0;
        const ax = sx - cx;
        const ay = sy - cy;
        const q = cy * stride + 3 * cx;
        const e = q + down;
        const w11 = own * ax * ay;
        const w10 = own * ay - w11;
        const w01 = own * ax - w11;
        const w00 = own - w01 - w10 - w11;
        red += w00 * rgb[q] + w01 * rgb[q + right] + w10 * rgb[e] + w11 * rgb[e + right];
        green += w00 * rgb[q + 1] + w01 * rgb[q + right + 1] + w10 * rgb[e + 1] + w11 * rgb[e + right + 1];
        blue += w00 * rgb[q + 2] + w01 * rgb[q + right + 2] + w10 * rgb[e + 2] + w11 * rgb[e + right + 2];
        if (observed !== null) observed[p] = 255 * own + 0.5;
      }
      if (other > 0) {
        let sx = mirroredPlace[m] * x + mirroredPlace[m + 1] * y + mirroredPlace[m + 2];
        let sy = mirroredPlace[m + 3] * x + mirroredPlace[m + 4] * y + mirroredPlace[m + 5];
        sx = sx < 0 ? 0 : sx > maxX ? maxX : sx;
        sy = sy < 0 ? 0 : sy > maxY ? maxY : sy;
        const cx = sx | 0;
        const cy = sy | 0;
        const ax = sx - cx;
        const ay = sy - cy;
        const q = cy * stride + 3 * cx;
        const e = q + down;
        const w11 = other * ax * ay;
        const w10 = other * ay - w11;
        const w01 = other * ax - w11;
        const w00 = other - w01 - w10 - w11;
        red += w00 * rgb[q] + w01 * rgb[q + right] + w10 * rgb[e] + w11 * rgb[e + right] + other * (or0 + tx * odr);
        green += w00 * rgb[q + 1] + w01 * rgb[q + right + 1] + w10 * rgb[e + 1] + w11 * rgb[e + right + 1] + other * (og0 + tx * odg);
        blue += w00 * rgb[q + 2] + w01 * rgb[q + right + 2] + w10 * rgb[e + 2] + w11 * rgb[e + right + 2] + other * (ob0 + tx * odb);
      }
      out[o] = red;
      out[o + 1] = green;
      out[o + 2] = blue;
    }
  }
}

/**
 * First columns of the runs of a row: run k, 0..F, lies between the centres of the field's cells k - 1 and k; shape (F+2), the last is the size.
 */
function planRuns(size: number): Int32Array {
  const step = FIELD_SIZE / size;
  const runs = new Int32Array(FIELD_SIZE + 2);
  for (let k = 0; k <= FIELD_SIZE; k++) runs[k] = Math.max(0, Math.min(size, Math.ceil((k - 0.5) / step - 0.5)));
  runs[FIELD_SIZE + 1] = size;
  return runs;
}

function findEmptyRuns({ map }: SurfaceTables): Uint8Array {
  const { size, triangle } = map;
  const runs = planRuns(size);
  const isEmpty = new Uint8Array(size * (FIELD_SIZE + 1)).fill(1);
  for (let row = 0; row < size; row++) {
    for (let k = 0; k <= FIELD_SIZE; k++) {
      for (let p = row * size + runs[k]; p < row * size + runs[k + 1]; p++) {
        if (triangle[p] !== NO_TRIANGLE) {
          isEmpty[row * (FIELD_SIZE + 1) + k] = 0;
          break;
        }
      }
    }
  }
  return isEmpty;
}

/** One colour everywhere, by copying ever longer pieces. */
function fillPixels(bytes: Uint8Array, rgb: readonly [number, number, number]): void {
  for (let k = 0; k < 3; k++) bytes[k] = rgb[k];
  for (let done = 3; done < bytes.length; done *= 2) bytes.copyWithin(done, 0, Math.min(done, bytes.length - done));
}

/** Affine maps from texels to pixels of the level, own and mirrored, for every triangle of the surface. */
function locateTexels(model: FaceModel, tables: SurfaceTables, frame: PhotoFrame, level: PhotoLevel, scratch: PaintScratch): void {
  const { triangles, frames, size } = tables.map;
  const { own, mirrored, pixels } = scratch;
  const { imagePoints } = frame;
  for (let v = 0; v < pixels.length; v += 2) {
    pixels[v] = (imagePoints[v] - level.originX) * level.scaleX - 0.5;
    pixels[v + 1] = (imagePoints[v + 1] - level.originY) * level.scaleY - 0.5;
  }
  const inverseSize = 1 / size;
  const { mirrorVertex } = model;
  for (let i = 0; i < triangles.length; i++) {
    const t = 3 * triangles[i];
    const a = model.triangles[t];
    const b = model.triangles[t + 1];
    const c = model.triangles[t + 2];
    setPlace(own, 6 * i, frames, pixels, 2 * a, 2 * b, 2 * c, inverseSize);
    setPlace(mirrored, 6 * i, frames, pixels, 2 * mirrorVertex[a], 2 * mirrorVertex[b], 2 * mirrorVertex[c], inverseSize);
  }
}

function setPlace(
  out: Float64Array,
  f: number,
  frames: Float64Array,
  pixels: Float64Array,
  a: number,
  b: number,
  c: number,
  inverseSize: number,
): void {
  const u0 = frames[f];
  const v0 = frames[f + 1];
  const m00 = frames[f + 2];
  const m01 = frames[f + 3];
  const m10 = frames[f + 4];
  const m11 = frames[f + 5];
  for (let k = 0; k < 2; k++) {
    const start = pixels[a + k];
    const d1 = pixels[b + k] - start;
    const d2 = pixels[c + k] - start;
    const gu = d1 * m00 + d2 * m10;
    const gv = d1 * m01 + d2 * m11;
    out[f + 3 * k] = gu * inverseSize;
    out[f + 3 * k + 1] = gv * inverseSize;
    out[f + 3 * k + 2] = start - gu * u0 - gv * v0;
  }
}
