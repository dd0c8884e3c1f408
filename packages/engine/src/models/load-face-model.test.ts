import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { headModelPath } from '@facewright/head-model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ARKIT_NAMES } from './arkit-blendshapes.ts';
import type { FaceModel } from './face-model.ts';
import { listFaceModels } from './list-face-models.ts';
import { FACE_MODEL_IDS, loadFaceModel } from './load-face-model.ts';
import { checkFaceModel, verifyFaceModel } from './verify-face-model.ts';

const directory = mkdtempSync(join(tmpdir(), 'facewright-models-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

let head: FaceModel;
let canonical: FaceModel;
beforeAll(async () => {
  [head, canonical] = await Promise.all([loadFaceModel('head'), loadFaceModel('canonical')]);
});

/** Coefficients without a pattern, about -1..1. */
const wave = (count: number, seed: number): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed));
const point = (positions: ArrayLike<number>, v: number): number[] => [positions[3 * v]!, positions[3 * v + 1]!, positions[3 * v + 2]!];

function amounts(model: FaceModel, by: Record<string, number>): Float64Array {
  const out = new Float64Array(model.expressionNames.length);
  for (const [name, amount] of Object.entries(by)) {
    const shape = model.blendshapes.find((b) => b.name === name)!;
    for (const term of shape.terms) out[term.expression]! += term.weight * amount;
  }
  return out;
}

/** Vertices of the parts whose name begins so. */
function verticesOf(model: FaceModel, name: string): number[] {
  const parts = model.parts.filter((p) => p.name.startsWith(name));
  return [
    ...new Set(parts.flatMap((p) => Array.from(model.triangles.subarray(3 * p.firstTriangle, 3 * (p.firstTriangle + p.triangleCount))))),
  ];
}

describe('loading', () => {
  it('an unknown model names the known ones', async () => {
    await expect(loadFaceModel('bfm')).rejects.toMatchObject({ code: 'FW_MODEL_UNKNOWN', params: { known: FACE_MODEL_IDS } });
  });

  it.each([
    ['is missing', null, 'FW_MODEL_CORRUPT'],
    ['is empty', (b: Buffer) => b.subarray(0, 0), 'FW_MODEL_CORRUPT'],
    ['is cut off', (b: Buffer) => b.subarray(0, b.length - 1000), 'FW_MODEL_CORRUPT'],
    ['has one changed byte', (b: Buffer) => Buffer.from(b).fill(b[1_000_000]! ^ 1, 1_000_000, 1_000_001), 'FW_MODEL_CORRUPT'],
    ['has another format version', (b: Buffer) => Buffer.from(b).fill(b[8]! + 1, 8, 9), 'FW_MODEL_VERSION'],
    ['is another file', () => Buffer.from('{"asset":{"version":"2.0"}}'.repeat(10)), 'FW_MODEL_CORRUPT'],
  ] as const)('a model file that %s is refused', async (name, change, code) => {
    const path = join(directory, `${name}.bin`);
    if (change) writeFileSync(path, change(readFileSync(headModelPath())));
    await expect(loadFaceModel('head', { path })).rejects.toMatchObject({ code, params: { path } });
  });

  it('the list has what `facewright models list` shows', async () => {
    const list = await listFaceModels();
    expect(list.map((m) => m.id)).toEqual(FACE_MODEL_IDS);
    expect(list[0]).toMatchObject({ vertices: 26719, triangles: 52220, identities: 100, blendshapes: 52, licence: { spdx: 'MIT' } });
    expect(list[0]!.bytes).toBe(readFileSync(headModelPath()).length);
  });
});

describe.each(FACE_MODEL_IDS)('%s', (id) => {
  const model = (): FaceModel => (id === 'head' ? head : canonical);

  it('holds what the contract promises', async () => {
    expect((await verifyFaceModel(id)).length).toBeGreaterThan(10);
    // The verifier itself: a broken model does not pass.
    const broken: FaceModel = {
      ...model(),
      landmarks: model().landmarks,
      mirrorVertex: model().mirrorVertex.map((m) => (m === 7 ? 8 : m)),
    };
    expect(checkFaceModel(broken).filter((c) => !c.ok)).toMatchObject([{ name: 'mirrorVertex' }, { name: 'symmetry' }]);
  });

  it('is linear in its coefficients', () => {
    const m = model();
    const [a, e] = [wave(m.identityCount, 1), wave(m.expressionNames.length, 2)];
    const whole = m.evaluate(a, e);
    const parts = [m.evaluate(a, []), m.evaluate([], e)];
    let worst = 0;
    for (let i = 0; i < whole.length; i++) worst = Math.max(worst, Math.abs(whole[i]! - (parts[0]![i]! + parts[1]![i]! - m.neutral[i]!)));
    // Rounding of float32 at 200 mm: 1.5e-5, several times.
    expect(worst).toBeLessThan(1e-4);
  });

  it('takes fewer coefficients for zeros, and writes where it is told', () => {
    const m = model();
    const out = new Float32Array(3 * m.vertexCount).fill(7);
    expect(m.evaluate([0, 1.5], [], out)).toBe(out);
    expect(out).toEqual(
      m.evaluate(
        Float64Array.from({ length: m.identityCount }, (_, k) => (k === 1 ? 1.5 : 0)),
        [],
      ),
    );
    expect(m.evaluate([], [])).toEqual(m.neutral);
  });

  it('refuses coefficients that are too many or not finite', () => {
    const m = model();
    for (const bad of [
      () => m.evaluate(new Float64Array(m.identityCount + 1), []),
      () => m.evaluate([Number.NaN], []),
      () => m.evaluate([], [Number.POSITIVE_INFINITY]),
      () => m.evaluate([], [], new Float32Array(3)),
      () => m.expressionDelta(m.expressionNames.length),
      () => m.expressionDelta(0.5),
    ]) {
      expect(bad).toThrow(expect.objectContaining({ code: 'FW_ARG_INVALID' }));
    }
  });

  it('its landmarks are the same through the basis and through the whole mesh', () => {
    const m = model();
    const { landmarks: l } = m;
    const [a, e] = [wave(m.identityCount, 3), wave(m.expressionNames.length, 4)];
    const mesh = m.evaluate(a, e);
    let worst = 0;
    for (let i = 0; i < 3 * l.count; i++) {
      let basis = l.mean[i]!;
      for (let k = 0; k < a.length; k++) basis += a[k]! * l.identity[3 * l.count * k + i]!;
      for (let k = 0; k < e.length; k++) basis += e[k]! * l.expression[3 * l.count * k + i]!;
      const [row, d] = [Math.floor(i / 3), i % 3];
      let direct = 0;
      for (let c = 0; c < 3; c++) direct += l.barycentric[3 * row + c]! * mesh[3 * m.triangles[3 * l.triangle[row]! + c]! + d]!;
      worst = Math.max(worst, Math.abs(basis - direct));
    }
    // The basis is stored to 2^-14 mm: 100 modes and a few roundings of float32 on top.
    expect(worst).toBeLessThan(1e-3);
  });

  it('its landmarks are mirror images of one another', () => {
    const { landmarks: l } = model();
    let worst = 0;
    for (let i = 0; i < l.count; i++) {
      const [a, b] = [point(l.mean, i), point(l.mean, l.mirror[i]!)];
      worst = Math.max(worst, Math.hypot(a[0]! + b[0]!, a[1]! - b[1]!, a[2]! - b[2]!));
    }
    // Upstream's own head is asymmetric by up to 0.05 mm at the eyes.
    expect(worst).toBeLessThan(0.1);
  });

  it('faces outward: the front of the face looks at the viewer', () => {
    const m = model();
    // Corners of the triangle at the tip of the nose (landmark 4).
    const t = 3 * m.landmarks.triangle[4]!;
    const [a, b, c] = [0, 1, 2].map((k) => point(m.neutral, m.triangles[t + k]!)) as [number[], number[], number[]];
    expect((b[0]! - a[0]!) * (c[1]! - a[1]!) - (b[1]! - a[1]!) * (c[0]! - a[0]!)).toBeGreaterThan(0);
  });

  it('has the v axis of glTF: the chin below the forehead', () => {
    const m = model();
    const uvOf = (landmark: number): number[] => {
      const t = 3 * m.landmarks.triangle[landmark]!;
      return [0, 1].map((d) => {
        let sum = 0;
        for (let c = 0; c < 3; c++) sum += m.landmarks.barycentric[3 * landmark + c]! * m.uvs[2 * m.triangleUvs[t + c]! + d]!;
        return sum;
      });
    };
    expect(uvOf(152)[1]).toBeGreaterThan(uvOf(10)[1]!);
    // The person's left eye is on the right.
    expect(uvOf(263)[0]).toBeGreaterThan(uvOf(33)[0]!);
  });
});

describe('frame', () => {
  it('the origin lies between the eyeballs, millimetres', () => {
    const eyes = ['scleraLeft', 'scleraRight'].map((name) => {
      const vertices = verticesOf(head, name);
      const box = [0, 1, 2].map((d) => {
        const values = vertices.map((v) => head.neutral[3 * v + d]!);
        return (Math.min(...values) + Math.max(...values)) / 2;
      });
      return box;
    });
    // 62 mm between the pupils of an adult (Dodgson 2004: mean 63); the middle of the box is within the bulge of the cornea.
    expect(eyes[0]![0]! - eyes[1]![0]!).toBeGreaterThan(56);
    expect(eyes[0]![0]! - eyes[1]![0]!).toBeLessThan(68);
    for (const d of [0, 1, 2]) expect(Math.abs(eyes[0]![d]! + eyes[1]![d]!) / 2).toBeLessThan(d === 2 ? 2 : 0.5);
  });
});

describe('blend shapes', () => {
  it('the head has ARKit’s 52, in order; the canonical mesh all but the tongue', () => {
    expect(head.blendshapes.map((b) => b.name)).toEqual(ARKIT_NAMES);
    expect(ARKIT_NAMES.length).toBe(52);
    expect(canonical.blendshapes.map((b) => b.name)).toEqual(ARKIT_NAMES.filter((n) => n !== 'tongueOut'));
  });

  it.each([
    ['jawOpen', 152, [0, -1, 0]],
    ['eyeBlinkLeft', 386, [0, -1, 0]],
    ['eyeBlinkRight', 159, [0, -1, 0]],
    ['browInnerUp', 107, [0, 1, 0]],
    ['browInnerUp', 336, [0, 1, 0]],
    ['mouthSmileLeft', 291, [1, 1, 0]],
    ['mouthSmileRight', 61, [-1, 1, 0]],
    ['mouthLeft', 0, [1, 0, 0]],
    ['mouthRight', 0, [-1, 0, 0]],
    ['jawForward', 152, [0, 0, 1]],
    ['cheekPuff', 192, [-1, 0, 1]],
    ['cheekPuff', 416, [1, 0, 1]],
  ] as const)('%s moves landmark %d toward %j', (name, landmark, toward) => {
    for (const model of [head, canonical]) {
      const moved = model.evaluate([], amounts(model, { [name]: 1 }));
      const t = 3 * model.landmarks.triangle[landmark]!;
      let along = 0;
      for (let c = 0; c < 3; c++) {
        const v = model.triangles[t + c]!;
        const [a, b] = [point(model.neutral, v), point(moved, v)];
        for (let d = 0; d < 3; d++) along += model.landmarks.barycentric[3 * landmark + c]! * toward[d]! * (b[d]! - a[d]!);
      }
      // Every shape moves its own place by more than 2 mm.
      expect(along / Math.hypot(...toward)).toBeGreaterThan(2);
    }
  });

  it.each([
    ['eyeLookUpLeft', 'Left', [0, Math.sin(rad(25)), Math.cos(rad(25))]],
    ['eyeLookDownRight', 'Right', [0, -Math.sin(rad(30)), Math.cos(rad(30))]],
    ['eyeLookInLeft', 'Left', [-Math.sin(rad(30)), 0, Math.cos(rad(30))]],
    ['eyeLookOutRight', 'Right', [-Math.sin(rad(30)), 0, Math.cos(rad(30))]],
  ] as const)('%s turns the eyeball without changing its form', (name, side, gaze) => {
    const moved = head.evaluate([], amounts(head, { [name]: 1 }));
    const vertices = verticesOf(head, `sclera${side}`);
    // Two vertices far apart keep their distance; the direction from the back to the front of the eyeball is the gaze.
    const back = vertices.reduce((a, b) => (head.neutral[3 * a + 2]! < head.neutral[3 * b + 2]! ? a : b));
    for (const v of vertices) {
      const [before, after] = [head.neutral, moved].map((x) => Math.hypot(...[0, 1, 2].map((d) => x[3 * v + d]! - x[3 * back + d]!)));
      // Steps of 0.006 mm.
      expect(Math.abs(after! - before!)).toBeLessThan(0.02);
    }
    const front = vertices.reduce((a, b) => (head.neutral[3 * a + 2]! > head.neutral[3 * b + 2]! ? a : b));
    const axis = [0, 1, 2].map((d) => head.neutral[3 * front + d]! - head.neutral[3 * back + d]!);
    const turned = [0, 1, 2].map((d) => moved[3 * front + d]! - moved[3 * back + d]!);
    // What the turn does to z, applied to the axis, whichever way the axis leans.
    const expected = turnZTo(gaze, axis);
    expect(Math.hypot(...turned.map((x, d) => x - expected[d]!))).toBeLessThan(0.05);
  });
});

describe('tongueOut', () => {
  const open = { jawOpen: 0.55 };
  let rest: Float32Array;
  let out: Float32Array;
  let tongue: number[];
  beforeAll(() => {
    rest = head.evaluate([], amounts(head, open));
    out = head.evaluate([], amounts(head, { ...open, tongueOut: 1 }));
    const e = head.expressionNames.indexOf('tongueOut');
    const delta = head.expressionDelta(e);
    tongue = verticesOf(head, 'gumsTongue').filter((v) => Math.hypot(delta[3 * v]!, delta[3 * v + 1]!, delta[3 * v + 2]!) > 0);
  });

  it('moves the tongue alone', () => {
    const moving = Array.from({ length: head.vertexCount }, (_, v) => v).filter((v) => rest[3 * v + 2] !== out[3 * v + 2]);
    expect(moving.filter((v) => !tongue.includes(v))).toEqual([]);
    expect(tongue.length).toBeGreaterThan(200);
  });

  it('puts the tip before the lips and below its own back', () => {
    const tip = tongue.reduce((a, b) => (out[3 * a + 2]! > out[3 * b + 2]! ? a : b));
    const lip = 3 * head.triangles[3 * head.landmarks.triangle[17]!]!;
    expect(out[3 * tip + 2]! - out[lip + 2]!).toBeGreaterThan(8);
    const top = Math.max(...tongue.map((v) => out[3 * v + 1]!));
    expect(top - out[3 * tip + 1]!).toBeGreaterThan(10);
  });

  it('passes between the teeth', () => {
    const teeth = verticesOf(head, 'teeth');
    const isLower = (v: number): boolean => rest[3 * v + 1]! < head.neutral[3 * v + 1]! - 5;
    const between = (v: number, axis: 0 | 2, low: number, high: number): boolean => out[3 * v + axis]! > low && out[3 * v + axis]! < high;
    const front = teeth.filter((v) => Math.abs(rest[3 * v]!) < 9);
    const lower = front.filter(isLower);
    const upper = front.filter((v) => !isLower(v));
    const lowerTop = Math.max(...lower.map((v) => rest[3 * v + 1]!));
    const upperBottom = Math.min(...upper.map((v) => rest[3 * v + 1]!));
    const depth = (list: number[]): [number, number] => [
      Math.min(...list.map((v) => rest[3 * v + 2]!)),
      Math.max(...list.map((v) => rest[3 * v + 2]!)),
    ];
    // Over the edge of the lower front teeth (their upper quarter is what the tongue lies on), under that of the upper ones.
    const [, lowerFront] = depth(lower);
    const [, upperFront] = depth(upper);
    const crossing = tongue.filter((v) => Math.abs(out[3 * v]!) < 9);
    const overLower = crossing.filter((v) => between(v, 2, lowerFront - 3, lowerFront + 1)).map((v) => out[3 * v + 1]!);
    const underUpper = crossing.filter((v) => between(v, 2, upperFront - 3, upperFront + 1)).map((v) => out[3 * v + 1]!);
    expect(Math.min(...overLower)).toBeGreaterThan(lowerTop - 1);
    expect(Math.max(...underUpper)).toBeLessThan(upperBottom);
  });
});

describe('regions of the head', () => {
  it('lie where their names say', () => {
    const at = (landmark: number): number => head.triangles[3 * head.landmarks.triangle[landmark]!]!;
    const { face, lips, brows, eyelids, scalp, neck } = head.regions;
    expect(face[at(4)]).toBe(1);
    expect(lips[at(12)]).toBeGreaterThan(0.8);
    expect(lips[at(4)]).toBe(0);
    expect(Math.max(...[52, 53, 63, 65, 66, 105].map((l) => brows[at(l)]!))).toBeGreaterThan(0.4);
    expect(brows[at(9)]).toBe(0);
    expect(eyelids[at(159)]).toBeGreaterThan(0.5);
    expect(scalp[at(151)]).toBe(0);
    const highest = Array.from(head.neutral.keys())
      .filter((i) => i % 3 === 1)
      .reduce((a, b) => (head.neutral[a]! > head.neutral[b]! ? a : b));
    expect(scalp[(highest - 1) / 3]).toBe(1);
    const lowest = Array.from(head.neutral.keys())
      .filter((i) => i % 3 === 1)
      .reduce((a, b) => (head.neutral[a]! < head.neutral[b]! ? a : b));
    expect(neck[(lowest - 1) / 3]).toBe(1);
    expect(neck[at(17)]).toBe(0);
  });

  it('leave eyes, teeth and mouth alone, but for their rims', () => {
    for (const weights of [head.regions.scalp, head.regions.neck, head.regions.face]) {
      for (const name of ['sclera', 'teeth', 'gumsTongue', 'lashes']) {
        for (const v of verticesOf(head, name)) expect(weights[v]).toBe(0);
      }
    }
  });
});

function rad(degrees: number): number {
  return (degrees * Math.PI) / 180;
}

/** `v` turned by the rotation that takes +z to `z` (about the axis perpendicular to both; Rodrigues). */
function turnZTo(z: readonly number[], v: readonly number[]): number[] {
  const [x, y, c] = z as [number, number, number];
  const sine = Math.hypot(x, y);
  const axis = [-y / sine, x / sine, 0];
  const dot = axis[0]! * v[0]! + axis[1]! * v[1]!;
  const cross = [axis[1]! * v[2]!, -axis[0]! * v[2]!, axis[0]! * v[1]! - axis[1]! * v[0]!];
  return v.map((a, d) => a * c + cross[d]! * sine + axis[d]! * dot * (1 - c));
}
