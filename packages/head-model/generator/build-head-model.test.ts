import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { readCanonicalMesh } from '../../engine/src/nets/read-canonical-mesh.ts';
import { type ArrayType, openContainer } from '../src/container.ts';
import { evaluateHead } from '../src/evaluate-head.ts';
import { type HeadModelData, NO_CORNER } from '../src/head-model-data.ts';
import { headModelPath } from '../src/head-model-path.ts';
import { type HeadModelMeta, readHeadModel, STREAM } from '../src/read-head-model.ts';
import { triangulate } from '../src/triangulate.ts';
import { readNpz } from '../test/read-npz.ts';
import { requireIctFile } from '../test/shared-archive.ts';
import { buildHeadModel, findOriginCm } from './build-head-model.ts';
import { measureQuantisation } from './measure-quantisation.ts';
import { readUpstream, type Upstream } from './read-upstream.ts';

const FACE: readonly [number, number] = [0, 9409];
const OTHER: readonly [number, number] = [9409, 26719];
const shipped = readFileSync(headModelPath());
let head: HeadModelData;
let upstream: Promise<Upstream> | undefined;

/** The archive is read once (some seconds), by the first test that needs it. */
function needUpstream(ctx: Pick<TestContext, 'skip'>): Promise<Upstream> {
  const path = requireIctFile(ctx, 'ICT-FaceKit-da5f95a6.tar.gz');
  upstream ??= readUpstream(path);
  return upstream;
}

beforeAll(async () => {
  head = await readHeadModel(shipped, headModelPath());
});

describe('the shipped file', () => {
  it('has at most 5 MB and carries its licence', () => {
    expect(shipped.length).toBeLessThanOrEqual(5_000_000);
    expect(head.licence.notice).toContain('Copyright (c) 2020 USC Institute for Creative Technologies');
    expect(head.licence.notice).toContain('The above copyright notice and this permission notice shall be included');
  });

  it('is what the generator makes of the archive', { timeout: 300_000 }, async (ctx) => {
    const source = await needUpstream(ctx);
    // Unpacked contents are compared: how well zlib packs is a matter of its version.
    const { bytes } = buildHeadModel(source, await readCanonicalMesh());
    const [made, there] = [bytes, shipped].map((b) => openContainer<HeadModelMeta>(b, 'file'));
    expect(made!.meta).toEqual(there!.meta);
    for (const stream of Object.values(STREAM)) {
      await made!.unpack(stream);
      await there!.unpack(stream);
    }
    for (const [name, type] of CONTENTS)
      expect(Buffer.compare(asBytes(made!.array(name, type)), asBytes(there!.array(name, type))), name).toBe(0);
  });
});

describe('against the archive', () => {
  it('topology and UVs are upstream’s', async (ctx) => {
    const { neutral } = await needUpstream(ctx);
    let wrongCorners = 0;
    let wrongUvs = 0;
    neutral.polygons.forEach((polygon, p) => {
      const corners = Array.from(head.polygons.subarray(4 * p, 4 * p + 4)).filter((c) => c !== NO_CORNER);
      const uvs = Array.from(head.polygonUvs.subarray(4 * p, 4 * p + corners.length));
      const turn = polygon.vertices.indexOf(corners[0]!);
      const turned = <T>(list: readonly T[]): T[] => list.map((_, k) => list[(k + turn) % list.length]!);
      if (turned(polygon.vertices).join() !== corners.join() || turned(polygon.uvs).join() !== uvs.join()) wrongCorners++;
      const part = head.parts.find((q) => p >= q.firstPolygon && p < q.firstPolygon + q.polygonCount)!;
      uvs.forEach((uv, k) => {
        const u = head.uvs[2 * uv]! + part.uvTile - turned(polygon.uvs).map((i) => neutral.uvs[2 * i]!)[k]!;
        const v = 1 - head.uvs[2 * uv + 1]! - turned(polygon.uvs).map((i) => neutral.uvs[2 * i + 1]!)[k]!;
        // Half of upstream's last decimal, and what float32 loses.
        if (Math.abs(u) > 6e-7 || Math.abs(v) > 6e-7) wrongUvs++;
      });
    });
    expect(head.polygons.length / 4).toBe(neutral.polygons.length);
    expect([wrongCorners, wrongUvs]).toEqual([0, 0]);
  });

  // Bounds of the issue: 0.02 mm rms (a tenth of a pore) and 0.1 mm at worst in the face; elsewhere 0.1 mm rms, and one
  // millimetre at worst (roots of the rearmost teeth, which nobody sees).
  it.each([[[11, 12]], [[13, 14]], [[999]]])('random heads are met, seeds %j', async (...args) => {
    const [seeds, ctx] = args as unknown as [number[], TestContext];
    const exact = exactShapes(await needUpstream(ctx));
    const [face, other] = measureQuantisation(head, exact, [FACE, OTHER], seeds);
    expect(face!.rmsMm).toBeLessThan(0.02);
    expect(face!.worstMm).toBeLessThan(0.1);
    expect(other!.rmsMm).toBeLessThan(0.1);
    expect(other!.worstMm).toBeLessThan(1);
  });

  it('every mode and every expression is met on its own', async (ctx) => {
    const exact = exactShapes(await needUpstream(ctx));
    // Alone, a shape is off by half a step per axis (0.0026 and 0.0052 mm in space) and, for modes, by a part that is left out (0.03 mm).
    exact.identitiesMm.forEach((mode, k) => {
      expect(worstInFace(unit(k), [], mode), `mode ${k}`).toBeLessThan(0.04);
    });
    exact.expressionsMm.forEach((shape, e) => {
      expect(worstInFace([], unit(e), shape), head.expressions[e]!.name).toBeLessThan(0.007);
    });
  });

  it('landmarks lie where an independent registration put them', async (ctx) => {
    const reference = readNpz(readFileSync(requireIctFile(ctx, 'reference-tables.npz')));
    const triangles = triangulate(head.polygons);
    const distances = Array.from({ length: 468 }, (_, l) => {
      const t = 3 * head.landmarks.triangle[l]!;
      const difference = [0, 1, 2].map((d) => {
        let sum = 0;
        for (let c = 0; c < 3; c++) {
          sum += head.landmarks.barycentric[3 * l + c]! * head.neutral[3 * triangles[t + c]! + d]!;
          sum -= reference.get('ict_bary')![3 * l + c]! * head.neutral[3 * reference.get('ict_tri')![3 * l + c]! + d]!;
        }
        return sum;
      });
      return Math.hypot(...difference);
    }).sort((a, b) => a - b);
    // Neighbouring landmarks are 6 mm apart. The reference took upstream's brow, nose wing and lip points for the network's, which this table leaves
    // (they are 3 to 5 mm apart), and lets nostrils and lid points slip inside: half of the points agree within half a spacing, nine of ten within about one.
    expect(distances[234]).toBeLessThan(3);
    expect(distances[421]).toBeLessThan(6.5);
  });
});

const CONTENTS: readonly (readonly [string, ArrayType])[] = [
  ['neutral', 'f32'],
  ['polygons', 'u32'],
  ['polygonUvs', 'u32'],
  ['uvs', 'f32'],
  ['mirrorVertex', 'u16'],
  ['rowVertex', 'u16'],
  ['columnMode', 'u16'],
  ['rowStepMm', 'f32'],
  ['rowPartner', 'u16'],
  ['bodies', 'f32'],
  ['modes', 'i8'],
  ['carryCount', 'u16'],
  ['carryPlace', 'u16'],
  ['carryAmount', 'i8'],
  ['movingCount', 'u16'],
  ['runCount', 'u16'],
  ['runs', 'u16'],
  ['expressions', 'i16'],
  ['landmark', 'u16'],
  ['landmarkTriangle', 'u32'],
  ['landmarkBarycentric', 'f32'],
  ['landmarkMirror', 'u16'],
  ['landmarkConfidence', 'f32'],
  ['landmarkMean', 'f32'],
  ['landmarkModes', 'f32'],
  ['landmarkExpressions', 'f32'],
  ['regions', 'f32'],
];

function asBytes(array: { buffer: ArrayBufferLike; byteOffset: number; byteLength: number }): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

/** The archive in the model's frame, expressions in the model's order; derived ones are left at zero. */
function exactShapes(source: Upstream) {
  const origin = findOriginCm(source.neutral.positions);
  return {
    neutralMm: source.neutral.positions.map((x, i) => 10 * (x - origin[i % 3]!)),
    identitiesMm: source.identities.map((mode) => mode.map((x) => 10 * x)),
    expressionsMm: upstreamExpressions(head).map((e) =>
      source.expressions.find((s) => s.name === head.expressions[e]!.name)!.delta.map((x) => 10 * x),
    ),
  };
}

/** Numbers of the expressions that come from upstream: they stand before the derived ones. */
function upstreamExpressions({ expressions }: HeadModelData): number[] {
  return expressions.flatMap(({ name }, e) => (/^(gaze|tongueOut)/.test(name) ? [] : [e]));
}

/** Largest error of one shape alone over the face, millimetres. */
function worstInFace(identity: readonly number[], expression: readonly number[], wanted: Float64Array): number {
  const actual = new Float32Array(head.neutral.length);
  evaluateHead({ ...head, neutral: new Float32Array(head.neutral.length) }, identity, expression, actual);
  let worst = 0;
  for (let i = 3 * FACE[0]; i < 3 * FACE[1]; i += 3) {
    worst = Math.max(worst, Math.hypot(actual[i]! - wanted[i]!, actual[i + 1]! - wanted[i + 1]!, actual[i + 2]! - wanted[i + 2]!));
  }
  return worst;
}

/** 1 at place k, 0 before. */
function unit(k: number): number[] {
  return [...new Array<number>(k).fill(0), 1];
}
