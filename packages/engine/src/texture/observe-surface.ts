import type { KernelMemory } from '../kernels/kernel-memory.ts';
import { FIELD_SIZE } from './field-size.ts';
import type { PhotoFrame } from './photo-frame.ts';
import type { PhotoLevel } from './photo-level.ts';
import type { SurfaceTables } from './surface-tables.ts';
import { VISIBILITY_CELLS } from './visibility.ts';

/** What a photo shows of a surface, on its field grid. */
export interface SurfaceObservation {
  /** Shape (F,F), 0..1: how well the texel itself is seen (turned to the camera, nothing before it, inside the photo). What colour says is not in it. */
  readonly seen: Float32Array;
  /** Shape (F,F,3), sRGB 0..255: colour of the photo there; meaningless where `seen` is 0. */
  readonly rgb: Float32Array;
  /** Shape (F,F,3): its tone (see computeTone); meaningless where `seen` is 0. */
  readonly tone: Float32Array;
  /** Shape (F,F), millimetres: distance outside the outline of the face landmarks in the photo, negative inside; meaningless where `seen` is 0. */
  readonly beyondMm: Float32Array;
  /** Shape (F,F), millimetres: distance to the outline of the fitted head in the photo (see VisibilityGrid); meaningless where `seen` is 0. */
  readonly outlineMm: Float32Array;
}

/** Width of the soft edge at the border of the photo, eye distances. */
const BORDER_RATIO = 0.12;
/** Memory for observations of one surface, to be used again for every photo. */
export function createSurfaceObservation(memory: KernelMemory): SurfaceObservation {
  const n = FIELD_SIZE * FIELD_SIZE;
  return {
    seen: memory.allocate(Float32Array, n),
    rgb: memory.allocate(Float32Array, 3 * n),
    tone: memory.allocate(Float32Array, 3 * n),
    beyondMm: memory.allocate(Float32Array, n),
    outlineMm: memory.allocate(Float32Array, n),
  };
}

/** Bytes of {@link createSurfaceObservation}. */
export const OBSERVATION_BYTES = 9 * 4 * FIELD_SIZE ** 2 + 80;

/** Tells the kernels which surface they work on, and where what the photo shows of it is written and read. */
export function setField({ kernels }: KernelMemory, tables: SurfaceTables, observation: SurfaceObservation): void {
  const { texels, corners, weights, mirrorTexel, outsideMm, hairlineMm, lidRimMm, lipRimMm, openness, lining } = tables;
  const { seen, rgb, tone, beyondMm, outlineMm } = observation;
  kernels.setField(
    texels.length,
    texels.byteOffset,
    corners.byteOffset,
    weights.byteOffset,
    mirrorTexel.byteOffset,
    outsideMm.byteOffset,
    hairlineMm.byteOffset,
    lidRimMm.byteOffset,
    lipRimMm.byteOffset,
    openness.byteOffset,
    lining.byteOffset,
    seen.byteOffset,
    rgb.byteOffset,
    tone.byteOffset,
    beyondMm.byteOffset,
    outlineMm.byteOffset,
  );
}

/** A photo frame where the kernels can read it. */
export interface ObservedFrame {
  readonly memory: KernelMemory;
  /** Shape (V,2) */
  readonly imagePoints: Float32Array;
  /** Shape (V) each. */
  readonly depth: Float32Array;
  readonly facing: Float32Array;
  readonly insidePx: Float32Array;
  readonly beyondMm: Float32Array;
  /** Depth and outline of the visibility grid. */
  readonly gridDepth: Float32Array;
  readonly outlineMm: Float32Array;
  /** Shape (33) */
  readonly numbers: Float64Array;
}

/** Bytes of {@link createObservedFrame}. */
export const countFrameBytes = (vertexCount: number): number => 24 * vertexCount + 8 * VISIBILITY_CELLS + 512;

export function createObservedFrame(memory: KernelMemory, vertexCount: number): ObservedFrame {
  const perVertex = (): Float32Array => memory.allocate(Float32Array, vertexCount);
  return {
    memory,
    imagePoints: memory.allocate(Float32Array, 2 * vertexCount),
    depth: perVertex(),
    facing: perVertex(),
    insidePx: perVertex(),
    beyondMm: perVertex(),
    gridDepth: memory.allocate(Float32Array, VISIBILITY_CELLS),
    outlineMm: memory.allocate(Float32Array, VISIBILITY_CELLS),
    numbers: memory.allocate(Float64Array, 33),
  };
}

/** Copies what the kernels read of a frame. */
export function placeFrame(frame: PhotoFrame, out: ObservedFrame): void {
  out.imagePoints.set(frame.imagePoints);
  out.depth.set(frame.depth);
  out.facing.set(frame.facing);
  out.insidePx.set(frame.insidePx);
  out.beyondMm.set(frame.beyondMm);
  out.gridDepth.set(frame.visibility.depth);
  out.outlineMm.set(frame.visibility.outlineMm);
}

/**
 * Looks up what the photo shows of a surface (kernels/complete.ts: turned to the camera, nothing before it, inside the photo and the outline of
 * the head).
 *
 * @param placed - see {@link placeFrame}
 * @param level - photo reduced to about one pixel per field texel
 * @param out - written
 * @param scratch - shape (F,F) twice, in the kernels' memory
 */
export function observeSurface(
  tables: SurfaceTables,
  frame: PhotoFrame,
  placed: ObservedFrame,
  level: PhotoLevel,
  out: SurfaceObservation,
  scratch: readonly [Float32Array, Float32Array],
): void {
  const { memory, numbers } = placed;
  const { kernels } = memory;
  const { visibility: grid } = frame;
  const border = 1 / Math.max(1, BORDER_RATIO * frame.eyeDistancePx);
  numbers.set([grid.originX, grid.originY, grid.scale, level.originX, level.originY, level.scaleX, level.scaleY, border]);
  setField(memory, tables, out);
  kernels.observeTexels(
    placed.imagePoints.byteOffset,
    placed.depth.byteOffset,
    placed.facing.byteOffset,
    placed.insidePx.byteOffset,
    placed.beyondMm.byteOffset,
    placed.gridDepth.byteOffset,
    placed.outlineMm.byteOffset,
    grid.width,
    grid.height,
    level.rgb.byteOffset,
    level.width,
    level.height,
    numbers.byteOffset,
  );
  // Fits are not exact to the texel, and hard edges show.
  kernels.softenEdges(out.seen.byteOffset, tables.field.triangle.byteOffset, FIELD_SIZE, scratch[0].byteOffset, scratch[1].byteOffset);
}
