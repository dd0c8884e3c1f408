import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Albedo, mirrorSyntheticPortrait, renderSyntheticPortrait, type SyntheticPortrait } from '../../test/synthetic-portrait.ts';
import type { FaceModel, PartMaterial } from '../models/face-model.ts';
import { loadFaceModel } from '../models/load-face-model.ts';
import { createTextureBaker, type TextureBaker } from './create-texture-baker.ts';
import type { FaceMaps, TextureMap } from './face-maps.ts';
import { computeHeadLayout } from './head-layout.ts';
import { createTexelMap, NO_TRIANGLE, rasterizeAttribute } from './texel-map.ts';
import { computeTextureTables } from './texture-tables.ts';

const SIZE = 512;

/** Finer waves, 20 to 25 mm: no light of a lamp changes like that, so that it stays in the texture. */
const patternedSkin: Albedo = (x, y, z) => {
  const wave = 14 * Math.sin(x / 3.5 + 0.7) + 12 * Math.cos(y / 3.2) + 6 * Math.sin(z / 4 + x / 30);
  return [196 + wave, 148 + 0.8 * wave, 124 + 0.7 * wave];
};

/** Skin with slow waves of brightness (30 mm and more): skin for the colour model, and told apart by place. Not the same on both sides. */
const wavySkin: Albedo = (x, y, z) => {
  const wave = 14 * Math.sin(x / 9 + 0.7) + 12 * Math.cos(y / 8) + 6 * Math.sin(z / 11 + x / 30);
  return [196 + wave, 148 + 0.8 * wave, 124 + 0.7 * wave];
};

let head: FaceModel;
let baker: TextureBaker;
let frontal: SyntheticPortrait;
let maps: FaceMaps;

beforeAll(async () => {
  head = await loadFaceModel('head');
  baker = createTextureBaker(head, computeTextureTables(head, SIZE));
  frontal = renderSyntheticPortrait(head, wavySkin);
  maps = await baker.bake(frontal);
}, 60_000);

const albedoOf = (of: FaceMaps, material: PartMaterial): TextureMap => {
  const found = of.surfaces.find((s) => s.materials.includes(material))?.albedo;
  if (!found) throw new Error(`no texture for ${material}`);
  return found;
};

describe('createTextureBaker', () => {
  it('paints what the photo shows at the right place (known colours, known camera)', async () => {
    const baked = await baker.bake(renderSyntheticPortrait(head, patternedSkin));
    const skin = albedoOf(baked, 'skin');
    const parts = head.parts.filter((p) => p.material === 'skin');
    const map = createTexelMap(head, parts, SIZE, 0);
    const place = [0, 1, 2].map((k) => rasterizeAttribute(map, head.triangles, head.neutral, 3, k, 0));
    const outside = rasterizeAttribute(map, head.triangles, computeHeadLayout(head).outsideMm, 1, 0, 0);
    let count = 0;
    let sum = 0;
    let beyond = 0;
    const red = new Float64Array(SIZE * SIZE);
    for (let p = 0; p < SIZE * SIZE; p++) {
      // Toward the sides of the face the light is evened, and slow waves of colour with it.
      if (map.triangle[p] === NO_TRIANGLE || baked.observed.data[p] < 250 || outside[p] > -55) continue;
      const truth = patternedSkin(place[0][p], place[1][p], place[2][p]);
      let error = 0;
      for (let k = 0; k < 3; k++) error = Math.max(error, Math.abs(skin.data[3 * p + k] - truth[k]));
      red[p] = truth[0];
      count++;
      sum += error;
      if (error > 10) beyond++;
    }
    expect(count).toBeGreaterThan(0.03 * SIZE * SIZE);
    // 8 bits, one sample per pixel, bilinear sampling: about half a level each; light of which a third is taken out, though there is none: another.
    expect(sum / count).toBeLessThan(3);
    // Edges (lids, nostrils, lips) where the nearest pixel may belong to another surface.
    expect(beyond / count).toBeLessThan(0.01);

    // How far the whole texture is displaced, in texels: least squares of the differences over the slopes, across and down. The noise above, averaged
    // over 10 000 texels, leaves a hundredth; a pixel of the photo is 1.3 texels.
    for (const next of [1, SIZE]) {
      let along = 0;
      let slopes = 0;
      for (let p = SIZE; p < SIZE * SIZE - SIZE; p++) {
        if (red[p] === 0 || red[p - next] === 0 || red[p + next] === 0) continue;
        const difference = skin.data[3 * p] - red[p];
        if (Math.abs(difference) > 10) continue;
        const slope = (red[p + next] - red[p - next]) / 2;
        along += difference * slope;
        slopes += slope * slope;
      }
      expect(Math.abs(along / slopes)).toBeLessThan(0.1);
    }
  });

  it('takes no colour of the background, not even at the rim of the face', async () => {
    const magenta = await baker.bake(renderSyntheticPortrait(head, wavySkin, { background: [255, 0, 255] }));
    for (const material of ['skin', 'scalp'] as const) {
      const { data } = albedoOf(magenta, material);
      let worst = -255;
      for (let o = 0; o < data.length; o += 3) worst = Math.max(worst, Math.min(data[o], data[o + 2]) - data[o + 1]);
      // Skin has blue 24 below green; a tenth of magenta mixed in would bring blue 16 above green.
      expect(worst).toBeLessThan(0);
    }
  });

  it('fills every texel: nothing black, nothing left out, also in the margins', () => {
    for (const material of ['skin', 'scalp'] as const) {
      const { data } = albedoOf(maps, material);
      let darkest = 255;
      for (let o = 0; o < data.length; o += 3) darkest = Math.min(darkest, Math.max(data[o], data[o + 1], data[o + 2]));
      // The lining of the mouth is the darkest thing there is: red 74.
      expect(darkest).toBeGreaterThan(60);
    }
    expect(maps.observedRatio).toBeGreaterThan(0.25);
    expect(maps.observedRatio).toBeLessThan(0.75);
  });

  it('names every material of the model once', () => {
    const named = maps.surfaces.flatMap((s) => s.materials).sort();
    expect(named).toEqual([...new Set(head.parts.map((p) => p.material))].sort());
    for (const s of maps.surfaces) {
      if (s.albedo !== null) expect(s.albedo.data.length).toBe(s.albedo.width * s.albedo.height * s.albedo.channels);
    }
  });

  it('completes hidden skin in the colours of the seen skin', () => {
    const { data } = albedoOf(maps, 'skin');
    // The back of the neck and behind the ears are never seen from the front: the waves are at most +-32 levels around the mean.
    const parts = head.parts.filter((p) => p.material === 'skin');
    const map = createTexelMap(head, parts, SIZE, 0);
    let darkest = 255;
    let brightest = 0;
    for (let p = 0; p < SIZE * SIZE; p++) {
      if (map.triangle[p] === NO_TRIANGLE || maps.observed.data[p] > 0) continue;
      darkest = Math.min(darkest, data[3 * p]);
      brightest = Math.max(brightest, data[3 * p]);
    }
    // Sheltered places may lose up to 40 % of their brightness.
    expect(darkest).toBeGreaterThan(0.55 * (196 - 32));
    expect(brightest).toBeLessThan(196 + 45);
  });

  it('has the same colours on both sides of the seam between skin and scalp', () => {
    const skin = albedoOf(maps, 'skin');
    const scalp = albedoOf(maps, 'scalp');
    const uvOf = (material: PartMaterial): Map<number, number> => {
      const out = new Map<number, number>();
      for (const part of head.parts) {
        if (part.material !== material || /socket/i.test(part.name)) continue;
        for (let i = 3 * part.firstTriangle; i < 3 * (part.firstTriangle + part.triangleCount); i++)
          out.set(head.triangles[i], head.triangleUvs[i]);
      }
      return out;
    };
    const skinUv = uvOf('skin');
    const scalpUv = uvOf('scalp');
    const differences: number[] = [];
    for (const [v, uv] of skinUv) {
      const other = scalpUv.get(v);
      if (other === undefined) continue;
      const a = meanAround(skin, head.uvs[2 * uv], head.uvs[2 * uv + 1]);
      const b = meanAround(scalp, head.uvs[2 * other], head.uvs[2 * other + 1]);
      differences.push(Math.max(...a.map((c, k) => Math.abs(c - b[k]))));
    }
    differences.sort((a, b) => a - b);
    expect(differences.length).toBeGreaterThan(150);
    // Six levels are seen as a line only by who knows where it is; the grain alone differs by two.
    expect(differences[Math.floor(0.5 * differences.length)]).toBeLessThan(3);
    expect(differences[Math.floor(0.95 * differences.length)]).toBeLessThan(6);
    expect(differences.at(-1)).toBeLessThan(14);
  });

  it('gives the mirrored texture for the mirrored photo', async () => {
    const turned = renderSyntheticPortrait(head, wavySkin, { yawDeg: 25 });
    const a = await baker.bake(turned);
    const b = await baker.bake(mirrorSyntheticPortrait(turned));
    const skinA = albedoOf(a, 'skin').data;
    const skinB = albedoOf(b, 'skin').data;
    let count = 0;
    let sum = 0;
    let worst = 0;
    for (let row = 0; row < SIZE; row++) {
      for (let column = 0; column < SIZE; column++) {
        const p = row * SIZE + column;
        const q = row * SIZE + SIZE - 1 - column;
        if (a.observed.data[p] < 200) continue;
        count++;
        for (let k = 0; k < 3; k++) {
          const d = Math.abs(skinA[3 * p + k] - skinB[3 * q + k]);
          sum += d;
          worst = Math.max(worst, d);
        }
      }
    }
    expect(count).toBeGreaterThan(0.15 * SIZE * SIZE);
    // The model is symmetric to 0.02 mm and pixels on edges are given to the left triangle in both: rounding, but for single texels.
    expect(sum / (3 * count)).toBeLessThan(0.3);
    expect(worst).toBeLessThan(40);
  });

  it('completes the hidden side of a turned head from the other one', async () => {
    // A dark patch on the cheek that is seen; the other cheek is hidden at 45 degrees.
    const marked: Albedo = (x, y, z) => {
      const [r, g, b] = [196, 148, 124];
      const d = Math.hypot(Math.abs(x) - 52, y + 32, z - 5);
      const k = d < 9 ? 0.82 : 1;
      return [r * k, g * k, b * k];
    };
    const both = await baker.bake(renderSyntheticPortrait(head, marked, { yawDeg: 40 }));
    const skin = albedoOf(both, 'skin');
    const at = (side: number): number => {
      let best = -1;
      let distance = Number.POSITIVE_INFINITY;
      for (let v = 0; v < head.vertexCount; v++) {
        const d = Math.hypot(head.neutral[3 * v] - side * 52, head.neutral[3 * v + 1] + 32, head.neutral[3 * v + 2] - 5);
        if (d < distance) {
          distance = d;
          best = v;
        }
      }
      const corner = head.triangles.indexOf(best);
      const uv = head.triangleUvs[corner];
      return meanAround(skin, head.uvs[2 * uv], head.uvs[2 * uv + 1])[0];
    };
    // Seen or mirrored, the patch (161) is told from the skin (196).
    expect(at(1)).toBeLessThan(176);
    expect(at(-1)).toBeLessThan(176);
  });

  it('shows no step where the mirrored photo begins, though one side of the face is lit from beside', async () => {
    // A lamp on the side that is turned away from the camera: skin is two fifths brighter there than on the near side.
    const sideLit: Albedo = (x, y) => {
      const light = 1 + 0.2 * Math.tanh(-x / 35) + 0.03 * Math.cos(y / 12);
      return [178 * light, 134 * light, 112 * light];
    };
    const baked = await baker.bake(renderSyntheticPortrait(head, sideLit, { yawDeg: 35 }));
    const { data } = albedoOf(baked, 'skin');
    // Across the border, 12 texels: from what the photo paints to what it does not. Only the face itself, not ears, lids and lips.
    const map = createTexelMap(
      head,
      head.parts.filter((p) => p.material === 'skin'),
      SIZE,
      0,
    );
    const layout = computeHeadLayout(head);
    const of = (values: ArrayLike<number>, stride: number, k: number) => rasterizeAttribute(map, head.triangles, values, stride, k, 1000);
    const outside = of(layout.outsideMm, 1, 0);
    const lids = of(layout.lidRimMm, 1, 0);
    const lips = of(layout.lipRimMm, 1, 0);
    const openness = of(layout.openness, 1, 0);
    const steps: number[] = [];
    const REACH = 12;
    for (let row = 0; row < SIZE; row++) {
      for (let column = 0; column + REACH < SIZE; column++) {
        const p = row * SIZE + column;
        const q = p + REACH;
        const isBorder =
          Math.min(baked.observed.data[p], baked.observed.data[q]) < 25 && Math.max(baked.observed.data[p], baked.observed.data[q]) > 230;
        if (!isBorder || [p, q].some((i) => outside[i] > -6 || lids[i] < 13 || lips[i] < 13 || openness[i] < 0.9)) continue;
        steps.push(Math.abs(data[3 * p] - data[3 * q]));
      }
    }
    steps.sort((a, b) => a - b);
    expect(steps.length).toBeGreaterThan(300);
    // The light itself changes by a level per millimetre at most (178 * 0.2 / 35) and 12 texels are about 7 mm; beside them the grain.
    // Copied as it is, the mirrored photo is 48 levels off (median; measured with the correction left out).
    expect(steps[steps.length >> 1]).toBeLessThan(6);
    expect(steps.at(-1)).toBeLessThan(16);
  });

  it('takes the light of a lamp at one side out toward the sides of the face', async () => {
    // As much light again from the right as there is from the left: one cheek is twice as bright as the other in the photo.
    const sideLit: Albedo = (x) => [0, 1, 2].map((k) => [150, 112, 94][k] * (1 + 0.33 * Math.tanh(x / 30))) as [number, number, number];
    const portrait = renderSyntheticPortrait(head, sideLit);
    const { data } = albedoOf(await baker.bake(portrait), 'skin');
    const map = createTexelMap(
      head,
      head.parts.filter((p) => p.material === 'skin'),
      SIZE,
      0,
    );
    const layout = computeHeadLayout(head);
    const outside = rasterizeAttribute(map, head.triangles, layout.outsideMm, 1, 0, 1000);
    const hairline = rasterizeAttribute(map, head.triangles, layout.hairlineMm, 1, 0, 1000);
    const x = rasterizeAttribute(map, head.triangles, head.neutral, 3, 0, 0);
    const y = rasterizeAttribute(map, head.triangles, head.neutral, 3, 1, 0);
    const medianOf = (side: number): number => {
      const reds: number[] = [];
      for (let p = 0; p < SIZE * SIZE; p++) {
        const isCheek = outside[p] > -22 && outside[p] < -8 && hairline[p] < -42 && y[p] < -10 && side * x[p] > 40;
        if (isCheek) reds.push(data[3 * p]);
      }
      expect(reds.length).toBeGreaterThan(300);
      return reds.sort((a, b) => a - b)[reds.length >> 1];
    };
    const [left, right] = [medianOf(1), medianOf(-1)];
    // A factor of 1.97 in the photo; two times the largest factors that light is taken out by would undo 3.8. A tenth is seen by nobody who sees one cheek
    // at a time.
    expect(Math.max(left, right) / Math.min(left, right)).toBeLessThan(1.15);
  });

  it.each([1, -1])('does not carry a lock of hair over one cheek to the other one (side %d)', async (side) => {
    const locked: Albedo = (x, y, z) => (Math.abs(side * x - 60) < 5 && y < 0 && y > -45 && z > -60 ? [42, 32, 28] : [196, 148, 124]);
    const skin = albedoOf(await baker.bake(renderSyntheticPortrait(head, locked, { yawDeg: 40 })), 'skin');
    let best = -1;
    let distance = Number.POSITIVE_INFINITY;
    for (let v = 0; v < head.vertexCount; v++) {
      const d = Math.hypot(head.neutral[3 * v] + side * 60, head.neutral[3 * v + 1] + 22, 0.2 * head.neutral[3 * v + 2]);
      if (d < distance) {
        distance = d;
        best = v;
      }
    }
    const uv = head.triangleUvs[head.triangles.indexOf(best)];
    // Half-way between hair and skin would be 119; completed skin may be a little darker than the rest.
    expect(meanAround(skin, head.uvs[2 * uv], head.uvs[2 * uv + 1])[0]).toBeGreaterThan(170);
  });

  it('is deterministic, and keeps nothing of the photo before', async () => {
    const other = renderSyntheticPortrait(head, () => [120, 80, 60], { yawDeg: -30, background: [250, 250, 250] });
    await baker.bake(other);
    const again = await baker.bake(frontal);
    const fresh = await createTextureBaker(head, computeTextureTables(head, SIZE)).bake(frontal);
    expectSameBytes(again, maps);
    expectSameBytes(fresh, maps);
  });

  it('stops when it is told to', async () => {
    const stopped = new AbortController();
    stopped.abort();
    await expect(baker.bake({ ...frontal, signal: stopped.signal })).rejects.toMatchObject({ code: 'FW_CANCELED' });
  });

  it('stops within a part of the work when it is told to while it works, and the next bake is as ever', async () => {
    const large = createTextureBaker(head, computeTextureTables(head, 2048));
    // Turns of the event loop that a bake takes, and that it takes when a timer stops it as soon as timers are served.
    const countTurns = async (bake: Promise<unknown>): Promise<number> => {
      let turns = 0;
      let isOver = false;
      const over = bake.then(
        () => (isOver = true),
        () => (isOver = true),
      );
      while (!isOver) {
        await new Promise((resolve) => setImmediate(resolve));
        turns++;
      }
      await over;
      return turns;
    };
    const whole = large.bake(frontal);
    const wholeTurns = await countTurns(whole);
    const stop = new AbortController();
    const stopped = large.bake({ ...frontal, signal: stop.signal });
    const next = large.bake(frontal);
    setTimeout(() => stop.abort(), 1);
    const stoppedTurns = await countTurns(stopped);
    await expect(stopped).rejects.toMatchObject({ code: 'FW_CANCELED' });
    // 4 million texels of skin and 2 million of scalp, a quarter of a million per turn, and the steps before.
    expect(wholeTurns).toBeGreaterThan(20);
    // A timer of a millisecond is served after the first turn of the work that is longer than that; some turns are for slack.
    expect(stoppedTurns).toBeLessThan(wholeTurns / 2);
    expectSameBytes(await next, await whole);
  }, 60_000);

  it('does overlapping bakes one after the other: same bytes as alone', async () => {
    const other = renderSyntheticPortrait(head, () => [120, 80, 60], { yawDeg: -30, background: [250, 250, 250] });
    const alone = await baker.bake(other);
    const [a, b, c] = await Promise.all([baker.bake(other), baker.bake(frontal), baker.bake(other)]);
    expectSameBytes(a, alone);
    expectSameBytes(b, maps);
    expectSameBytes(c, alone);
  });

  it('refuses a photo that shows nothing of the face', async () => {
    const elsewhere = { ...frontal, view: { ...frontal.view, x: frontal.view.x + 10_000 } };
    await expect(baker.bake(elsewhere)).rejects.toMatchObject({ code: 'FW_FIT_FAILED' });
    expectSameBytes(await baker.bake(frontal), maps);
  });

  it('refuses sizes that are not', () => {
    for (const size of [0, 511.5, 8192, Number.NaN])
      expect(() => computeTextureTables(head, size)).toThrow(expect.objectContaining({ code: 'FW_ARG_INVALID' }));
  });

  it('paints the canonical face mesh as one filled skin', async () => {
    const canonical = await loadFaceModel('canonical');
    const portrait = renderSyntheticPortrait(canonical, wavySkin);
    const baked = await createTextureBaker(canonical, computeTextureTables(canonical, SIZE)).bake(portrait);
    expect(baked.surfaces.map((s) => s.materials)).toEqual([['skin']]);
    // Most of the mask is seen from the front, eyes and mouth too; its edge is turned away and next to the background: a centimetre is completed.
    expect(baked.observedRatio).toBeGreaterThan(0.6);
    const { data } = albedoOf(baked, 'skin');
    let darkest = 255;
    for (let o = 0; o < data.length; o += 3) darkest = Math.min(darkest, data[o]);
    // The darkest painted colour is the mouth's 150.
    expect(darkest).toBeGreaterThan(120);
  });
});

/** All pictures, constants and the map of what was seen. */
function expectSameBytes(actual: FaceMaps, expected: FaceMaps): void {
  const describeMaps = ({ surfaces, observed, observedRatio }: FaceMaps) => ({
    surfaces: surfaces.map(({ albedo, ...constants }) => ({ ...constants, albedo: albedo === null ? null : digest(albedo.data) })),
    observed: digest(observed.data),
    observedRatio,
  });
  expect(describeMaps(actual)).toEqual(describeMaps(expected));
}

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Mean of the 3 x 3 texels around a place. */
function meanAround(map: TextureMap, u: number, v: number): [number, number, number] {
  const column = Math.max(1, Math.min(map.width - 2, Math.floor(u * map.width)));
  const row = Math.max(1, Math.min(map.height - 2, Math.floor(v * map.height)));
  const sum: [number, number, number] = [0, 0, 0];
  for (let j = -1; j <= 1; j++) {
    for (let i = -1; i <= 1; i++)
      for (let k = 0; k < 3; k++) sum[k] += map.data[map.channels * ((row + j) * map.width + column + i) + k] / 9;
  }
  return sum;
}
