import { PREDICT_PREVIOUS, PREDICT_SELF } from '../src/decode-shapes.ts';
import { type HeadRegion, NO_CORNER, type QuantisationRecord } from '../src/head-model-data.ts';
import type { HeadModelMeta } from '../src/read-head-model.ts';
import { buildPredictionTable } from './build-prediction-table.ts';
import { buildRegions } from './build-regions.ts';
import { encodeExpressions, encodeModes } from './encode-shapes.ts';
import { findPart, HEAD_PARTS } from './head-parts.ts';
import { pairVertices } from './pair-vertices.ts';
import type { Upstream } from './read-upstream.ts';
import { registerLandmarks } from './register-landmarks.ts';
import { writeContainer } from './write-container.ts';

/** Version of the model data: raised whenever a byte of the shipped file changes. */
const MODEL_VERSION = '1.0.0';

const MM_PER_CM = 10;
const NEUTRAL_STEP_MM = 0.001;
const UV_STEP = 1e-6;
const IDENTITY_STEP_MM = 0.0035;
const EXPRESSION_STEP_MM = 0.008;

/** The model file made of upstream's shapes, and lines that tell how it went. */
export function buildHeadModel(
  upstream: Upstream,
  canonical: { readonly positionsCm: Float32Array },
  quality = 11,
): { bytes: Uint8Array; report: string[] } {
  const { neutral, identities } = upstream;
  const vertexCount = neutral.positions.length / 3;
  const modes = identities.length;
  const report: string[] = [];

  const origin = eyeMidpointCm(neutral.positions);
  const positions = neutral.positions.map((x, i) => MM_PER_CM * (x - origin[i % 3]!));
  const neutralSteps = Int32Array.from(positions, (x) => Math.round(x / NEUTRAL_STEP_MM));
  const mirrorVertex = pairVertices(neutral.positions);

  const identityStepMm = new Float32Array(vertexCount).fill(IDENTITY_STEP_MM);
  const steps = new Int16Array(3 * vertexCount * modes);
  for (let i = 0; i < 3 * vertexCount; i++) {
    const scale = MM_PER_CM / identityStepMm[Math.floor(i / 3)]!;
    for (let k = 0; k < modes; k++) steps[i * modes + k] = Math.round(identities[k]![i]! * scale);
  }
  const parity = Int8Array.from(identities, (mode) => parityOf(mode, mirrorVertex));
  const table = buildPredictionTable(positions, mirrorVertex, steps);
  const packedModes = encodeModes(table, steps, parity);

  const shapes = sortByPair(upstream.expressions);
  const fields = shapes.map((s) => Int16Array.from(s.delta, (x) => Math.round((MM_PER_CM * x) / EXPRESSION_STEP_MM)));
  const predictors = Uint8Array.from(shapes, (s) => (s.followsPartner ? PREDICT_PREVIOUS : PREDICT_SELF));
  const packedExpressions = encodeExpressions(table, fields, predictors);

  const { polygons, polygonUvs } = packPolygons(upstream, positions);
  const { uvs, tiles } = packUvs(upstream);
  const landmarks = registerLandmarks(positions, polygons, findPart('face').polygons[1], canonical.positionsCm);
  const regions = buildRegions(positions, polygons);
  const regionNames = Object.keys(regions) as HeadRegion[];

  const quantisation: QuantisationRecord = {
    identityStepMm: IDENTITY_STEP_MM,
    expressionStepMm: EXPRESSION_STEP_MM,
    faceRmsMm: 0,
    faceWorstMm: 0,
    otherRmsMm: 0,
    otherWorstMm: 0,
  };
  const meta: HeadModelMeta = {
    id: 'head',
    version: MODEL_VERSION,
    licence: { spdx: 'MIT', notice: upstream.licenceText, source: 'ICT-FaceKit light, https://github.com/ICT-VGL/ICT-FaceKit' },
    vertexCount,
    polygonCount: neutral.polygons.length,
    uvCount: uvs.length / 2,
    identityCount: modes,
    neutralStepMm: NEUTRAL_STEP_MM,
    uvStep: UV_STEP,
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
  const bytes = writeContainer(
    meta,
    [
      { name: 'neutral', data: neutralSteps },
      { name: 'polygons', data: polygons },
      { name: 'polygonUvs', data: polygonUvs },
      { name: 'uvs', data: uvs },
      { name: 'mirrorVertex', data: mirrorVertex },
      { name: 'order', data: table.order },
      { name: 'mirrored', data: table.mirrored },
      { name: 'references', data: table.references },
      { name: 'weights', data: table.weights },
      { name: 'parity', data: parity },
      { name: 'identityStepMm', data: identityStepMm },
      { name: 'identityEscapes', data: packedModes.escapes },
      { name: 'predictors', data: predictors },
      { name: 'moving', data: packedExpressions.moving },
      { name: 'expressions', data: packedExpressions.residuals },
      { name: 'expressionEscapes', data: packedExpressions.escapes },
      { name: 'landmark', data: landmarks.landmark },
      { name: 'landmarkTriangle', data: landmarks.triangle },
      { name: 'landmarkBarycentric', data: landmarks.barycentric },
      { name: 'landmarkMirror', data: landmarks.mirror },
      { name: 'landmarkConfidence', data: landmarks.confidence },
      { name: 'regions', data: Uint8Array.from(regionNames.flatMap((name) => Array.from(regions[name], (w) => Math.round(255 * w)))) },
      { name: 'identity', data: packedModes.residuals, stream: 1 },
    ],
    quality,
  );
  return { bytes, report };
}

/** Midway between the centres of the spheres that fit the two scleras best. */
function eyeMidpointCm(positions: Float64Array): [number, number, number] {
  const left = fitSphere(positions, findPart('scleraLeft').vertices);
  const right = fitSphere(positions, findPart('scleraRight').vertices);
  // The head is symmetric: what rounding leaves of x is not meant.
  return [0, (left[1] + right[1]) / 2, (left[2] + right[2]) / 2];
}

/** Centre of the least-squares sphere through vertices: linear in (2c, r^2 - c^2). */
export function fitSphere(positions: Float64Array, [first, end]: readonly [number, number]): [number, number, number] {
  const m = Array.from({ length: 4 }, () => new Array<number>(5).fill(0));
  for (let v = first; v < end; v++) {
    const p = [positions[3 * v]!, positions[3 * v + 1]!, positions[3 * v + 2]!];
    const row = [2 * p[0]!, 2 * p[1]!, 2 * p[2]!, 1];
    const right = p[0]! ** 2 + p[1]! ** 2 + p[2]! ** 2;
    for (let i = 0; i < 4; i++) {
      for (let j = 0; j < 4; j++) m[i]![j]! += row[i]! * row[j]!;
      m[i]![4]! += row[i]! * right;
    }
  }
  for (let c = 0; c < 4; c++) {
    for (let r = 0; r < 4; r++) {
      if (r === c) continue;
      const f = m[r]![c]! / m[c]![c]!;
      for (let k = c; k < 5; k++) m[r]![k]! -= f * m[c]![k]!;
    }
  }
  return [m[0]![4]! / m[0]![0]!, m[1]![4]! / m[1]![1]!, m[2]![4]! / m[2]![2]!];
}

/** +1 where a displacement field is the same on both sides, -1 where it is opposite. */
function parityOf(delta: Float64Array, mirrorVertex: Uint16Array): number {
  let sum = 0;
  for (let v = 0; v < mirrorVertex.length; v++) {
    const m = mirrorVertex[v]!;
    sum += -delta[3 * v]! * delta[3 * m]! + delta[3 * v + 1]! * delta[3 * m + 1]! + delta[3 * v + 2]! * delta[3 * m + 2]!;
  }
  return sum >= 0 ? 1 : -1;
}

/** Shapes in upstream's order, except that the right-hand one comes directly after its left-hand partner. */
function sortByPair<T extends { readonly name: string }>(shapes: readonly T[]): (T & { followsPartner: boolean })[] {
  const out: (T & { followsPartner: boolean })[] = [];
  for (const shape of shapes) {
    if (out.some((s) => s.name === shape.name)) continue;
    out.push({ ...shape, followsPartner: false });
    const partnerName = shape.name.endsWith('_L') ? shape.name.replace(/_L$/, '_R') : shape.name.replace(/Left$/, 'Right');
    const partner = shapes.find((s) => s.name === partnerName);
    if (partner && partner !== shape && !out.some((s) => s.name === partner.name)) out.push({ ...partner, followsPartner: true });
  }
  return out;
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

/** UVs in steps, v down, without the tile; and the tile of each polygon. */
function packUvs(upstream: Upstream): { uvs: Int32Array; tiles: Int32Array } {
  const { uvs: source, polygons } = upstream.neutral;
  const uvs = new Int32Array(source.length);
  const tileOfUv = new Int32Array(source.length / 2);
  for (let i = 0; i < tileOfUv.length; i++) {
    tileOfUv[i] = Math.floor(source[2 * i]!);
    uvs[2 * i] = Math.round((source[2 * i]! - tileOfUv[i]!) / UV_STEP);
    uvs[2 * i + 1] = Math.round((1 - source[2 * i + 1]!) / UV_STEP);
  }
  const tiles = Int32Array.from(polygons, (p) => tileOfUv[p.uvs[0]!]!);
  return { uvs, tiles };
}
