import { beforeAll, describe, expect, it } from 'vitest';
import { countKernelBytes, createKernelMemory } from '../kernels/kernel-memory.ts';
import type { FaceModel } from '../models/face-model.ts';
import { loadFaceModel } from '../models/load-face-model.ts';
import { computeLightDirections, computeLightGains, estimateLight, type LightModel } from './estimate-light.ts';
import { FIELD_SIZE } from './field-size.ts';
import { computePartNormals } from './head-layout.ts';
import type { SurfaceObservation } from './observe-surface.ts';
import { computeTone, SKIN_SPREAD } from './skin-color.ts';
import { computeTextureTables, type TextureTables } from './texture-tables.ts';

const SKIN = [180, 136, 114] as const;
let head: FaceModel;
let tables: TextureTables;
let normals: Float32Array;

beforeAll(async () => {
  head = await loadFaceModel('head');
  tables = computeTextureTables(head, 128);
  normals = computePartNormals(
    head.neutral,
    head.triangles,
    head.parts.filter((p) => p.material === 'skin' || p.material === 'scalp'),
  );
});

/** An observation of the face's front in which skin of one colour is lit by `light`, a factor that depends on the normal. */
function observe(light: (x: number, y: number, z: number) => number): SurfaceObservation & { localSkinTone: Float32Array } {
  const n = FIELD_SIZE ** 2;
  const seen = new Float32Array(n);
  const tone = new Float32Array(3 * n);
  const { texels, corners } = tables.skin;
  for (let i = 0; i < texels.length; i++) {
    const v = 3 * corners[3 * i];
    seen[texels[i]] = Math.max(0, normals[v + 2]);
    const factor = light(normals[v], normals[v + 1], normals[v + 2]);
    computeTone(factor * SKIN[0], factor * SKIN[1], factor * SKIN[2], tone, 3 * texels[i]);
  }
  return { seen, tone, rgb: new Float32Array(3 * n), beyondMm: new Float32Array(n), outlineMm: new Float32Array(n), localSkinTone: tone };
}

function toneOf(rgb: readonly number[]): number[] {
  const tone = new Float32Array(3);
  computeTone(rgb[0], rgb[1], rgb[2], tone, 0);
  return [...tone];
}

function computeGains(light: LightModel | null, skin: readonly number[], out: Float32Array): void {
  const memory = createKernelMemory(2 * countKernelBytes(normals) + 1024);
  const gains = memory.allocate(Float32Array, out.length);
  computeLightGains(light, memory, memory.place(normals), toneOf(skin), memory.allocate(Float64Array, 33), gains);
  out.set(gains);
}

describe('computeLightDirections', () => {
  it('are those of a smooth body: no brow, lid or lip is in them', () => {
    const directions = computeLightDirections(head.neutral);
    const face = head.parts.find((p) => p.name === 'face')!;
    for (let t = 3 * face.firstTriangle; t < 3 * (face.firstTriangle + face.triangleCount); t++) {
      const [a, b] = [head.triangles[t], head.triangles[t % 3 === 2 ? t - 2 : t + 1]].map((v) => 3 * v);
      const apartMm = Math.hypot(...[0, 1, 2].map((k) => head.neutral[a + k] - head.neutral[b + k]));
      const turn = Math.hypot(...[0, 1, 2].map((k) => directions[a + k] - directions[b + k]));
      // A body whose least half axis is 85 mm, and which bends most (b / a^2 at an end) like one of 63 mm, seen from inside by at most a third: 1 / 40 per mm.
      expect(turn).toBeLessThan(apartMm / 40 + 1e-6);
    }
    // Straight ahead at the bridge of the nose, to the side at the ear.
    const nearest = (x: number, y: number, z: number): number => {
      let best = 0;
      const distance = (o: number): number => Math.hypot(head.neutral[o] - x, head.neutral[o + 1] - y, head.neutral[o + 2] - z);
      for (let o = 3; o < head.neutral.length; o += 3) if (distance(o) < distance(best)) best = o;
      return best;
    };
    expect(directions[nearest(0, 0, 30) + 2]).toBeGreaterThan(0.95);
    expect(directions[nearest(80, -10, -60)]).toBeGreaterThan(0.95);
  });
});

describe('estimateLight', () => {
  it('finds factors that undo a soft lamp at one side', () => {
    const light = (x: number, y: number, z: number): number => 0.85 + 0.2 * x + 0.08 * y + 0.1 * z;
    const observed = observe(light);
    const found = estimateLight(tables.skin, observed, normals, observed.localSkinTone, SKIN_SPREAD);
    const gains = new Float32Array(3 * head.vertexCount);
    computeGains(found, SKIN, gains);
    let worst = 0;
    for (let i = 0; i < tables.skin.texels.length; i++) {
      if (observed.seen[tables.skin.texels[i]] < 0.4 || tables.skin.outsideMm[tables.skin.texels[i]] > -10) continue;
      const v = 3 * tables.skin.corners[3 * i];
      const factor = light(normals[v], normals[v + 1], normals[v + 2]);
      for (let k = 0; k < 3; k++) worst = Math.max(worst, Math.abs(gains[v + k] * factor - 1));
    }
    // The photo's factors are 0.7 to 1.15. The logarithm of a linear light is not of the second order: with slopes of 0.2 the third is below 0.01; and
    // terms are drawn to none by up to two hundredths.
    expect(worst).toBeLessThan(0.05);
  });

  it('changes nothing in even light', () => {
    const observed = observe(() => 0.9);
    const found = estimateLight(tables.skin, observed, normals, observed.localSkinTone, SKIN_SPREAD);
    const gains = new Float32Array(3 * head.vertexCount);
    computeGains(
      found,
      SKIN.map((c) => 0.9 * c),
      gains,
    );
    // Sums in 64 bits of tones in 32.
    expect(Math.max(...gains.map((g) => Math.abs(g - 1)))).toBeLessThan(1e-4);
  });

  it('tells nothing where no skin is seen', () => {
    const observed = observe(() => 1);
    observed.seen.fill(0);
    expect(estimateLight(tables.skin, observed, normals, observed.localSkinTone, SKIN_SPREAD)).toBeNull();
    const gains = new Float32Array(3 * head.vertexCount);
    computeGains(null, SKIN, gains);
    expect(gains.every((g) => g === 1)).toBe(true);
  });
});
