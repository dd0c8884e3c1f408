import { type HeadColors, SKIN_NOT, SKIN_SURE } from './head-colors.ts';
import type { SurfaceObservation } from './observe-surface.ts';
import { createPullPushWorkspace, type PullPushWorkspace, pullPush } from './pull-push.ts';
import { computeSkinDistance } from './skin-color.ts';
import { smoothstep } from './smoothstep.ts';
import { FIELD_SIZE, type SurfaceTables } from './surface-tables.ts';
import { NO_TRIANGLE } from './texel-map.ts';

/** Channels of {@link SurfacePlan.channels}. */
export const PLAN = { own: 0, mirrored: 1, offset: 2, skin: 5, hair: 8, hairness: 11, count: 12 } as const;

/**
 * How a surface is painted, on its field: colour = own * photo + mirrored * (photo on the other side + offset) + the rest * fill,
 * where fill is skin or hair.
 */
export interface SurfacePlan {
  /**
   * Shape (F,F,12): weight of the photo; weight of the mirrored photo; what is added to the mirrored photo (3); completed skin (3); completed
   * hair (3), all sRGB 0..255; and how far the fill is hair, 0..1.
   */
  readonly channels: Float32Array;
  /** Shape (F,F,3), (F,F,3), (F,F): completed skin and hair before shelter darkens them, and the difference of `hairness` from the usual hairline; a neighbouring surface is tied to these. */
  readonly skin: Float32Array;
  readonly hair: Float32Array;
  readonly hairness: Float32Array;
}

/** Colours that the plan must have at places on the rim shared with another surface. */
export interface SeamConstraints {
  /** Shape (N): field texel. */
  readonly texel: Uint32Array;
  /** Shape (N,3): completed skin of the neighbour there. */
  readonly skin: Float32Array;
  /** Shape (N,3): completed hair. */
  readonly hair: Float32Array;
  /** Shape (N): difference from the usual hairline. */
  readonly hairness: Float32Array;
}

export interface CompletionWorkspace {
  readonly three: PullPushWorkspace;
  readonly one: PullPushWorkspace;
}

export const createCompletionWorkspace = (): CompletionWorkspace => ({
  three: createPullPushWorkspace(FIELD_SIZE, 3),
  one: createPullPushWorkspace(FIELD_SIZE, 1),
});

export function completeSurface(
  tables: SurfaceTables,
  observation: SurfaceObservation,
  colors: HeadColors,
  workspace: CompletionWorkspace,
  seam: SeamConstraints | null,
): SurfacePlan {
  const { field, outsideMm, hairlineMm, openness, mirrorTexel } = tables;
  const { rgb, seen } = observation;
  const n = field.triangle.length;
  const channels = new Float32Array(n * PLAN.count);

  // What the photo shows there: 0 skin .. 1 something else; and whether that belongs to the head.
  const notSkin = new Float32Array(n);
  const own = new Float32Array(n);
  for (let p = 0; p < n; p++) {
    if (seen[p] === 0) continue;
    const r = rgb[3 * p]!;
    const g = rgb[3 * p + 1]!;
    const b = rgb[3 * p + 2]!;
    const other = smoothstep(SKIN_SURE, SKIN_NOT, computeSkinDistance(colors.skin, r, g, b));
    notSkin[p] = other;
    const outside = outsideMm[p]!;
    const hairline = hairlineMm[p]!;
    // Inside the oval everything is face (brows, beard, glasses, a fringe); outside only skin is, and on the scalp hair.
    let belongs = 1 - other * smoothstep(-9, -1, outside);
    let reach = 1 - smoothstep(14, 34, outside);
    const onScalp = smoothstep(-4, 3, hairline);
    if (onScalp > 0 && colors.hair !== null) {
      const hairLike = 1 - smoothstep(3, 4.5, hairDistance(colors, r, g, b));
      belongs += onScalp * (Math.max(belongs, hairLike) - belongs);
      reach += onScalp * (1 - smoothstep(70, 100, outside) - reach);
    }
    own[p] = seen[p]! * belongs * reach;
  }

  // Weights. A side that is seen well paints itself; where the other side is seen much better, that one does.
  const delta = new Float32Array(3 * n);
  const both = new Float32Array(n);
  for (let p = 0; p < n; p++) {
    if (field.triangle[p] === NO_TRIANGLE) continue;
    const a = own[p]!;
    const q = mirrorTexel[p]!;
    const b = q === p ? 0 : own[q]!;
    const o = p * PLAN.count;
    const w = smoothstep(0.12, 0.5, a) * (1 - smoothstep(0.1, 0.6, b - a));
    channels[o + PLAN.own] = w;
    channels[o + PLAN.mirrored] = (1 - w) * smoothstep(0.12, 0.5, b);
    both[p] = Math.min(1, 4 * Math.min(a, b));
    if (both[p]! > 0) for (let k = 0; k < 3; k++) delta[3 * p + k] = rgb[3 * p + k]! - rgb[3 * q + k]!;
  }

  // Light differs between the sides: the difference seen where both are known runs on smoothly where only one is.
  pullPush(delta, both, workspace.three, [0, 0, 0], 0.02);

  const skin = new Float32Array(3 * n);
  const skinWeight = new Float32Array(n);
  const hair = new Float32Array(3 * n);
  const hairWeight = new Float32Array(n);
  const hairness = new Float32Array(n);
  const hairnessWeight = new Float32Array(n);
  const [skinR, skinG, skinB] = colors.skin.rgb;
  for (let p = 0; p < n; p++) {
    if (field.triangle[p] === NO_TRIANGLE) continue;
    const o = p * PLAN.count;
    for (let k = 0; k < 3; k++) channels[o + PLAN.offset + k] = delta[3 * p + k]!;
    const w1 = channels[o + PLAN.own]!;
    const w2 = channels[o + PLAN.mirrored]!;
    const q = mirrorTexel[p]!;
    const w = w1 + w2;
    const other = w > 0 ? (w1 * notSkin[p]! + w2 * notSkin[q]!) / w : 0;
    const inHair = smoothstep(-6, 4, hairlineMm[p]!);
    if (w > 0.02) {
      for (let k = 0; k < 3; k++) {
        const c = (w1 * rgb[3 * p + k]! + w2 * (rgb[3 * q + k]! + delta[3 * p + k]!)) / w;
        skin[3 * p + k] = c;
        hair[3 * p + k] = c;
      }
      // Beside the oval only skin may spread outward; inside it whatever is there (beard into beard).
      skinWeight[p] = w * (1 - other * smoothstep(-25, -8, outsideMm[p]!)) * (1 - inHair * other);
      hairWeight[p] = w * other * smoothstep(-20, 4, hairlineMm[p]!);
      const band = smoothstep(-28, -16, hairlineMm[p]!);
      hairness[p] = other - inHair;
      hairnessWeight[p] = 0.9 * w * band;
    }
  }
  if (seam !== null) {
    for (let i = 0; i < seam.texel.length; i++) {
      const p = seam.texel[i]!;
      for (let k = 0; k < 3; k++) {
        skin[3 * p + k] = seam.skin[3 * i + k]!;
        hair[3 * p + k] = seam.hair[3 * i + k]!;
      }
      hairness[p] = seam.hairness[i]!;
      skinWeight[p] = 1;
      hairWeight[p] = 1;
      hairnessWeight[p] = 1;
    }
  }
  pullPush(skin, skinWeight, workspace.three, [skinR, skinG, skinB], 0.03);
  const hairRgb = colors.hair?.rgb ?? colors.skin.rgb;
  pullPush(hair, hairWeight, workspace.three, hairRgb, 0.06);
  pullPush(hairness, hairnessWeight, workspace.one, [0], 0.12);

  for (let p = 0; p < n; p++) {
    const o = p * PLAN.count;
    // Folds and undersides that no photo shows are darker and redder than open skin.
    const closed = 1 - openness[p]!;
    const shade = 1 - 0.55 * closed;
    channels[o + PLAN.skin] = skin[3 * p]! * (shade + 0.12 * closed);
    channels[o + PLAN.skin + 1] = skin[3 * p + 1]! * shade;
    channels[o + PLAN.skin + 2] = skin[3 * p + 2]! * shade;
    for (let k = 0; k < 3; k++) channels[o + PLAN.hair + k] = hair[3 * p + k]! * (1 - 0.35 * closed);
    const usual = smoothstep(-6, 4, hairlineMm[p]!);
    channels[o + PLAN.hairness] = colors.hairAmount * Math.max(0, Math.min(1, usual + hairness[p]!));
  }
  return { channels, skin, hair, hairness };
}

function hairDistance(colors: HeadColors, r: number, g: number, b: number): number {
  const hair = colors.hair!;
  // Hair shines and lies in its own shade: brightness counts a third.
  return computeSkinDistance(
    {
      ...hair,
      logLumaSpread: Math.max(0.5, 1.5 * hair.logLumaSpread),
      bluenessSpread: Math.max(0.07, hair.bluenessSpread),
      rednessSpread: Math.max(0.07, hair.rednessSpread),
    },
    r,
    g,
    b,
  );
}
