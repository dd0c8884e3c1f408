import type { KernelMemory } from '../kernels/kernel-memory.ts';
import type { FaceModel } from '../models/face-model.ts';
import { PLAN, type SurfacePlan } from './complete-surface.ts';
import { FIELD_SIZE } from './field-size.ts';
import type { PhotoFrame } from './photo-frame.ts';
import type { PhotoLevel } from './photo-level.ts';
import { planRuns } from './plan-runs.ts';
import type { SurfaceTables } from './surface-tables.ts';

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

/** Memory of {@link paintSurface}, shared with the kernels. */
export interface PaintCanvas {
  readonly memory: KernelMemory;
  /** Shape (size,size,3): the texture. */
  readonly out: Uint8Array;
  /** Shape (size,size) */
  readonly observed: Uint8Array;
  /** Shape (F+2,16): the plan at the height of a row. */
  readonly line: Float32Array;
  /** Shape (F,F): what holds for the cells of the plan. */
  readonly flags: Uint8Array;
  /** Shape (F+1): kinds of the runs of a row. */
  readonly kinds: Uint8Array;
}

/** Scratch memory of {@link paintSurface} for one surface. */
export interface PaintScratch {
  /** Shape (N,6): photo-level column and row of a texel as affine functions of its column and row, per triangle of the surface. */
  readonly own: Float64Array;
  /** Shape (N,6): the same on the other side of the face. */
  readonly mirrored: Float64Array;
  /** Shape (V,2) */
  readonly pixels: Float64Array;
  /** Shape (F+2): first columns of the runs of a row. */
  readonly runs: Int32Array;
}

/** Bytes of a {@link PaintCanvas} for textures of up to `size` texels. */
export const countCanvasBytes = (size: number): number => 4 * size * size + FIELD_SIZE ** 2 + 16 * PLAN.count * FIELD_SIZE;

export function createPaintCanvas(memory: KernelMemory, size: number): PaintCanvas {
  return {
    memory,
    out: memory.allocate(Uint8Array, 3 * size * size),
    observed: memory.allocate(Uint8Array, size * size),
    line: memory.allocate(Float32Array, (FIELD_SIZE + 2) * PLAN.count),
    flags: memory.allocate(Uint8Array, FIELD_SIZE * FIELD_SIZE),
    kinds: memory.allocate(Uint8Array, FIELD_SIZE + 1),
  };
}

/** Bytes of a {@link PaintScratch}. */
export const countPaintBytes = (model: FaceModel, { map }: SurfaceTables): number =>
  8 * (12 * map.triangles.length + 2 * model.vertexCount) + 8 * FIELD_SIZE;

export function createPaintScratch(memory: KernelMemory, model: FaceModel, { map }: SurfaceTables): PaintScratch {
  const n = 6 * map.triangles.length;
  const runs = memory.allocate(Int32Array, FIELD_SIZE + 2);
  runs.set(planRuns(map.size));
  return {
    own: memory.allocate(Float64Array, n),
    mirrored: memory.allocate(Float64Array, n),
    pixels: memory.allocate(Float64Array, 2 * model.vertexCount),
    runs,
  };
}

/** Texels painted between two turns of the event loop: a few milliseconds. */
const TEXELS_PER_TURN = 1 << 18;
/** Rows per call of the kernel: compiled code of higher quality takes over between calls. */
const ROWS_PER_CALL = 16;

/**
 * Paints every texel of a surface by its plan. Shape (size,size,3), sRGB.
 *
 * A row is done in runs between neighbouring field cells, in which everything of the plan is linear: what a run does not need (photo,
 * mirrored photo, completed skin, hair) is left out for the whole of it (kernels/paint.ts).
 *
 * @param tables - in the canvas's memory, as are `level`, `plan` and `scratch`
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
  canvas: PaintCanvas,
  pause: () => Promise<void>,
): Promise<Uint8Array> {
  const { size, triangle } = tables.map;
  const { kernels } = canvas.memory;
  const { observed, line, kinds } = canvas;
  const isObserved = options.observed !== undefined;
  const hasHair = tables.strands.length > 0;
  locateTexels(model, tables, frame, level, scratch);
  const out = canvas.out.subarray(0, 3 * size * size);
  fillPixels(out, options.beside);
  if (isObserved) observed.fill(0, 0, size * size);
  kernels.setPaintTables(
    size,
    triangle.byteOffset,
    scratch.runs.byteOffset,
    tables.emptyRuns.byteOffset,
    scratch.own.byteOffset,
    scratch.mirrored.byteOffset,
    plan.channels.byteOffset,
    options.grainTile.byteOffset,
    tables.strands.byteOffset,
    line.byteOffset,
    kinds.byteOffset,
  );
  kernels.setPaintPhoto(
    level.rgb.byteOffset,
    level.width,
    level.height,
    out.byteOffset,
    isObserved ? observed.byteOffset : 0,
    options.grain / (GRAIN_DEVIATION * 128),
    hasHair ? options.hairContrast / STRAND_DEVIATION : 0,
  );
  kernels.prepareRows(canvas.flags.byteOffset);
  const rowsPerTurn = Math.max(16, Math.floor(TEXELS_PER_TURN / size));
  for (let row = 0; row < size; row += ROWS_PER_CALL) {
    if (row > 0 && row % rowsPerTurn < ROWS_PER_CALL) await pause();
    kernels.paintRows(row, Math.min(size, row + ROWS_PER_CALL));
  }
  if (isObserved) options.observed.set(observed.subarray(0, size * size));
  return out.slice();
}

/** Standard deviations of the grain tile and of the strands, as stored. */
const GRAIN_DEVIATION = 40;
const STRAND_DEVIATION = 40;

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
