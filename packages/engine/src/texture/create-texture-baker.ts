import { FacewrightError } from '@facewright/protocol';
import type { FittedFace } from '../fit/fitted-face.ts';
import type { FaceModel, ModelPart, PartMaterial } from '../models/face-model.ts';
import type { FaceLandmarks } from '../nets/face-networks.ts';
import type { PhotoView } from '../photo/photo.ts';
import {
  type CompletionWorkspace,
  completeSurface,
  createCompletionWorkspace,
  PLAN,
  type SeamConstraints,
  type SurfacePlan,
} from './complete-surface.ts';
import { createDetails, type Details, paintDetails } from './details.ts';
import type { FaceMaps, SurfaceMaterial } from './face-maps.ts';
import { createGrainTile, estimateGrain } from './grain.ts';
import { estimateHeadColors } from './head-colors.ts';
import { computeHeadLayout, type HeadLayout } from './head-layout.ts';
import { observeSurface } from './observe-surface.ts';
import { paintSurface } from './paint-surface.ts';
import { computePhotoFrame, type PhotoFrame } from './photo-frame.ts';
import { createPhotoLevel } from './photo-level.ts';
import { computeVertexUvs, createSurfaceTables, FIELD_SIZE, isLining, type SurfaceTables } from './surface-tables.ts';
import { NO_TRIANGLE } from './texel-map.ts';

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
   * @throws FW_CANCELED
   */
  bake(input: BakeInput): FaceMaps;
}

/**
 * Prepares the baking of textures: texel tables of the skin and the scalp, places of hair, folds and openings.
 *
 * @param size - texels per side of the skin texture, 512..4096
 * @throws FW_ARG_INVALID
 */
export function createTextureBaker(model: FaceModel, size: number): TextureBaker {
  if (!Number.isInteger(size) || size < 128 || size > 4096) {
    throw new FacewrightError('FW_ARG_INVALID', { name: 'size', expected: 'a whole number of texels from 128 to 4096', actual: size });
  }
  const layout = computeHeadLayout(model);
  const partsOf = (material: PartMaterial): readonly ModelPart[] => model.parts.filter((p) => p.material === material);
  const skin = createSurfaceTables(model, layout, partsOf('skin'), size);
  const scalpParts = partsOf('scalp');
  const scalp = scalpParts.length > 0 ? createSurfaceTables(model, layout, scalpParts, size) : null;
  const seam = scalp === null ? null : findSeam(model, skin, scalp);
  const outside = [...skin.parts, ...scalpParts.filter((p) => !isLining(p))];
  const workspace = createCompletionWorkspace();
  const grainTile = createGrainTile();
  const details = createDetails(model, size);
  return {
    size,
    bake: (input) => bake({ model, layout, skin, scalp, seam, outside, workspace, grainTile, details, size }, input),
  };
}

/** One bake without keeping the tables. */
export function bakeFaceMaps(input: BakeInput & { readonly size?: number }): FaceMaps {
  return createTextureBaker(input.face.model, input.size ?? 1024).bake(input);
}

interface BakerState {
  readonly model: FaceModel;
  readonly layout: HeadLayout;
  readonly skin: SurfaceTables;
  readonly scalp: SurfaceTables | null;
  readonly seam: Seam | null;
  readonly outside: readonly ModelPart[];
  readonly workspace: CompletionWorkspace;
  readonly grainTile: Int8Array;
  readonly details: Details;
  readonly size: number;
}

function bake(state: BakerState, input: BakeInput): FaceMaps {
  const { model, skin, scalp, seam, workspace, grainTile, size } = state;
  const check = (): void => {
    if (input.signal?.aborted === true) throw new FacewrightError('FW_CANCELED', { stage: 'texture' });
  };
  check();
  const frame = computePhotoFrame(input.face, input.view, input.landmarks, state.layout, state.outside);
  const pixelsPerTexel = estimatePixelsPerTexel(model, skin, frame);
  const coarseFactor = Math.max(1, Math.round((pixelsPerTexel * size) / FIELD_SIZE / input.view.scaleX));
  const coarse = createPhotoLevel(input.view, frame.box, coarseFactor, 0);
  check();
  const skinSeen = observeSurface(model, skin, frame, coarse);
  const scalpSeen = scalp === null ? null : observeSurface(model, scalp, frame, coarse);
  const surfaces = [{ tables: skin, observation: skinSeen }];
  if (scalp !== null && scalpSeen !== null) surfaces.push({ tables: scalp, observation: scalpSeen });
  const colors = estimateHeadColors(surfaces, input.landmarks, input.view, workspace.three);
  check();
  const skinPlan = completeSurface(skin, skinSeen, colors, colors.localSkinTone, workspace, null);
  const scalpPlan =
    scalp === null || scalpSeen === null || seam === null
      ? null
      : completeSurface(scalp, scalpSeen, colors, null, workspace, computeSeamConstraints(seam, skinPlan));
  check();
  const fineFactor = Math.max(1, Math.floor(pixelsPerTexel / input.view.scaleX + 0.25));
  const fine = createPhotoLevel(input.view, frame.box, fineFactor, pixelsPerTexel / input.view.scaleX < 0.8 ? 0.5 : 0);
  const grain = estimateGrain(skin, frame, model, fine);
  check();
  const observed = new Uint8Array(size * size);
  const paint = { grain: 0.55 * grain, grainTile, hairContrast: colors.hair?.contrast ?? 0 };
  const skinRgb = paintSurface(model, skin, frame, fine, skinPlan, { ...paint, observed });
  check();
  const scalpRgb = scalp === null || scalpPlan === null ? null : paintSurface(model, scalp, frame, fine, scalpPlan, paint);
  check();

  let sum = 0;
  for (let p = 0; p < observed.length; p++) sum += observed[p]!;
  const surfacesOut: SurfaceMaterial[] = [
    surface('skin', ['skin'], { name: 'albedo', width: size, height: size, channels: 3, data: skinRgb }, 0.55),
  ];
  if (scalpRgb !== null)
    surfacesOut.push(surface('scalp', ['scalp'], { name: 'scalp', width: size, height: size, channels: 3, data: scalpRgb }, 0.7));
  surfacesOut.push(...paintDetails(state.details, state.model, input, colors));
  return {
    surfaces: surfacesOut,
    observed: { size, data: observed },
    observedRatio: skin.map.covered > 0 ? sum / 255 / skin.map.covered : 0,
  };
}

function surface(name: string, materials: readonly PartMaterial[], albedo: SurfaceMaterial['albedo'], roughness: number): SurfaceMaterial {
  return { name, materials, albedo, baseColor: [1, 1, 1, 1], roughness, alphaMode: 'OPAQUE', doubleSided: false };
}

/** Photo pixels per texel of the texture, where the face is seen best (median over the bare skin's triangles). */
function estimatePixelsPerTexel(model: FaceModel, tables: SurfaceTables, frame: PhotoFrame): number {
  const { triangles, frames, size } = tables.map;
  const ratios: number[] = [];
  for (let i = 0; i < triangles.length; i += 3) {
    const t = 3 * triangles[i]!;
    const [a, b, c] = [model.triangles[t]!, model.triangles[t + 1]!, model.triangles[t + 2]!];
    if (frame.facing[a]! < 0.75) continue;
    const p = frame.imagePoints;
    const area = Math.abs(
      (p[2 * b]! - p[2 * a]!) * (p[2 * c + 1]! - p[2 * a + 1]!) - (p[2 * c]! - p[2 * a]!) * (p[2 * b + 1]! - p[2 * a + 1]!),
    );
    // The inverse matrix of a triangle's UV edges has the reciprocal of twice its UV area as determinant.
    const f = 6 * i;
    const inverseArea = Math.abs(frames[f + 2]! * frames[f + 5]! - frames[f + 3]! * frames[f + 4]!);
    ratios.push(Math.sqrt(area * inverseArea) / size);
  }
  if (ratios.length === 0) return 1;
  ratios.sort((a, b) => a - b);
  return ratios[ratios.length >> 1]!;
}

/** Vertices that two surfaces share and their texels in either field. */
interface Seam {
  readonly skinTexel: Uint32Array;
  readonly scalpTexel: Uint32Array;
}

function findSeam(model: FaceModel, skin: SurfaceTables, scalp: SurfaceTables): Seam {
  const skinUv = computeVertexUvs(model, skin.parts);
  const scalpUv = computeVertexUvs(
    model,
    scalp.parts.filter((p) => !isLining(p)),
  );
  const skinTexel: number[] = [];
  const scalpTexel: number[] = [];
  const texel = (uv: Float32Array, v: number): number =>
    Math.min(FIELD_SIZE - 1, Math.floor(uv[2 * v + 1]! * FIELD_SIZE)) * FIELD_SIZE +
    Math.min(FIELD_SIZE - 1, Math.floor(uv[2 * v]! * FIELD_SIZE));
  for (let v = 0; v < model.vertexCount; v++) {
    if (Number.isNaN(skinUv[2 * v]!) || Number.isNaN(scalpUv[2 * v]!)) continue;
    const a = texel(skinUv, v);
    const b = texel(scalpUv, v);
    if (skin.field.triangle[a] === NO_TRIANGLE || scalp.field.triangle[b] === NO_TRIANGLE) continue;
    skinTexel.push(a);
    scalpTexel.push(b);
  }
  return { skinTexel: Uint32Array.from(skinTexel), scalpTexel: Uint32Array.from(scalpTexel) };
}

function computeSeamConstraints(seam: Seam, plan: SurfacePlan): SeamConstraints {
  const n = seam.skinTexel.length;
  const skin = new Float32Array(3 * n);
  const hair = new Float32Array(3 * n);
  const hairness = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    const p = seam.skinTexel[i]!;
    for (let k = 0; k < 3; k++) {
      skin[3 * i + k] = plan.skin[3 * p + k]!;
      hair[3 * i + k] = plan.hair[3 * p + k]!;
    }
    hairness[i] = plan.hairness[p]!;
  }
  return { texel: seam.scalpTexel, skin, hair, hairness };
}

void PLAN;
