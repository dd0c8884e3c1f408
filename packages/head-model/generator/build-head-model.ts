import { type HeadRegion, NO_CORNER, type QuantisationRecord, type SparseShape } from '../src/head-model-data.ts';
import { type HeadModelMeta, STREAM } from '../src/read-head-model.ts';
import { triangulate } from '../src/triangulate.ts';
import { buildRegions } from './build-regions.ts';
import { computeLandmarkBasis } from './compute-landmark-basis.ts';
import { deriveGaze, deriveTongueOut } from './derive-expressions.ts';
import { fitBodies } from './fit-bodies.ts';
import type { CanonicalMesh } from './fit-canonical-mesh.ts';
import { fitSphere } from './fit-sphere.ts';
import { findPart, HEAD_PARTS } from './head-parts.ts';
import { measureQuantisation } from './measure-quantisation.ts';
import { pairVertices } from './pair-vertices.ts';
import type { Upstream } from './read-upstream.ts';
import { registerLandmarks } from './register-landmarks.ts';
import { type ModeColumns, splitModes } from './split-modes.ts';
import { splitSteps } from './split-steps.ts';
import { writeContainer } from './write-container.ts';

/** Version of the model data: raised whenever a number of the model changes (how the file is laid out has a version of its own). */
const MODEL_VERSION = '1.0.0';

const MM_PER_CM = 10;
const NEUTRAL_STEP_MM = 0.001;
const UV_STEPS = 1e6;
const FACE_STEP_MM = 0.003;
const OTHER_STEP_MM = 0.005;
/** Vertices that the symmetric columns miss by more stand for themselves alone (90 of them, around inner eye corners and nostrils). */
const SINGLE_ABOVE_MM = 0.02;
/** Heads from which the record in the file is measured; the tests use others. */
const RECORD_SEEDS = [1, 2, 3, 4];
const DROP_PART_BELOW_MM = 0.001;
const EXPRESSION_STEP_MM = 0.006;

/** The model file made of upstream's shapes, and lines that tell how it went. */
export function buildHeadModel(upstream: Upstream, canonical: CanonicalMesh): { bytes: Uint8Array; report: string[] } {
  const { neutral, identities } = upstream;
  const vertexCount = neutral.positions.length / 3;

  const origin = findOriginCm(neutral.positions);
  const positions = neutral.positions.map((x, i) => MM_PER_CM * (x - origin[i % 3]!));
  const neutralMm = Float32Array.from(positions, (x) => Math.round(x / NEUTRAL_STEP_MM) * NEUTRAL_STEP_MM);
  const mirrorVertex = pairVertices(neutral.positions);

  const columns = splitModes(identities, mirrorVertex, findPart('face').vertices[1], DROP_PART_BELOW_MM);
  const bodies = fitBodies(positions, columns);
  const inBody = new Uint8Array(vertexCount);
  for (const b of bodies) inBody.fill(1, b.firstVertex, b.firstVertex + b.vertexCount);
  const representatives = chooseRepresentatives(positions, mirrorVertex);
  const isSingle = (v: number): boolean => !inBody[v] && columns.leftOutMm[v]! > SINGLE_ABOVE_MM;
  const paired = representatives.filter((v) => !inBody[v]);
  // Ascending: neighbours in upstream's order are neighbours on the head as a rule, which packs best.
  const rowVertex = Uint16Array.from([
    ...paired,
    ...paired.flatMap((v) => (isSingle(v) && mirrorVertex[v] !== v ? [mirrorVertex[v]!] : [])),
  ]).sort();
  const rowStepMm = Float32Array.from(rowVertex, identityStepOf);
  const rowPartner = rowVertex.map((v) => (isSingle(v) ? v : mirrorVertex[v]!));
  const columnCount = columns.columnMode.length;
  const packedSteps = splitSteps(countSteps(columns, identities, rowVertex, rowStepMm, isSingle), columnCount);

  const { polygons, polygonUvs } = packPolygons(upstream, positions);
  const shapes = [
    ...upstream.expressions.map(({ name, delta }) => ({ name, deltaMm: delta.map((x) => MM_PER_CM * x) })),
    ...deriveGaze(positions),
    deriveTongueOut(positions, polygons, polygonUvs),
  ];
  const expressions: SparseShape[] = shapes.map(({ name, deltaMm }) => ({ name, stepMm: EXPRESSION_STEP_MM, ...listMoving(deltaMm) }));
  const runs = expressions.map(({ vertices }) => findRuns(vertices));

  const { uvs, tiles } = packUvs(upstream);
  const landmarks = registerLandmarks(positions, polygons, canonical);
  const skinUvs = new Float64Array(2 * findPart('face').vertices[1]);
  for (const polygon of neutral.polygons.slice(...findPart('face').polygons)) {
    polygon.vertices.forEach((v, k) => {
      for (let d = 0; d < 2; d++) skinUvs[2 * v + d] = neutral.uvs[2 * polygon.uvs[k]! + d]!;
    });
  }
  const triangles = triangulate(polygons);
  const regions = buildRegions({
    positions,
    polygons,
    skinUvs,
    landmarkUv: (l) => {
      const uv: [number, number] = [0, 0];
      for (let c = 0; c < 3; c++) {
        const v = triangles[3 * landmarks.triangle[l]! + c]!;
        for (let d = 0; d < 2; d++) uv[d]! += landmarks.barycentric[3 * l + c]! * skinUvs[2 * v + d]!;
      }
      return uv;
    },
  });
  const regionNames = Object.keys(regions) as HeadRegion[];

  const basis = {
    modeCount: identities.length,
    columnCount,
    symmetricColumns: columns.symmetricColumns,
    bodies: bodies.map(({ columns: _, ...body }) => body),
  };
  const shapesAsStored = {
    neutral: neutralMm,
    mirrorVertex,
    identity: { ...basis, bodies, columnMode: columns.columnMode, rowVertex, rowPartner, rowStepMm, ...packedSteps },
    expressions,
  };
  const landmarkFields = computeLandmarkBasis(shapesAsStored, landmarks, triangles);
  const [face, other] = measureQuantisation(
    shapesAsStored,
    {
      neutralMm: positions,
      identitiesMm: identities.map((mode) => mode.map((x) => MM_PER_CM * x)),
      expressionsMm: shapes.map((s) => s.deltaMm),
    },
    [findPart('face').vertices, [findPart('face').vertices[1], vertexCount]],
    RECORD_SEEDS,
  );
  const round = (x: number): number => Math.round(x * 1e5) / 1e5;
  const quantisation: QuantisationRecord = {
    identityStepMm: FACE_STEP_MM,
    expressionStepMm: EXPRESSION_STEP_MM,
    faceRmsMm: round(face!.rmsMm),
    faceWorstMm: round(face!.worstMm),
    otherRmsMm: round(other!.rmsMm),
    otherWorstMm: round(other!.worstMm),
  };
  const report = [
    `${rowStepMm.length} rows of ${columnCount} columns, ${bodies.length} bodies, ${shapes.length} expressions`,
    `deviation of random heads, mm: face rms ${face!.rmsMm.toFixed(4)} worst ${face!.worstMm.toFixed(4)}, other parts rms ${other!.rmsMm.toFixed(4)} worst ${other!.worstMm.toFixed(4)}`,
  ];
  const meta: HeadModelMeta = {
    id: 'head',
    version: MODEL_VERSION,
    licence: { spdx: 'MIT', notice: upstream.licenceText, source: 'ICT-FaceKit light, https://github.com/ICT-VGL/ICT-FaceKit' },
    vertexCount,
    polygonCount: neutral.polygons.length,
    uvCount: uvs.length / 2,
    identity: { ...basis, rowCount: rowStepMm.length },
    expressionStepMm: EXPRESSION_STEP_MM,
    expressionNames: shapes.map((s) => s.name),
    regionNames,
    parts: HEAD_PARTS.map((p) => ({
      name: p.name,
      material: p.material,
      firstPolygon: p.polygons[0],
      polygonCount: p.polygons[1] - p.polygons[0],
      uvTile: tiles[p.polygons[0]]!,
    })),
    quantisation,
  };
  const bytes = writeContainer(meta, [
    { name: 'neutral', data: neutralMm },
    { name: 'polygons', data: polygons },
    { name: 'polygonUvs', data: polygonUvs },
    { name: 'uvs', data: uvs },
    { name: 'mirrorVertex', data: mirrorVertex },
    { name: 'rowVertex', data: rowVertex },
    { name: 'columnMode', data: columns.columnMode },
    { name: 'rowStepMm', data: rowStepMm },
    { name: 'rowPartner', data: rowPartner },
    { name: 'bodies', data: Float32Array.from(bodies.flatMap((b) => Array.from(b.columns))) },
    { name: 'movingCount', data: Uint16Array.from(expressions, (e) => e.vertices.length), stream: STREAM.expressions },
    { name: 'runCount', data: Uint16Array.from(runs, (r) => r.length / 2), stream: STREAM.expressions },
    { name: 'runs', data: Uint16Array.from(runs.flat()), stream: STREAM.expressions },
    { name: 'expressions', data: Int16Array.from(expressions.flatMap((e) => Array.from(e.steps))), stream: STREAM.expressions },
    { name: 'landmark', data: landmarks.landmark },
    { name: 'landmarkTriangle', data: landmarks.triangle },
    { name: 'landmarkBarycentric', data: landmarks.barycentric },
    { name: 'landmarkMirror', data: landmarks.mirror },
    { name: 'landmarkConfidence', data: landmarks.confidence },
    { name: 'landmarkMean', data: Float32Array.from(landmarkFields.mean) },
    { name: 'landmarkModes', data: Float32Array.from(landmarkFields.identity, roundBasis) },
    { name: 'landmarkExpressions', data: Float32Array.from(landmarkFields.expression) },
    { name: 'regions', data: Float32Array.from(regionNames.flatMap((name) => Array.from(regions[name], roundWeight))) },
    { name: 'modes', data: packedSteps.steps, stream: STREAM.modes },
    { name: 'carryCount', data: packedSteps.carries.count, stream: STREAM.modes },
    { name: 'carryPlace', data: packedSteps.carries.place, stream: STREAM.modes },
    { name: 'carryAmount', data: packedSteps.carries.amount, stream: STREAM.modes },
  ]);
  return { bytes, report };
}

/** The model's origin in upstream's frame, centimetres: midway between the centres of the spheres that fit the two scleras best. */
export function findOriginCm(positions: Float64Array): [number, number, number] {
  const left = fitSphere(positions, findPart('scleraLeft').vertices);
  const right = fitSphere(positions, findPart('scleraRight').vertices);
  // The head is symmetric: what rounding leaves of x is not meant.
  return [0, (left[1] + right[1]) / 2, (left[2] + right[2]) / 2];
}

/** One vertex of each pair (the one on the left) and those on the midline. */
function chooseRepresentatives(positions: Float64Array, mirrorVertex: Uint16Array): number[] {
  const out: number[] = [];
  mirrorVertex.forEach((m, v) => {
    const x = positions[3 * v]!;
    const mx = positions[3 * m]!;
    if (m === v || x > mx || (x === mx && v < m)) out.push(v);
  });
  return out;
}

/**
 * Shape (C,3,H): the columns' fields at the vertices that have rows, in steps; a vertex that stands for itself alone has each mode as it is, in the
 * first column of the mode.
 */
function countSteps(
  { columnMode, fields }: ModeColumns,
  modesCm: readonly Float64Array[],
  rowVertex: Uint16Array,
  rowStepMm: Float32Array,
  isSingle: (v: number) => boolean,
): Int32Array {
  const rows = rowVertex.length;
  const out = new Int32Array(3 * rows * fields.length);
  fields.forEach((field, c) => {
    const isFirst = columnMode.indexOf(columnMode[c]!) === c;
    const mode = modesCm[columnMode[c]!]!;
    for (let h = 0; h < rows; h++) {
      const alone = isSingle(rowVertex[h]!);
      for (let d = 0; d < 3; d++) {
        const i = 3 * rowVertex[h]! + d;
        // In single precision, as the first edition of the file was made: the same numbers.
        const mm = Math.fround(alone ? (isFirst ? MM_PER_CM * mode[i]! : 0) : field[i]!);
        out[(3 * c + d) * rows + h] = Math.round(mm / rowStepMm[h]!);
      }
    }
  });
  return out;
}

function identityStepOf(v: number): number {
  return v < findPart('face').vertices[1] ? FACE_STEP_MM : OTHER_STEP_MM;
}

/** The vertices that a field moves, and by how many steps: shape (3,M). */
function listMoving(deltaMm: Float64Array): { vertices: Uint16Array; steps: Int16Array } {
  const steps = Int16Array.from(deltaMm, (x) => Math.round(x / EXPRESSION_STEP_MM));
  const vertices: number[] = [];
  for (let v = 0; v < steps.length / 3; v++) if (steps[3 * v] !== 0 || steps[3 * v + 1] !== 0 || steps[3 * v + 2] !== 0) vertices.push(v);
  return {
    vertices: Uint16Array.from(vertices),
    steps: Int16Array.from([0, 1, 2].flatMap((d) => vertices.map((v) => steps[3 * v + d]!))),
  };
}

/** First and count of each run of consecutive numbers in an ascending list, one after the other. */
function findRuns(list: Uint16Array): number[] {
  const runs: number[] = [];
  list.forEach((v, i) => {
    if (i > 0 && v === list[i - 1]! + 1) runs[runs.length - 1]!++;
    else runs.push(v, 1);
  });
  return runs;
}

/** To 2^-14 mm (0.06 um): finer figures mean nothing, and pack worse. */
function roundBasis(x: number): number {
  return Math.round(x * 16384) / 16384;
}

/** Weights to 1/255: finer ones mean nothing, and pack worse. */
function roundWeight(weight: number): number {
  return Math.round(255 * weight) / 255;
}

/** Upstream's polygons; a quad is turned so that its diagonal 0-2 is the shorter one. */
function packPolygons(upstream: Upstream, positions: Float64Array): { polygons: Uint32Array; polygonUvs: Uint32Array } {
  const source = upstream.neutral.polygons;
  const polygons = new Uint32Array(4 * source.length).fill(NO_CORNER);
  const polygonUvs = new Uint32Array(4 * source.length).fill(NO_CORNER);
  const distance = (a: number, b: number): number =>
    Math.hypot(
      positions[3 * a]! - positions[3 * b]!,
      positions[3 * a + 1]! - positions[3 * b + 1]!,
      positions[3 * a + 2]! - positions[3 * b + 2]!,
    );
  source.forEach(({ vertices, uvs }, p) => {
    const [a, b, c, d] = vertices;
    const turn = vertices.length === 4 && distance(b!, d!) < distance(a!, c!) - 1e-9 ? 1 : 0;
    for (let k = 0; k < vertices.length; k++) {
      polygons[4 * p + k] = vertices[(k + turn) % vertices.length]!;
      polygonUvs[4 * p + k] = uvs[(k + turn) % vertices.length]!;
    }
  });
  return { polygons, polygonUvs };
}

/** UVs with v down, without the tile; and the tile of each polygon. */
function packUvs(upstream: Upstream): { uvs: Float32Array; tiles: Int32Array } {
  const { uvs: source, polygons } = upstream.neutral;
  const uvs = new Float32Array(source.length);
  const tileOfUv = new Int32Array(source.length / 2);
  for (let i = 0; i < tileOfUv.length; i++) {
    tileOfUv[i] = Math.floor(source[2 * i]!);
    // Upstream's six decimals, without what the subtraction leaves behind.
    uvs[2 * i] = Math.round((source[2 * i]! - tileOfUv[i]!) * UV_STEPS) / UV_STEPS;
    uvs[2 * i + 1] = Math.round((1 - source[2 * i + 1]!) * UV_STEPS) / UV_STEPS;
  }
  const tiles = Int32Array.from(polygons, (p) => tileOfUv[p.uvs[0]!]!);
  return { uvs, tiles };
}
