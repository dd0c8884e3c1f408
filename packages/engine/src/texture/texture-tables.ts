import { FacewrightError } from '@facewright/protocol';
import type { FaceModel, ModelPart, PartMaterial } from '../models/face-model.ts';
import { computeDetailTables, type DetailTables } from './details.ts';
import { FIELD_SIZE } from './field-size.ts';
import { createGrainTile } from './grain.ts';
import { computeHeadLayout, type HeadLayout } from './head-layout.ts';
import { computeVertexUvs, createSurfaceTables, isLining, type SurfaceTables } from './surface-tables.ts';
import { NO_TRIANGLE } from './texel-map.ts';

/** Size of the scalp's texture relative to the skin's: hair is seen from further away than a face. */
const SCALP_SIZE_RATIO = 0.5;
/** Everything that the textures of one model at one size have in common, whoever is shown: numbers, words and arrays only, so that it can be kept in a file. */
export interface TextureTables {
  /** Texels per side of the skin texture. */
  readonly size: number;
  readonly layout: HeadLayout;
  readonly skin: SurfaceTables;
  /** Null where the model has no scalp. */
  readonly scalp: SurfaceTables | null;
  readonly seam: Seam | null;
  /** See {@link createGrainTile}. */
  readonly grainTile: Int8Array;
  readonly details: DetailTables;
}

/** Vertices that two surfaces share and their texels in either field. */
export interface Seam {
  readonly skinTexel: Uint32Array;
  readonly scalpTexel: Uint32Array;
}

/**
 * Version of what is in {@link TextureTables}: raise it with every change of what {@link computeTextureTables} returns, so that tables on disk from
 * before are not taken for those of now (a test compares the tables with what the version had).
 */
export const TABLES_VERSION = 3;

/**
 * Computes texel tables of the skin and the scalp, places of hair, folds and openings, and what is painted without the photo. Takes half a second
 * at first, for no loop has been compiled yet: see load-texture-tables.ts.
 *
 * @param size - texels per side of the skin texture, 128..4096. Below 512 (see TEXTURE_SIZE_RANGE, which is what users may ask for) eyes and
 * lips are a few texels high; tests use such sizes.
 * @throws FW_ARG_INVALID
 */
export function computeTextureTables(model: FaceModel, size: number): TextureTables {
  if (!Number.isInteger(size) || size < 128 || size > 4096) {
    throw new FacewrightError('FW_ARG_INVALID', { name: 'size', expected: 'a whole number of texels from 128 to 4096', actual: size });
  }
  const layout = computeHeadLayout(model);
  const partsOf = (material: PartMaterial): readonly ModelPart[] => model.parts.filter((p) => p.material === material);
  const skin = createSurfaceTables(model, layout, partsOf('skin'), size);
  const scalpParts = partsOf('scalp');
  const scalp = scalpParts.length > 0 ? createSurfaceTables(model, layout, scalpParts, Math.round(SCALP_SIZE_RATIO * size)) : null;
  return {
    size,
    layout,
    skin,
    scalp,
    seam: scalp === null ? null : findSeam(model, skin, scalp),
    grainTile: createGrainTile(),
    details: computeDetailTables(model, size),
  };
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
    Math.min(FIELD_SIZE - 1, Math.floor(uv[2 * v + 1] * FIELD_SIZE)) * FIELD_SIZE +
    Math.min(FIELD_SIZE - 1, Math.floor(uv[2 * v] * FIELD_SIZE));
  for (let v = 0; v < model.vertexCount; v++) {
    if (Number.isNaN(skinUv[2 * v]) || Number.isNaN(scalpUv[2 * v])) continue;
    const a = texel(skinUv, v);
    const b = texel(scalpUv, v);
    if (skin.field.triangle[a] === NO_TRIANGLE || scalp.field.triangle[b] === NO_TRIANGLE) continue;
    skinTexel.push(a);
    scalpTexel.push(b);
  }
  return { skinTexel: Uint32Array.from(skinTexel), scalpTexel: Uint32Array.from(scalpTexel) };
}
