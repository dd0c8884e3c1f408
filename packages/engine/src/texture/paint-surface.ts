import type { FaceModel } from '../models/face-model.ts';
import { PLAN, type SurfacePlan } from './complete-surface.ts';
import { GRAIN_TILE } from './grain.ts';
import type { PhotoFrame } from './photo-frame.ts';
import type { PhotoLevel } from './photo-level.ts';
import { planRuns } from './plan-runs.ts';
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
  /** Shape (F+2): first columns of the runs of a row. */
  readonly runs: Int32Array;
  /** Shape (F+1): kinds of the runs of a row. */
  readonly kinds: Uint8Array;
  /** Shape (F+2,12): the plan at the height of a row. */
  readonly line: Float32Array;
  /** Shape (size,3): a row of colours. */
  readonly mixed: Float32Array;
}

export function createPaintScratch(model: FaceModel, tables: SurfaceTables): PaintScratch {
  const n = 6 * tables.map.triangles.length;
  return {
    own: new Float64Array(n),
    mirrored: new Float64Array(n),
    pixels: new Float64Array(2 * model.vertexCount),
    isEmpty: tables.emptyRuns,
    runs: planRuns(tables.map.size),
    kinds: new Uint8Array(FIELD_SIZE + 1),
    line: new Float32Array((FIELD_SIZE + 2) * PLAN.count),
    mixed: new Float32Array(3 * tables.map.size),
  };
}

/** Weights below this are not worth a lookup in the photo (half a level of 8 bits at full contrast would be 0.002). */
const MIN_WEIGHT = 0.004;
const MIN_HAIRNESS = 0.02;
/** From here on strands cover the skin whatever the noise does (see `layHair`). */
const FULL_HAIRNESS = 0.95;

/** What the rows of one texture have in common. */
interface Canvas {
  readonly size: number;
  readonly step: number;
  readonly triangle: Uint16Array;
  /** See {@link planRuns}. */
  readonly runs: Int32Array;
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
  readonly observed: Uint8Array;
  /** The plan at the height of the row that is painted: shape (F+2,12), cell k - 1 at k, the first and the last twice. */
  readonly line: Float32Array;
  /** Shape (size,3): what the row is so far, where several things are mixed. */
  readonly mixed: Float32Array;
  /** The texture's memory; stores round and clamp. */
  readonly out: Uint8ClampedArray;
}

/** An Int8Array for surfaces without hair; never read. */
const NO_STRANDS = new Int8Array(0);
const NOT_WANTED = new Uint8Array(0);

/** Rows painted between two turns of the event loop at 1024 texels: about 10 ms. */
const TEXELS_PER_TURN = 1 << 18;

/**
 * Paints every texel of a surface by its plan. Shape (size,size,3), sRGB.
 *
 * A row is done in runs between neighbouring field cells, in which everything of the plan is linear: what a run does not need (photo,
 * mirrored photo, completed skin, hair) is left out for the whole of it. Each kind of run has a short function of its own: they are
 * compiled once and early, which a long one is not.
 *
 * @param pause - awaited now and then between rows
 */
export async function paintSurface(
  model: FaceModel,
  tables: SurfaceTables,
  frame: PhotoFrame,
  level: PhotoLevel,
  plan: SurfacePlan,
  options: PaintOptions,
  scratch: PaintScratch,
  pause: () => Promise<void>,
): Promise<Uint8Array> {
  const { size, triangle } = tables.map;
  locateTexels(model, tables, frame, level, scratch);
  const hasHair = options.hairContrast > 0;
  const bytes = new Uint8Array(size * size * 3);
  const canvas: Canvas = {
    size,
    step: FIELD_SIZE / size,
    triangle,
    runs: scratch.runs,
    rgb: level.rgb,
    stride: 3 * level.width,
    right: level.width > 1 ? 3 : 0,
    down: level.height > 1 ? 3 * level.width : 0,
    maxX: Math.max(0, level.width - 1.001),
    maxY: Math.max(0, level.height - 1.001),
    grainTile: options.grainTile,
    grainScale: options.grain / 40 / 128,
    strands: hasHair ? tables.strands : NO_STRANDS,
    contrast: options.hairContrast / 40,
    observed: options.observed ?? NOT_WANTED,
    line: scratch.line,
    mixed: scratch.mixed,
    out: new Uint8ClampedArray(bytes.buffer),
  };
  fillPixels(bytes, options.beside);
  const rowsPerTurn = Math.max(16, Math.floor(TEXELS_PER_TURN / size));
  for (let row = 0; row < size; row += rowsPerTurn) {
    if (row > 0) await pause();
    paintRows(canvas, plan.channels, scratch, row, Math.min(size, row + rowsPerTurn));
  }
  return bytes;
}

function paintRows(canvas: Canvas, channels: Float32Array, scratch: PaintScratch, from: number, end: number): void {
  let classified = -1;
  for (let row = from; row < end; row++) {
    const fy = Math.max(0, Math.min(FIELD_SIZE - 1, (row + 0.5) * canvas.step - 0.5));
    const row0 = Math.floor(fy);
    if (row0 !== classified) classifyRuns(channels, row0, canvas.strands.length > 0, scratch.kinds);
    classified = row0;
    paintRow(canvas, channels, scratch, row, fy);
  }
}

/** What the runs between two rows of the field need. */
const MIXED = 0;
const PHOTO = 1;
const SKIN = 2;
const HAIR = 3;
/** Beside the islands. */
const EMPTY = 4;

/** Numbers of one row of the plan. */
const LINE = FIELD_SIZE * PLAN.count;

/** Kind of every run between the field rows `row0` and `row0 + 1`: it holds for all rows of texels between them. */
function classifyRuns(channels: Float32Array, row0: number, hasHair: boolean, kinds: Uint8Array): void {
  const row1 = row0 + 1 < FIELD_SIZE ? row0 + 1 : row0;
  for (let k = 0; k <= FIELD_SIZE; k++) {
    const cell0 = (k > 0 ? k - 1 : 0) * PLAN.count;
    const cell1 = (k < FIELD_SIZE ? k : FIELD_SIZE - 1) * PLAN.count;
    kinds[k] = classifyRun(channels, row0 * LINE + cell0, row0 * LINE + cell1, row1 * LINE + cell0, row1 * LINE + cell1, hasHair);
  }
}

/** Kind of the run whose corners have their channels at a, b, c, d. */
function classifyRun(channels: Float32Array, a: number, b: number, c: number, d: number, hasHair: boolean): number {
  const ownLow = Math.min(channels[a], channels[b], channels[c], channels[d]);
  if (ownLow > 1 - MIN_WEIGHT) return PHOTO;
  const ownHigh = Math.max(channels[a], channels[b], channels[c], channels[d]);
  const otherHigh = Math.max(channels[a + 1], channels[b + 1], channels[c + 1], channels[d + 1]);
  if (ownHigh > MIN_WEIGHT || otherHigh > MIN_WEIGHT) return MIXED;
  if (!hasHair) return SKIN;
  const hairLow = Math.min(channels[a + 11], channels[b + 11], channels[c + 11], channels[d + 11]);
  if (hairLow >= FULL_HAIRNESS) return HAIR;
  const hairHigh = Math.max(channels[a + 11], channels[b + 11], channels[c + 11], channels[d + 11]);
  return hairHigh > MIN_HAIRNESS ? MIXED : SKIN;
}

/** The plan between two rows of the field, from cell `first` - 1 to cell `last` - 1, the border's repeated. */
function interpolateLine(channels: Float32Array, line: Float32Array, fy: number, first: number, last: number): void {
  const C = PLAN.count;
  const row0 = Math.floor(fy);
  const t = fy - row0;
  const upper = row0 * LINE - C;
  const lower = upper + (row0 + 1 < FIELD_SIZE ? LINE : 0);
  const end = Math.min(last + 1, FIELD_SIZE + 1) * C;
  for (let i = Math.max(first, 1) * C; i < end; i++) {
    const a = channels[upper + i];
    line[i] = a + t * (channels[lower + i] - a);
  }
  if (first === 0) line.copyWithin(0, C, 2 * C);
  if (last > FIELD_SIZE) line.copyWithin(LINE + C, LINE, LINE + C);
}

/** Paints one row, `fy` rows of the field from its top: runs of one kind that lie side by side together. */
function paintRow(canvas: Canvas, channels: Float32Array, { kinds, own, mirrored, isEmpty }: PaintScratch, row: number, fy: number): void {
  const empties = row * (FIELD_SIZE + 1);
  for (let k = 0; k <= FIELD_SIZE; ) {
    const first = k;
    const kind = isEmpty[empties + k] === 1 ? EMPTY : kinds[k];
    do k++;
    while (k <= FIELD_SIZE && (isEmpty[empties + k] === 1 ? EMPTY : kinds[k]) === kind);
    if (kind === EMPTY) continue;
    if (kind === PHOTO) {
      paintPhoto(canvas, own, first, k, row);
      continue;
    }
    interpolateLine(channels, canvas.line, fy, first, k);
    if (kind === SKIN) paintSkin(canvas, first, k, row);
    else if (kind === HAIR) paintHair(canvas, first, k, row);
    else {
      fillMixed(canvas, first, k, row);
      makeRoom(canvas, first, k, row);
      addPhoto(canvas, own, PLAN.own, first, k, row);
      addPhoto(canvas, mirrored, PLAN.mirrored, first, k, row);
      storeMixed(canvas, first, k, row);
    }
  }
}

/** Photo and nothing else, runs `first` to before `last`. */
function paintPhoto(canvas: Canvas, place: Float64Array, first: number, last: number, row: number): void {
  const { size, triangle, runs, rgb, stride, right, down, maxX, maxY, observed, out } = canvas;
  const rowBase = row * size;
  const y = row + 0.5;
  const end = rowBase + runs[last];
  const isObserved = observed.length > 0;
  let known = NO_TRIANGLE;
  let xx = 0;
  let x0 = 0;
  let yx = 0;
  let y0 = 0;
  for (let p = rowBase + runs[first]; p < end; p++) {
    const t = triangle[p];
    // Beside the islands the texture keeps the colour that it was filled with.
    if (t === NO_TRIANGLE) continue;
    if (t !== known) {
      known = t;
      const m = 6 * t;
      xx = place[m];
      x0 = place[m + 1] * y + place[m + 2];
      yx = place[m + 3];
      y0 = place[m + 4] * y + place[m + 5];
    }
    const x = p - rowBase + 0.5;
    let sx = xx * x + x0;
    let sy = yx * x + y0;
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
    if (isObserved) observed[p] = 255;
  }
}

/** Completed skin and nothing else. */
function paintSkin(canvas: Canvas, first: number, last: number, row: number): void {
  const { size, step, runs, grainTile, grainScale, line, out } = canvas;
  const grainRow = (row & (GRAIN_TILE - 1)) * GRAIN_TILE;
  for (let k = first; k < last; k++) {
    const a = k * PLAN.count + PLAN.skin;
    const b = a + PLAN.count;
    const r0 = line[a];
    const g0 = line[a + 1];
    const b0 = line[a + 2];
    const dr = line[b] - r0;
    const dg = line[b + 1] - g0;
    const db = line[b + 2] - b0;
    const end = runs[k + 1];
    for (let column = runs[k]; column < end; column++) {
      const t = (column + 0.5) * step + 0.5 - k;
      const grain = 1 + grainScale * grainTile[grainRow | (column & (GRAIN_TILE - 1))];
      const o = 3 * (row * size + column);
      out[o] = (r0 + t * dr) * grain;
      out[o + 1] = (g0 + t * dg) * grain;
      out[o + 2] = (b0 + t * db) * grain;
    }
  }
}

/** Completed hair and nothing else. */
function paintHair(canvas: Canvas, first: number, last: number, row: number): void {
  const { size, step, runs, strands, contrast, line, out } = canvas;
  for (let k = first; k < last; k++) {
    const a = k * PLAN.count + PLAN.hair;
    const b = a + PLAN.count;
    const r0 = line[a];
    const g0 = line[a + 1];
    const b0 = line[a + 2];
    const dr = line[b] - r0;
    const dg = line[b + 1] - g0;
    const db = line[b + 2] - b0;
    const end = runs[k + 1];
    for (let column = runs[k]; column < end; column++) {
      const t = (column + 0.5) * step + 0.5 - k;
      const p = row * size + column;
      const shine = 1 + contrast * strands[p];
      const o = 3 * p;
      out[o] = (r0 + t * dr) * shine;
      out[o + 1] = (g0 + t * dg) * shine;
      out[o + 2] = (b0 + t * db) * shine;
    }
  }
}

/** Begins mixed runs with completed skin and hair. */
function fillMixed(canvas: Canvas, first: number, last: number, row: number): void {
  const { size, step, runs, grainTile, grainScale, strands, line, mixed } = canvas;
  const grainRow = (row & (GRAIN_TILE - 1)) * GRAIN_TILE;
  for (let k = first; k < last; k++) {
    const a = k * PLAN.count;
    const b = a + PLAN.count;
    const r0 = line[a + 5];
    const g0 = line[a + 6];
    const b0 = line[a + 7];
    const dr = line[b + 5] - r0;
    const dg = line[b + 6] - g0;
    const db = line[b + 7] - b0;
    for (let column = runs[k]; column < runs[k + 1]; column++) {
      const t = (column + 0.5) * step + 0.5 - k;
      const grain = 1 + grainScale * grainTile[grainRow | (column & (GRAIN_TILE - 1))];
      const o = 3 * column;
      mixed[o] = (r0 + t * dr) * grain;
      mixed[o + 1] = (g0 + t * dg) * grain;
      mixed[o + 2] = (b0 + t * db) * grain;
    }
    if (strands.length > 0 && (line[a + PLAN.hairness] > MIN_HAIRNESS || line[b + PLAN.hairness] > MIN_HAIRNESS)) {
      layHair(canvas, k, row * size, runs[k], runs[k + 1]);
    }
  }
}

/** Lays hair over the skin of run `k`, columns `from` to before `to`. */
function layHair({ step, strands, contrast, line, mixed }: Canvas, k: number, rowBase: number, from: number, to: number): void {
  const a = k * PLAN.count;
  const b = a + PLAN.count;
  for (let column = from; column < to; column++) {
    const t = (column + 0.5) * step + 0.5 - k;
    const hairness = line[a + 11] + t * (line[b + 11] - line[a + 11]);
    const strand = strands[rowBase + column];
    // The hairline is where strands begin and end: noise moves it from strand to strand.
    let mix = 1.3 * hairness - 0.15 + 0.009 * strand * hairness * (1 - hairness);
    mix = mix < 0 ? 0 : mix > 1 ? 1 : mix;
    const shine = mix * (1 + contrast * strand);
    const o = 3 * column;
    mixed[o] = (1 - mix) * mixed[o] + (line[a + 8] + t * (line[b + 8] - line[a + 8])) * shine;
    mixed[o + 1] = (1 - mix) * mixed[o + 1] + (line[a + 9] + t * (line[b + 9] - line[a + 9])) * shine;
    mixed[o + 2] = (1 - mix) * mixed[o + 2] + (line[a + 10] + t * (line[b + 10] - line[a + 10])) * shine;
  }
}

/** Leaves room for the photos in mixed runs, and adds what the mirrored one is to be changed by. */
function makeRoom(canvas: Canvas, first: number, last: number, row: number): void {
  const { size, step, triangle, runs, line, observed, mixed } = canvas;
  const isObserved = observed.length > 0;
  for (let k = first; k < last; k++) {
    const a = k * PLAN.count;
    const b = a + PLAN.count;
    for (let column = runs[k]; column < runs[k + 1]; column++) {
      const p = row * size + column;
      if (triangle[p] === NO_TRIANGLE) continue;
      const t = (column + 0.5) * step + 0.5 - k;
      let own = line[a] + t * (line[b] - line[a]);
      let other = line[a + 1] + t * (line[b + 1] - line[a + 1]);
      if (own < MIN_WEIGHT) own = 0;
      if (other < MIN_WEIGHT) other = 0;
      if (isObserved) observed[p] = 255 * own + 0.5;
      const rest = 1 - own - other;
      const o = 3 * column;
      mixed[o] = rest * mixed[o] + other * (line[a + 2] + t * (line[b + 2] - line[a + 2]));
      mixed[o + 1] = rest * mixed[o + 1] + other * (line[a + 3] + t * (line[b + 3] - line[a + 3]));
      mixed[o + 2] = rest * mixed[o + 2] + other * (line[a + 4] + t * (line[b + 4] - line[a + 4]));
    }
  }
}

/** Adds the photo at `place` to mixed runs, by the weight in `channel` of the plan. */
function addPhoto(canvas: Canvas, place: Float64Array, channel: number, first: number, last: number, row: number): void {
  const { runs, line } = canvas;
  for (let k = first; k < last; k++) {
    const a = line[k * PLAN.count + channel];
    const b = line[(k + 1) * PLAN.count + channel];
    if (a >= MIN_WEIGHT || b >= MIN_WEIGHT) addPhotoRun(canvas, place, a, b - a, k, row, runs[k], runs[k + 1]);
  }
}

/** One run of {@link addPhoto}: the weight is `a` at the left cell and changes by `d` to the right one. */
function addPhotoRun(canvas: Canvas, place: Float64Array, a: number, d: number, k: number, row: number, from: number, to: number): void {
  const { size, step, triangle, rgb, stride, right, down, maxX, maxY, mixed } = canvas;
  const y = row + 0.5;
  for (let column = from; column < to; column++) {
    const t = triangle[row * size + column];
    const x = column + 0.5;
    const w = a + (x * step + 0.5 - k) * d;
    if (t === NO_TRIANGLE || w < MIN_WEIGHT) continue;
    const m = 6 * t;
    let sx = place[m] * x + place[m + 1] * y + place[m + 2];
    let sy = place[m + 3] * x + place[m + 4] * y + place[m + 5];
    sx = sx < 0 ? 0 : sx > maxX ? maxX : sx;
    sy = sy < 0 ? 0 : sy > maxY ? maxY : sy;
    const cx = sx | 0;
    const cy = sy | 0;
    const ay = w * (sy - cy);
    const w11 = (sx - cx) * ay;
    const w10 = ay - w11;
    const w01 = (sx - cx) * w - w11;
    const w00 = w - w01 - ay;
    const q = cy * stride + 3 * cx;
    const e = q + down;
    const o = 3 * column;
    mixed[o] = mixed[o] + w00 * rgb[q] + w01 * rgb[q + right] + w10 * rgb[e] + w11 * rgb[e + right];
    mixed[o + 1] = mixed[o + 1] + w00 * rgb[q + 1] + w01 * rgb[q + right + 1] + w10 * rgb[e + 1] + w11 * rgb[e + right + 1];
    mixed[o + 2] = mixed[o + 2] + w00 * rgb[q + 2] + w01 * rgb[q + right + 2] + w10 * rgb[e + 2] + w11 * rgb[e + right + 2];
  }
}

/** Ends mixed runs: what was mixed becomes the texture. */
function storeMixed({ size, runs, mixed, out }: Canvas, first: number, last: number, row: number): void {
  for (let k = first; k < last; k++) {
    for (let o = 3 * runs[k], p = 3 * (row * size) + o; o < 3 * runs[k + 1]; o++, p++) out[p] = mixed[o];
  }
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
