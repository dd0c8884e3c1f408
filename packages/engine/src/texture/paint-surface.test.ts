import { describe, expect, it } from 'vitest';
import { renderSyntheticPortrait } from '../../test/synthetic-portrait.ts';
import { countKernelBytes, createKernelMemory, type KernelMemory } from '../kernels/kernel-memory.ts';
import { loadFaceModel } from '../models/load-face-model.ts';
import { createSurfacePlan, PLAN, PLAN_BYTES, type SurfacePlan } from './complete-surface.ts';
import { FIELD_SIZE } from './field-size.ts';
import { createGrainTile } from './grain.ts';
import { computeHeadLayout } from './head-layout.ts';
import { countCanvasBytes, countPaintBytes, createPaintCanvas, createPaintScratch, paintSurface } from './paint-surface.ts';
import { computePhotoFrame } from './photo-frame.ts';
import { countPhotoBytes, createPhotoLevel, createPhotoMemory } from './photo-level.ts';
import { createSurfaceTables, isLining } from './surface-tables.ts';
import { NO_TRIANGLE } from './texel-map.ts';
import { createVisibilityBuffers } from './visibility.ts';

/** Nothing that is painted here has this colour. */
const SENTINEL = [1, 2, 255] as const;

/** A plan that is the same everywhere. */
function createFlatPlan(memory: KernelMemory, values: Partial<Record<'own' | 'mirrored' | 'hairness', number>>): SurfacePlan {
  const plan = createSurfacePlan(memory);
  for (let p = 0; p < FIELD_SIZE * FIELD_SIZE; p++) {
    const o = p * PLAN.count;
    for (const [name, value] of Object.entries(values)) plan.channels[o + PLAN[name as 'own']] = value;
    plan.channels.set([200, 150, 0], o + PLAN.skin);
    plan.channels.set([90, 60, 0], o + PLAN.hair);
  }
  return plan;
}

describe('paintSurface', () => {
  it('paints every texel of the islands and of their margins, whatever paints them', async () => {
    const model = await loadFaceModel('head');
    const layout = computeHeadLayout(model);
    const portrait = renderSyntheticPortrait(model, () => [200, 150, 0], { background: [200, 150, 0] });
    const outside = model.parts.filter((p) => ['skin', 'scalp'].includes(p.material) && !isLining(p));
    const frame = computePhotoFrame(portrait.face, portrait.view, portrait.landmarks, layout, outside, createVisibilityBuffers());
    // A size that the field's does not divide: runs of two and of three texels.
    const size = 600;
    for (const material of ['skin', 'scalp'] as const) {
      const parts = model.parts.filter((p) => p.material === material);
      const made = createSurfaceTables(model, layout, parts, size);
      const memory = createKernelMemory(
        countKernelBytes(made) + 5 * PLAN_BYTES + 20_000 + countPaintBytes(model, made) + countCanvasBytes(size) + countPhotoBytes(size),
      );
      const tables = memory.adopt(made);
      const grainTile = memory.adopt(createGrainTile());
      const scratch = createPaintScratch(memory, model, tables);
      const canvas = createPaintCanvas(memory, size);
      const level = createPhotoLevel(portrait.view, frame.box, 1, 0, createPhotoMemory(memory, size));
      const plans = {
        photo: createFlatPlan(memory, { own: 1 }),
        mirrored: createFlatPlan(memory, { mirrored: 1 }),
        skin: createFlatPlan(memory, {}),
        hair: createFlatPlan(memory, { hairness: 1 }),
        mixed: createFlatPlan(memory, { own: 0.4, mirrored: 0.3, hairness: 0.5 }),
      };
      for (const [name, plan] of Object.entries(plans)) {
        const options = { grain: 2, grainTile, hairContrast: 0.2, beside: SENTINEL };
        const rgb = await paintSurface(model, tables, frame, level, plan, options, scratch, canvas, () => Promise.resolve());
        let unpainted = 0;
        let painted = 0;
        let sentinels = 0;
        for (let p = 0; p < size * size; p++) {
          const isSentinel = SENTINEL.every((c, k) => rgb[3 * p + k] === c);
          if (isSentinel) sentinels++;
          if (tables.map.triangle[p] === NO_TRIANGLE) continue;
          painted++;
          if (isSentinel) unpainted++;
        }
        expect(painted, `${material}, ${name}`).toBeGreaterThan(tables.map.covered);
        expect(unpainted, `${material}, ${name}`).toBe(0);
        // The check can fail: where there is nothing to paint the sentinel is still there.
        expect(sentinels, `${material}, ${name}`).toBeGreaterThan(1000);
      }
    }
  }, 60_000);
});
