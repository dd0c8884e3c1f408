import { readContainer } from './container.ts';
import { decodeExpressions, decodeModes, type PredictionTable, REFERENCES } from './decode-shapes.ts';
import type { HeadModelData, HeadPart, HeadRegion, QuantisationRecord, SparseShape } from './head-model-data.ts';

/** What the file says in words; numbers are in its arrays. */
export interface HeadModelMeta {
  readonly id: string;
  readonly version: string;
  readonly licence: HeadModelData['licence'];
  readonly vertexCount: number;
  readonly polygonCount: number;
  readonly uvCount: number;
  readonly identityCount: number;
  readonly neutralStepMm: number;
  /** UVs are whole multiples of this: upstream's six decimals. */
  readonly uvStep: number;
  readonly expressionStepMm: number;
  readonly expressionNames: readonly string[];
  readonly regionNames: readonly HeadRegion[];
  readonly parts: readonly HeadPart[];
  readonly quantisation: QuantisationRecord;
}

/**
 * Decodes a head model file.
 *
 * @param path Named in the errors only.
 * @throws FW_MODEL_CORRUPT, FW_MODEL_VERSION
 */
export function readHeadModel(bytes: Uint8Array, path: string): HeadModelData {
  const { meta, array } = readContainer<HeadModelMeta>(bytes, path);
  const V = meta.vertexCount;
  const mirrorVertex = array('mirrorVertex', 'u16', V);
  const table: PredictionTable = {
    order: array('order', 'u16', V),
    mirrored: array('mirrored', 'u8', V),
    mirrorVertex,
    references: array('references', 'u16', REFERENCES * V),
    weights: array('weights', 'i16', REFERENCES * V),
  };
  const identity = decodeModes(
    table,
    array('parity', 'i8', meta.identityCount),
    array('identity', 'u8', 3 * V * meta.identityCount),
    array('identityEscapes', 'u16'),
  );
  const expressions: SparseShape[] = decodeExpressions(
    table,
    array('predictors', 'u8', meta.expressionNames.length),
    array('moving', 'u8'),
    array('expressions', 'u8'),
    array('expressionEscapes', 'u16'),
  ).map((shape, e) => ({ name: meta.expressionNames[e]!, stepMm: meta.expressionStepMm, ...shape }));

  const regionBytes = array('regions', 'u8', meta.regionNames.length * V);
  const regions = Object.fromEntries(
    meta.regionNames.map((name, r) => [name, Float32Array.from(regionBytes.subarray(r * V, (r + 1) * V), (w) => w / 255)]),
  ) as Record<HeadRegion, Float32Array>;

  return {
    id: meta.id,
    version: meta.version,
    licence: meta.licence,
    vertexCount: V,
    neutral: scaled(array('neutral', 'i32', 3 * V), meta.neutralStepMm),
    polygons: array('polygons', 'u32', 4 * meta.polygonCount),
    polygonUvs: array('polygonUvs', 'u32', 4 * meta.polygonCount),
    uvs: scaled(array('uvs', 'i32', 2 * meta.uvCount), meta.uvStep),
    parts: meta.parts,
    mirrorVertex,
    identityCount: meta.identityCount,
    identity,
    identityStepMm: array('identityStepMm', 'f32', V),
    expressions,
    landmarks: {
      landmark: array('landmark', 'u16'),
      triangle: array('landmarkTriangle', 'u32'),
      barycentric: array('landmarkBarycentric', 'f32'),
      mirror: array('landmarkMirror', 'u16'),
      confidence: array('landmarkConfidence', 'f32'),
    },
    regions,
    quantisation: meta.quantisation,
  };
}

function scaled(steps: Int32Array, step: number): Float32Array {
  const out = new Float32Array(steps.length);
  for (let i = 0; i < out.length; i++) out[i] = steps[i]! * step;
  return out;
}
