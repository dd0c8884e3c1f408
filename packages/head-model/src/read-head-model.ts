import { type Container, openContainer } from './container.ts';
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
  readonly expressionStepMm: number;
  readonly expressionNames: readonly string[];
  readonly regionNames: readonly HeadRegion[];
  readonly parts: readonly HeadPart[];
  readonly quantisation: QuantisationRecord;
}

/** Streams of the container: they unpack beside one another and beside what else the process does. */
export const STREAM = { mesh: 0, modes: 1, expressions: 2 } as const;

/**
 * Decodes a head model file.
 *
 * @param path Named in the errors only.
 * @throws FW_MODEL_CORRUPT, FW_MODEL_VERSION
 */
export async function readHeadModel(bytes: Uint8Array, path: string): Promise<HeadModelData> {
  const container = openContainer<HeadModelMeta>(bytes, path);
  const modesReady = container.unpack(STREAM.modes);
  const expressionsReady = container.unpack(STREAM.expressions);
  // Awaited below; should the mesh fail first, nobody is left to hear of these, and that must not end the process.
  for (const ready of [expressionsReady, modesReady]) ready.catch(() => {});
  await container.unpack(STREAM.mesh);
  const { meta, array } = container;
  const mesh = readMesh(container);
  await expressionsReady;
  const expressions = readExpressions(container);

  await modesReady;
  const { bodies, rowCount, ...basis } = meta.identity;
  const bodyColumns = array('bodies', 'f32', 12 * basis.columnCount * bodies.length);
  return {
    ...mesh,
    expressions,
    identity: {
      ...basis,
      columnMode: array('columnMode', 'u16', basis.columnCount),
      rowVertex: array('rowVertex', 'u16', rowCount),
      rowPartner: array('rowPartner', 'u16', rowCount),
      rowStepMm: array('rowStepMm', 'f32', rowCount),
      steps: array('modes', 'i8', 3 * rowCount * basis.columnCount),
      carries: {
        count: array('carryCount', 'u16', basis.columnCount),
        place: array('carryPlace', 'u16'),
        amount: array('carryAmount', 'i8'),
      },
      bodies: bodies.map((body, b) => ({
        ...body,
        columns: bodyColumns.subarray(12 * basis.columnCount * b, 12 * basis.columnCount * (b + 1)),
      })),
    },
  };
}

function readMesh({ meta, array }: Container<HeadModelMeta>): Omit<HeadModelData, 'expressions' | 'identity'> {
  const V = meta.vertexCount;
  const weights = array('regions', 'f32', meta.regionNames.length * V);
  const regions = Object.fromEntries(meta.regionNames.map((name, r) => [name, weights.subarray(r * V, (r + 1) * V)]));
  return {
    id: meta.id,
    version: meta.version,
    licence: meta.licence,
    vertexCount: V,
    neutral: array('neutral', 'f32', 3 * V),
    polygons: array('polygons', 'u32', 4 * meta.polygonCount),
    polygonUvs: array('polygonUvs', 'u32', 4 * meta.polygonCount),
    uvs: array('uvs', 'f32', 2 * meta.uvCount),
    parts: meta.parts,
    mirrorVertex: array('mirrorVertex', 'u16', V),
    landmarks: {
      landmark: array('landmark', 'u16'),
      triangle: array('landmarkTriangle', 'u32'),
      barycentric: array('landmarkBarycentric', 'f32'),
      mirror: array('landmarkMirror', 'u16'),
      confidence: array('landmarkConfidence', 'f32'),
      mean: array('landmarkMean', 'f32'),
      identity: array('landmarkModes', 'f32'),
      expression: array('landmarkExpressions', 'f32'),
    },
    regions: regions as Record<HeadRegion, Float32Array>,
    quantisation: meta.quantisation,
  };
}

function readExpressions({ meta, array }: Container<HeadModelMeta>): SparseShape[] {
  const count = meta.expressionNames.length;
  const moving = array('movingCount', 'u16', count);
  const runCounts = array('runCount', 'u16', count);
  const runs = array('runs', 'u16');
  const steps = array('expressions', 'i16');
  let run = 0;
  let at = 0;
  return meta.expressionNames.map((name, e) => {
    const vertices = new Uint16Array(moving[e]!);
    let n = 0;
    for (const end = run + 2 * runCounts[e]!; run < end; run += 2) {
      for (let v = runs[run]!, last = v + runs[run + 1]!; v < last; v++) vertices[n++] = v;
    }
    const shape = { name, vertices, steps: steps.subarray(at, at + 3 * n), stepMm: meta.expressionStepMm };
    at += 3 * n;
    return shape;
  });
}
