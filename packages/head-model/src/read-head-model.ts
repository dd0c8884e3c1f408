import { type Container, openContainer } from './container.ts';
import { decodeNeutral, decodePolygons, decodePolygonUvs, decodeRows, decodeSequence } from './decode-mesh.ts';
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

/** Streams of the container: they unpack beside one another and beside the decoding. */
export const STREAM = { mesh: 0, modes: 1, expressions: 2 } as const;

/**
 * Decodes a head model file.
 *
 * @param path Named in the errors only.
 * @throws FW_MODEL_CORRUPT, FW_MODEL_VERSION
 */
export async function readHeadModel(bytes: Uint8Array, path: string): Promise<HeadModelData> {
  const container = openContainer<HeadModelMeta>(bytes, path);
  const expressionsReady = container.unpack(STREAM.expressions);
  const modesReady = container.unpack(STREAM.modes);
  // Awaited below; should the mesh fail first, nobody is left to hear of these, and that must not end the process.
  for (const ready of [expressionsReady, modesReady]) ready.catch(() => {});
  await container.unpack(STREAM.mesh);
  const { meta, array } = container;
  const mirrorVertex = decodeSequence(array('mirrorVertex', 'u16', meta.vertexCount));
  const order = array('order', 'u16');
  const table: PredictionTable = {
    order,
    mirrorVertex,
    references: array('references', 'u16', REFERENCES * order.length),
    weights: array('weights', 'i16', REFERENCES * order.length),
  };
  const mesh = readMesh(container, table);

  await expressionsReady;
  const expressions: SparseShape[] = decodeExpressions(table, {
    predictors: array('predictors', 'u8', meta.expressionNames.length),
    moving: array('moving', 'u8', meta.expressionNames.length * Math.ceil(order.length / 4)),
    residuals: array('expressions', 'u8'),
    escapes: array('expressionEscapes', 'u16'),
  }).map((shape, e) => ({ name: meta.expressionNames[e]!, stepMm: meta.expressionStepMm, ...shape }));

  await modesReady;
  const { bodies, rowCount, ...basis } = meta.identity;
  const bodyColumns = array('bodies', 'f32', 12 * basis.columnCount * bodies.length);
  return {
    ...mesh,
    mirrorVertex,
    expressions,
    identity: {
      ...basis,
      columnMode: array('columnMode', 'u16', basis.columnCount),
      rowVertex: order.subarray(0, rowCount),
      rowPartner: array('rowPartner', 'u16', rowCount),
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

function readMesh(
  { meta, array }: Container<HeadModelMeta>,
  { order, mirrorVertex, references }: PredictionTable,
): Omit<HeadModelData, 'mirrorVertex' | 'expressions' | 'identity'> {
  const V = meta.vertexCount;
  const regionBytes = array('regions', 'u8', meta.regionNames.length * V);
  const regions = Object.fromEntries(
    meta.regionNames.map((name, r) => [name, Float32Array.from(regionBytes.subarray(r * V, (r + 1) * V)).map((w) => w / 255)]),
  );
  const polygons = decodePolygons(array('polygons', 'u16', 4 * meta.polygonCount));
  return {
    id: meta.id,
    version: meta.version,
    licence: meta.licence,
    vertexCount: V,
    neutral: decodeNeutral(order, mirrorVertex, references, REFERENCES, array('neutral', 'u8', 9 * V), meta.neutralStepMm),
    polygons,
    polygonUvs: decodePolygonUvs(polygons, array('polygonUvs', 'u16', 4 * meta.polygonCount), V),
    uvs: decodeRows(array('uvs', 'u8', 6 * meta.uvCount), 2, meta.uvStep),
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
