import { type Container, openContainer } from './container.ts';
import { decodeExpressions, decodeModes, type PredictionTable, REFERENCES } from './decode-shapes.ts';
import type { AffineBody, HeadModelData, HeadPart, HeadRegion, QuantisationRecord, SparseShape } from './head-model-data.ts';

/** What the file says in words; numbers are in its arrays. */
export interface HeadModelMeta {
  readonly id: string;
  readonly version: string;
  readonly licence: HeadModelData['licence'];
  readonly vertexCount: number;
  readonly polygonCount: number;
  readonly uvCount: number;
  readonly identity: {
    readonly modeCount: number;
    readonly columnCount: number;
    readonly symmetricColumns: number;
    readonly rowCount: number;
    readonly bodies: readonly Omit<AffineBody, 'columns'>[];
  };
  readonly neutralStepMm: number;
  /** UVs are whole multiples of this: upstream's six decimals. */
  readonly uvStep: number;
  readonly expressionStepMm: number;
  readonly expressionNames: readonly string[];
  readonly regionNames: readonly HeadRegion[];
  readonly parts: readonly HeadPart[];
  readonly quantisation: QuantisationRecord;
}

/** Streams of the container: the modes are most of it, and unpack beside the rest. */
export const STREAM = { rest: 0, modes: 1 } as const;

/**
 * Decodes a head model file.
 *
 * @param path Named in the errors only.
 * @throws FW_MODEL_CORRUPT, FW_MODEL_VERSION
 */
export async function readHeadModel(bytes: Uint8Array, path: string): Promise<HeadModelData> {
  const container = openContainer<HeadModelMeta>(bytes, path);
  const modesReady = container.unpack(STREAM.modes);
  await container.unpack(STREAM.rest);
  const { meta, array } = container;
  const V = meta.vertexCount;
  const mirrorVertex = array('mirrorVertex', 'u16', V);
  const order = array('order', 'u16');
  const table: PredictionTable = {
    order,
    mirrorVertex,
    references: array('references', 'u16', REFERENCES * order.length),
    weights: array('weights', 'i16', REFERENCES * order.length),
  };
  const expressions: SparseShape[] = decodeExpressions(table, {
    predictors: array('predictors', 'u8', meta.expressionNames.length),
    moving: array('moving', 'u8', meta.expressionNames.length * Math.ceil(order.length / 4)),
    residuals: array('expressions', 'u8'),
    escapes: array('expressionEscapes', 'u16'),
  }).map((shape, e) => ({ name: meta.expressionNames[e]!, stepMm: meta.expressionStepMm, ...shape }));
  const rest = readRest(container);

  await modesReady;
  const { bodies, rowCount, ...basis } = meta.identity;
  const bodyColumns = array('bodies', 'f32', 12 * basis.columnCount * bodies.length);
  return {
    ...rest,
    mirrorVertex,
    expressions,
    identity: {
      ...basis,
      columnMode: array('columnMode', 'u16', basis.columnCount),
      rowVertex: order.subarray(0, rowCount),
      rowStepMm: array('rowStepMm', 'f32', rowCount),
      steps: decodeModes(
        table,
        rowCount,
        3 * basis.columnCount,
        array('modes', 'u8', 3 * rowCount * basis.columnCount),
        array('modeEscapes', 'u16'),
      ),
      bodies: bodies.map((body, b) => ({
        ...body,
        columns: bodyColumns.subarray(12 * basis.columnCount * b, 12 * basis.columnCount * (b + 1)),
      })),
    },
  };
}

function readRest({ meta, array }: Container<HeadModelMeta>): Omit<HeadModelData, 'mirrorVertex' | 'expressions' | 'identity'> {
  const V = meta.vertexCount;
  const regionBytes = array('regions', 'u8', meta.regionNames.length * V);
  const regions = Object.fromEntries(meta.regionNames.map((name, r) => [name, scaled(regionBytes.subarray(r * V, (r + 1) * V), 1 / 255)]));
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
    landmarks: {
      landmark: array('landmark', 'u16'),
      triangle: array('landmarkTriangle', 'u32'),
      barycentric: array('landmarkBarycentric', 'f32'),
      mirror: array('landmarkMirror', 'u16'),
      confidence: array('landmarkConfidence', 'f32'),
    },
    regions: regions as Record<HeadRegion, Float32Array>,
    quantisation: meta.quantisation,
  };
}

function scaled(steps: Int32Array | Uint8Array, step: number): Float32Array {
  const out = new Float32Array(steps.length);
  for (let i = 0; i < out.length; i++) out[i] = steps[i]! * step;
  return out;
}
