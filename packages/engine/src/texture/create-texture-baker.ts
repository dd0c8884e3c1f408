import { FacewrightError } from '@facewright/protocol';
import type { FittedFace } from '../fit/fitted-face.ts';
import { copyArrays, countKernelBytes, createKernelMemory, type KernelMemory } from '../kernels/kernel-memory.ts';
import type { FaceModel, ModelPart, PartMaterial } from '../models/face-model.ts';
import type { FaceLandmarks } from '../nets/face-networks.ts';
import type { PhotoView } from '../photo/photo.ts';
import {
  COMPLETION_BYTES,
  type CompletionWorkspace,
  completeSurface,
  createCompletionWorkspace,
  createSurfacePlan,
  PLAN,
  PLAN_BYTES,
  type SeamConstraints,
  type SurfacePlan,
} from './complete-surface.ts';
import { type DetailTables, paintDetails } from './details.ts';
import { computeLightDirections, computeLightGains, estimateLight } from './estimate-light.ts';
import type { FaceMaps, SurfaceMaterial } from './face-maps.ts';
import { FIELD_SIZE } from './field-size.ts';
import { estimateGrain } from './grain.ts';
import { estimateHeadColors } from './head-colors.ts';
import type { HeadLayout } from './head-layout.ts';
import {
  countFrameBytes,
  createObservedFrame,
  createSurfaceObservation,
  OBSERVATION_BYTES,
  type ObservedFrame,
  observeSurface,
  placeFrame,
  type SurfaceObservation,
} from './observe-surface.ts';
import {
  countCanvasBytes,
  countPaintBytes,
  createPaintCanvas,
  createPaintScratch,
  type PaintCanvas,
  type PaintScratch,
  paintSurface,
} from './paint-surface.ts';
import { computePhotoFrame, type PhotoFrame } from './photo-frame.ts';
import { countPhotoBytes, createPhotoLevel, createPhotoMemory, type PhotoMemory } from './photo-level.ts';
import { isLining, type SurfaceTables } from './surface-tables.ts';
import type { Seam, TextureTables } from './texture-tables.ts';
import { createVisibilityBuffers, type VisibilityBuffers } from './visibility.ts';

/** Skin and scalp alike: a step of roughness along their rim would be seen in the highlights. */
const SKIN_ROUGHNESS = 0.6;
/** Undoes the blur of bilinear enlargement, see createPhotoLevel. */
const SHARPEN = 0.5;
/** Grain of completed skin relative to the photo's: what is not known should not draw the eye. */
const GRAIN_SHARE = 0.55;

export interface BakeInput {
  readonly face: FittedFace;
  /** The photo, or the part of it that shows the face. */
  readonly view: PhotoView;
  /** In the image frame of the full-size upright photo. */
  readonly landmarks: FaceLandmarks;
  readonly signal?: AbortSignal | undefined;
}

/** Makes the textures of faces of one model at one size. Holds tables and scratch memory, so that a bake allocates little but its result. */
export interface TextureBaker {
  readonly size: number;
  /**
   * Makes the textures of one face. The event loop gets a turn every few milliseconds; the signal is looked at there. Calls may overlap:
   * they share scratch memory and are done one after the other.
   *
   * @throws FW_CANCELED; FW_FIT_FAILED where the photo shows nothing of the face
   */
  bake(input: BakeInput): Promise<FaceMaps>;
}

/**
 * Prepares the baking of textures: memory for one bake beside the tables.
 *
 * @param tables - see {@link computeTextureTables}
 */
export function createTextureBaker(model: FaceModel, tables: TextureTables): TextureBaker {
  const { size } = tables;
  // Copies: tables that were read from a file lie in one piece of memory, most of which is not needed any more then.
  const { eye: eyeTables, ...others } = tables.details;
  const { layout, painted, seam } = copyArrays({ layout: tables.layout, painted: others, seam: tables.seam });
  const own = { skin: tables.skin, scalp: tables.scalp, grainTile: tables.grainTile, eye: eyeTables };
  const sides = tables.scalp === null ? [tables.skin] : [tables.skin, tables.scalp];
  const surfaceBytes = sides.reduce((sum, side) => sum + countPaintBytes(model, side) + PLAN_BYTES + OBSERVATION_BYTES, 0);
  const fieldBytes = COMPLETION_BYTES + 3 * 4 * FIELD_SIZE ** 2 + countFrameBytes(model.vertexCount) + 24 * model.vertexCount + 32;
  const memory = createKernelMemory(countKernelBytes(own) + surfaceBytes + fieldBytes + countPhotoBytes(size) + countCanvasBytes(size));
  // What kernels read lies in their memory; the tables that were given may go.
  const { skin: skinTables, scalp: scalpTables, grainTile, eye } = memory.adopt(own);
  const skin = createSurface(memory, model, skinTables);
  const scalp = scalpTables === null ? null : createSurface(memory, model, scalpTables);
  const state: BakerState = {
    model,
    layout,
    skin,
    scalp,
    seam,
    outside: [...skin.tables.parts, ...(scalp?.tables.parts ?? []).filter((p) => !isLining(p))],
    visibility: createVisibilityBuffers(),
    workspace: createCompletionWorkspace(memory),
    localSkinTone: memory.allocate(Float32Array, 3 * FIELD_SIZE ** 2),
    lightDirections: memory.place(computeLightDirections(model.neutral)),
    lightGains: memory.allocate(Float32Array, 3 * model.vertexCount + 1),
    grainTile,
    details: { ...painted, eye },
    frame: createObservedFrame(memory, model.vertexCount),
    photo: createPhotoMemory(memory, size),
    canvas: createPaintCanvas(memory, size),
    size,
  };
  let last: Promise<unknown> = Promise.resolve();
  return {
    size,
    bake(input) {
      const result = last.then(() => bake(state, input));
      // The next one begins when this one has ended, however it ended.
      last = result.catch(() => undefined);
      return result;
    },
  };
}

/** A surface with its tables and the memory that its bakes use. */
interface Surface {
  readonly tables: SurfaceTables;
  readonly observation: SurfaceObservation;
  readonly plan: SurfacePlan;
  readonly paint: PaintScratch;
}

function createSurface(memory: KernelMemory, model: FaceModel, tables: SurfaceTables): Surface {
  return {
    tables,
    observation: createSurfaceObservation(memory),
    plan: createSurfacePlan(memory),
    paint: createPaintScratch(memory, model, tables),
  };
}

interface BakerState {
  readonly model: FaceModel;
  readonly layout: HeadLayout;
  readonly skin: Surface;
  readonly scalp: Surface | null;
  readonly seam: Seam | null;
  readonly outside: readonly ModelPart[];
  readonly visibility: VisibilityBuffers;
  readonly workspace: CompletionWorkspace;
  readonly localSkinTone: Float32Array;
  /** Shape (V,3) */
  readonly lightDirections: Float32Array;
  /** Shape (V,3), and one more that vectors of four may read. */
  readonly lightGains: Float32Array;
  readonly grainTile: Int8Array;
  readonly details: DetailTables;
  readonly frame: ObservedFrame;
  readonly photo: PhotoMemory;
  readonly canvas: PaintCanvas;
  readonly size: number;
}

async function bake(state: BakerState, input: BakeInput): Promise<FaceMaps> {
  const { model, skin, scalp, seam, workspace, localSkinTone, photo, canvas, size } = state;
  const { view } = input;
  const check = (): void => {
    if (input.signal?.aborted === true) throw new FacewrightError('FW_CANCELED', { stage: 'texture' });
  };
  /** Gives the event loop a turn, in which a timer or a socket may tell the signal. */
  const pause = async (): Promise<void> => {
    await new Promise<void>((resolve) => void setImmediate(resolve));
    check();
  };
  check();
  // 1 What the photo shows, on coarse grids over the surfaces.
  const frame = computePhotoFrame(input.face, view, input.landmarks, state.layout, state.outside, state.visibility);
  const pixelsPerTexel = estimatePixelsPerTexel(model, skin.tables, frame) / view.scaleX;
  const coarse = createPhotoLevel(view, frame.box, Math.max(1, Math.round((pixelsPerTexel * size) / FIELD_SIZE)), 0, photo);
  await pause();
  const { planes } = workspace;
  const surfaces = scalp === null ? [skin] : [skin, scalp];
  placeFrame(frame, state.frame);
  for (const s of surfaces) observeSurface(s.tables, frame, state.frame, coarse, s.observation, [planes[0], planes[1]]);
  const colors = estimateHeadColors(surfaces, input.landmarks, view, workspace, localSkinTone);
  const light = estimateLight(skin.tables, skin.observation, state.lightDirections, localSkinTone, colors.skinSpread);
  const { memory, numbers } = state.frame;
  computeLightGains(light, memory, state.lightDirections, colors.skinTone, numbers, state.lightGains);
  await pause();
  // 2 What paints which place; the scalp follows the skin along their common rim.
  completeSurface(skin.tables, skin.observation, colors, localSkinTone, state.lightGains, workspace, null, skin.plan);
  if (scalp !== null && seam !== null) {
    const ties = computeSeamConstraints(seam, skin.plan);
    completeSurface(scalp.tables, scalp.observation, colors, null, state.lightGains, workspace, ties, scalp.plan);
  }
  await pause();
  // 3 The textures, from the photo as sharp as they can hold it.
  const factor = Math.max(1, Math.floor(pixelsPerTexel + 0.25));
  const fine = createPhotoLevel(view, frame.box, factor, pixelsPerTexel < 0.8 ? SHARPEN : 0, photo);
  const paint = {
    grain: GRAIN_SHARE * estimateGrain(skin.tables, frame, model, fine),
    grainTile: state.grainTile,
    hairContrast: colors.hair?.contrast ?? 0,
    beside: colors.skin,
  };
  await pause();
  const observed = new Uint8Array(size * size);
  const skinRgb = await paintSurface(model, skin.tables, frame, fine, skin.plan, { ...paint, observed }, skin.paint, canvas, pause);
  await pause();
  const scalpRgb =
    scalp === null ? null : await paintSurface(model, scalp.tables, frame, fine, scalp.plan, paint, scalp.paint, canvas, pause);
  await pause();

  const surfacesOut: SurfaceMaterial[] = [
    surface('skin', ['skin'], { name: 'albedo', width: size, height: size, channels: 3, data: skinRgb }, SKIN_ROUGHNESS),
  ];
  if (scalp !== null && scalpRgb !== null)
    surfacesOut.push(
      surface(
        'scalp',
        ['scalp'],
        { name: 'scalp', width: scalp.tables.map.size, height: scalp.tables.map.size, channels: 3, data: scalpRgb },
        SKIN_ROUGHNESS,
      ),
    );
  surfacesOut.push(...paintDetails(state.details, state.model, input, colors, canvas));
  return {
    surfaces: surfacesOut,
    observed: { size, data: observed },
    observedRatio: computeObservedRatio(skin),
  };
}

function surface(name: string, materials: readonly PartMaterial[], albedo: SurfaceMaterial['albedo'], roughness: number): SurfaceMaterial {
  return { name, materials, albedo, baseColor: [1, 1, 1, 1], roughness, alphaMode: 'OPAQUE', doubleSided: false };
}

/** Mean weight of the photo over the skin. */
function computeObservedRatio({ tables, plan }: Surface): number {
  let sum = 0;
  for (const p of tables.texels) sum += plan.channels[p * PLAN.count + PLAN.own];
  return tables.texels.length > 0 ? sum / tables.texels.length : 0;
}

/** Triangles between two whose size is compared: hundreds do for a median. */
const RATIO_STRIDE = 16;

/** Photo pixels per texel of the texture, where the face is seen best (median over the bare skin's triangles). */
function estimatePixelsPerTexel(model: FaceModel, tables: SurfaceTables, frame: PhotoFrame): number {
  const { triangles, frames, size } = tables.map;
  const ratios = new Float64Array(Math.ceil(triangles.length / RATIO_STRIDE));
  let count = 0;
  for (let i = 0; i < triangles.length; i += RATIO_STRIDE) {
    const t = 3 * triangles[i];
    const [a, b, c] = [model.triangles[t], model.triangles[t + 1], model.triangles[t + 2]];
    if (frame.facing[a] < 0.75) continue;
    const p = frame.imagePoints;
    const area = Math.abs((p[2 * b] - p[2 * a]) * (p[2 * c + 1] - p[2 * a + 1]) - (p[2 * c] - p[2 * a]) * (p[2 * b + 1] - p[2 * a + 1]));
    // The inverse matrix of a triangle's UV edges has the reciprocal of twice its UV area as determinant.
    const f = 6 * i;
    const inverseArea = Math.abs(frames[f + 2] * frames[f + 5] - frames[f + 3] * frames[f + 4]);
    ratios[count++] = Math.sqrt(area * inverseArea) / size;
  }
  if (count === 0) return 1;
  ratios.subarray(0, count).sort();
  return ratios[count >> 1];
}

function computeSeamConstraints(seam: Seam, plan: SurfacePlan): SeamConstraints {
  const n = seam.skinTexel.length;
  const skin = new Float32Array(3 * n);
  const hair = new Float32Array(3 * n);
  const hairness = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    const p = seam.skinTexel[i];
    for (let k = 0; k < 3; k++) {
      skin[3 * i + k] = plan.skin[3 * p + k];
      hair[3 * i + k] = plan.hair[3 * p + k];
    }
    hairness[i] = plan.hairness[p];
  }
  return { texel: seam.scalpTexel, skin, hair, hairness };
}
