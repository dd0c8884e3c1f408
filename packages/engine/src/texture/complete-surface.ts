import type { KernelMemory } from '../kernels/kernel-memory.ts';
import { FIELD_SIZE } from './field-size.ts';
import { type HeadColors, SKIN_NOT, SKIN_SURE } from './head-colors.ts';
import type { SurfaceObservation } from './observe-surface.ts';
import { countPullPushBytes, createPullPushWorkspace, type PullPushWorkspace, pullPush } from './pull-push.ts';
import { computeToneDistance } from './skin-color.ts';
import { smoothstep } from './smoothstep.ts';
import type { SurfaceTables } from './surface-tables.ts';

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
  /**
   * Shape (F,F,3), (F,F,3), (F,F): completed skin and hair before shelter darkens them, and the difference of `hairness` from the usual
   * hairline; a neighbouring surface is tied to these.
   */
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

/** Scratch memory for completing surfaces one after the other; its contents mean nothing between calls. */
export interface CompletionWorkspace {
  readonly memory: KernelMemory;
  readonly three: PullPushWorkspace;
  readonly one: PullPushWorkspace;
  /** Shape (F,F) each. */
  readonly planes: readonly [Float32Array, Float32Array, Float32Array, Float32Array];
  /** Shape (F,F,3). */
  readonly colors: Float32Array;
}

/** Bytes of {@link createCompletionWorkspace}. */
export const COMPLETION_BYTES = countPullPushBytes(FIELD_SIZE, 3) + countPullPushBytes(FIELD_SIZE, 1) + 7 * 4 * FIELD_SIZE ** 2 + 64;

export const createCompletionWorkspace = (memory: KernelMemory): CompletionWorkspace => {
  const n = FIELD_SIZE * FIELD_SIZE;
  const plane = (): Float32Array => memory.allocate(Float32Array, n);
  return {
    memory,
    three: createPullPushWorkspace(memory, FIELD_SIZE, 3),
    one: createPullPushWorkspace(memory, FIELD_SIZE, 1),
    planes: [plane(), plane(), plane(), plane()],
    colors: memory.allocate(Float32Array, 3 * n),
  };
};

/** Bytes of {@link createSurfacePlan}. */
export const PLAN_BYTES = (PLAN.count + 7) * 4 * FIELD_SIZE ** 2 + 64;

/** Memory for the plan of one surface, to be used again for every photo. */
export function createSurfacePlan(memory: KernelMemory): SurfacePlan {
  const n = FIELD_SIZE * FIELD_SIZE;
  return {
    channels: memory.allocate(Float32Array, n * PLAN.count),
    skin: memory.allocate(Float32Array, 3 * n),
    hair: memory.allocate(Float32Array, 3 * n),
    hairness: memory.allocate(Float32Array, n),
  };
}

/** Lining of the mouth and the eye sockets, sRGB: dark flesh. */
const LINING: readonly [number, number, number] = [74, 26, 24];

/** How much completed colours are drawn to the median with distance (see pullPush). */
const SKIN_PRIOR = 0.7;
const HAIR_PRIOR = 0.6;
const HAIRLINE_PRIOR = 1;
const OFFSET_PRIOR = 0.3;
/** Passes of a 3 x 3 mean over the rim of what the photo paints: a transition of about three millimetres. */
const SOFTENING_PASSES = 3;
/** Light differs between the halves of a face by no more than this (a lamp beside it), 8-bit levels. */
const MAX_OFFSET = 140;

/** The band along the outline of the head in which colours are looked at more closely, millimetres across the line of sight. */
const RIM_NEAR_MM = 5;
const RIM_FAR_MM = 14;
/** Distances from the skin's tone count this much more at the outline: twice the usual strictness. */
const RIM_STRICTNESS = 1;

/** Whether there is usually hair: 0 below the hairline, 1 above, thinning out over a finger's width. */
const usualHair = (hairlineMm: number): number => smoothstep(-13, 17, hairlineMm);

/**
 * Decides for every place of a surface what paints it: the photo, the mirrored photo or a smooth continuation of what is around.
 *
 * Seams are blended in the gradient domain: the mirrored photo keeps its gradients (they guide), and a membrane is added to it that is the
 * difference of the two photos where both show skin and runs on smoothly where only the mirrored one does. That is seamless cloning written
 * as an interpolation of boundary differences (Pérez, Gangnet, Blake, "Poisson image editing", SIGGRAPH 2003, eq. 9: the correction is the
 * smooth interpolant of the difference along the boundary; Farbman et al., "Coordinates for instant image cloning", SIGGRAPH 2009, who
 * replace the Poisson solution by a cheaper smooth interpolant). The interpolant here is pull-push (Gortler et al. 1996, see pull-push.ts).
 *
 * @param localSkinTone - shape (F,F,3): tone of skin by place, or null for one tone everywhere
 * @param seam - ties to a neighbour that was completed before
 * @param plan - written
 */
export function completeSurface(
  tables: SurfaceTables,
  observation: SurfaceObservation,
  colors: HeadColors,
  localSkinTone: Float32Array | null,
  workspace: CompletionWorkspace,
  seam: SeamConstraints | null,
  plan: SurfacePlan,
): void {
  const { texels } = tables;
  const { rgb } = observation;
  const { channels, skin, hair, hairness } = plan;
  const [notSkin, own, weights, scratch] = workspace.planes;
  const n = FIELD_SIZE * FIELD_SIZE;
  weighPhoto(tables, observation, colors, localSkinTone, notSkin, own, weights, scratch, workspace.memory);

  // Shares. A side that is seen well paints itself; where the other side is seen much better, that one does.
  const delta = workspace.colors;
  const share = scratch;
  featherShares(tables, own, share, delta, workspace.memory);
  weights.fill(0);
  let mirroredSum = 0;
  for (let i = 0; i < texels.length; i += PIECE) {
    mirroredSum += shareSides(tables, observation, plan, notSkin, own, share, weights, delta, i, Math.min(texels.length, i + PIECE));
  }
  // Light differs between the sides: the difference seen where both are known runs on smoothly where only one is.
  if (mirroredSum > 1) pullPush(delta, weights, workspace.three, [0, 0, 0], OFFSET_PRIOR);
  else delta.fill(0);

  const hairWeight = own;
  const hairnessWeight = scratch;
  // `own` is read no more: its memory holds the weights of hair from here on.
  weights.fill(0);
  hairnessWeight.fill(0);
  for (let i = 0; i < texels.length; i += PIECE) {
    gatherKnown(tables, rgb, plan, notSkin, delta, weights, hairWeight, hairnessWeight, i, Math.min(texels.length, i + PIECE));
  }
  if (seam !== null) {
    for (let i = 0; i < seam.texel.length; i++) {
      const p = seam.texel[i];
      for (let k = 0; k < 3; k++) {
        skin[3 * p + k] = seam.skin[3 * i + k];
        hair[3 * p + k] = seam.hair[3 * i + k];
      }
      hairness[p] = seam.hairness[i];
      weights[p] = 1;
      hairWeight[p] = 1;
      hairnessWeight[p] = 1;
    }
  }
  for (let i = 0; i < texels.length; i++) {
    const o = texels[i] * PLAN.count + PLAN.offset;
    const d = 3 * texels[i];
    channels[o] = delta[d];
    channels[o + 1] = delta[d + 1];
    channels[o + 2] = delta[d + 2];
  }
  pullPush(skin, weights, workspace.three, colors.skin, SKIN_PRIOR);
  if (tables.cuts.length > 0) closeCuts(skin, tables.cuts, seam, workspace, weights);
  const hasHair = colors.hair !== null;
  if (hasHair) {
    pullPush(hair, hairWeight, workspace.three, colors.hair.rgb, HAIR_PRIOR);
    pullPush(hairness, hairnessWeight, workspace.one, [0], HAIRLINE_PRIOR);
  }

  const grey = 0.299 * LINING[0] + 0.587 * LINING[1] + 0.114 * LINING[2];
  const flesh = Float64Array.from(LINING, (c) => grey + colors.saturation * (c - grey));
  for (let p = 0; p < n; p += FIELD_SIZE) composeRow(tables, plan, flesh, 0.07 * colors.saturation, hasHair, p, p + FIELD_SIZE);
}

/**
 * Shares the places `from` to before `end` between the photo and the mirrored photo, and takes the difference of light where both show skin.
 *
 * @returns sum of the mirrored photo's weights
 */
function shareSides(
  { texels, mirrorTexel }: SurfaceTables,
  { seen, tone, rgb }: SurfaceObservation,
  { channels }: SurfacePlan,
  notSkin: Float32Array,
  own: Float32Array,
  share: Float32Array,
  weights: Float32Array,
  delta: Float32Array,
  from: number,
  end: number,
): number {
  let mirroredSum = 0;
  for (let i = from; i < end; i++) {
    const p = texels[i];
    const q = mirrorTexel[p];
    const a = own[p];
    const b = q === p ? 0 : own[q];
    const o = p * PLAN.count;
    channels[o + PLAN.own] = 0;
    channels[o + PLAN.mirrored] = 0;
    if (a === 0 && b === 0) continue;
    // A strand or shadow over the far side gives way to bare skin on the near side.
    const nearer = smoothstep(0.03, 0.2, seen[q] - seen[p]) * (1 - notSkin[q]);
    // The tone of a place that was not seen is what the last photo left there.
    const darker = nearer === 0 || seen[p] === 0 ? 0 : smoothstep(0.35, 0.8, tone[3 * q] - tone[3 * p]);
    const covered = 0.6 * nearer * Math.max(notSkin[p], darker);
    const gain = b - a + covered;
    const w = share[p] * (1 - smoothstep(0.15, 0.6, gain));
    const mirrored = (1 - w) * share[q] * smoothstep(0.3, 0.75, b) * smoothstep(0.08, 0.3, gain);
    channels[o + PLAN.own] = w;
    channels[o + PLAN.mirrored] = mirrored;
    mirroredSum += mirrored;
    // Only skin is compared with skin: a strand on one side is not a difference of light.
    const both = Math.min(1, 4 * Math.min(a, b)) * (1 - notSkin[p]) * (1 - notSkin[q]) * (1 - nearer * darker);
    weights[p] = both;
    if (both > 0) {
      for (let k = 0; k < 3; k++) delta[3 * p + k] = Math.max(-MAX_OFFSET, Math.min(MAX_OFFSET, rgb[3 * p + k] - rgb[3 * q + k]));
    }
  }
  return mirroredSum;
}

/** Colours that are known, and how far each may spread as skin and as hair; the places `from` to before `end`. */
function gatherKnown(
  { texels, mirrorTexel, outsideMm, hairlineMm }: SurfaceTables,
  rgb: Float32Array,
  { channels, skin, hair, hairness }: SurfacePlan,
  notSkin: Float32Array,
  delta: Float32Array,
  weights: Float32Array,
  hairWeight: Float32Array,
  hairnessWeight: Float32Array,
  from: number,
  end: number,
): void {
  for (let i = from; i < end; i++) {
    const p = texels[i];
    const o = p * PLAN.count;
    hairWeight[p] = 0;
    const w1 = channels[o + PLAN.own];
    const w2 = channels[o + PLAN.mirrored];
    const w = w1 + w2;
    if (w < 0.02) continue;
    const q = mirrorTexel[p];
    const hairline = hairlineMm[p];
    const other = (w1 * notSkin[p] + w2 * notSkin[q]) / w;
    for (let k = 0; k < 3; k++) {
      const c = w2 > 0 ? (w1 * rgb[3 * p + k] + w2 * (rgb[3 * q + k] + delta[3 * p + k])) / w : rgb[3 * p + k];
      skin[3 * p + k] = c;
      hair[3 * p + k] = c;
    }
    // Beside the oval only skin may spread outward; inside it whatever is there (lips into lips, lids into lids). What is half
    // rejected may be mixed with the background and spreads nowhere.
    weights[p] =
      smoothstep(0.25, 0.85, w) * (1 - other * smoothstep(-28, -12, outsideMm[p])) * (1 - other * smoothstep(-45, -30, hairline));
    // Only what is hair for sure gives hair its colour: at its edge it is mixed with skin.
    hairWeight[p] = w * smoothstep(0.7, 1, other) * smoothstep(-25, 4, hairline);
    hairness[p] = other - usualHair(hairline);
    hairnessWeight[p] = 0.9 * w * smoothstep(-30, -16, hairline);
  }
}

/** Writes completed skin and hair to the channels, darker where the surface is sheltered; texels `from` to before `end`. */
function composeRow(
  { lining, openness, hairlineMm }: SurfaceTables,
  { channels, skin, hair, hairness }: SurfacePlan,
  flesh: Float64Array,
  reddening: number,
  hasHair: boolean,
  from: number,
  end: number,
): void {
  for (let p = from; p < end; p++) {
    const o = p * PLAN.count;
    if (lining[p] === 1) {
      channels[o + PLAN.skin] = flesh[0];
      channels[o + PLAN.skin + 1] = flesh[1];
      channels[o + PLAN.skin + 2] = flesh[2];
      continue;
    }
    // Folds and undersides that no photo shows are darker and a little redder than open skin.
    const closed = 1 - openness[p];
    const shade = 1 - 0.42 * closed;
    channels[o + PLAN.skin] = skin[3 * p] * (shade + reddening * closed);
    channels[o + PLAN.skin + 1] = skin[3 * p + 1] * shade;
    channels[o + PLAN.skin + 2] = skin[3 * p + 2] * shade;
    if (!hasHair) {
      channels[o + PLAN.hairness] = 0;
      continue;
    }
    const dim = 1 - 0.35 * closed;
    channels[o + PLAN.hair] = hair[3 * p] * dim;
    channels[o + PLAN.hair + 1] = hair[3 * p + 1] * dim;
    channels[o + PLAN.hair + 2] = hair[3 * p + 2] * dim;
    const h = usualHair(hairlineMm[p]) + hairness[p];
    channels[o + PLAN.hairness] = h < 0 ? 0 : h > 1 ? 1 : h;
  }
}

/**
 * How far the photo may paint each place by itself.
 *
 * @param notSkin - shape (F,F), written: 0 where the photo shows skin, 1 where it shows something else
 * @param own - shape (F,F), written: 0..1
 */
function weighPhoto(
  tables: SurfaceTables,
  observation: SurfaceObservation,
  colors: HeadColors,
  localSkinTone: Float32Array | null,
  notSkin: Float32Array,
  own: Float32Array,
  foreign: Float32Array,
  scratch: Float32Array,
  { kernels }: KernelMemory,
): void {
  const { texels, field } = tables;
  foreign.fill(0);
  own.fill(0);
  const tones = localSkinTone ?? Float32Array.from(colors.skinTone);
  const toneStep = localSkinTone === null ? 0 : 3;
  const { length } = texels;
  for (let i = 0; i < length; i += PIECE) {
    weighTexels(tables, observation, colors, tones, toneStep, notSkin, own, foreign, i, Math.min(length, i + PIECE));
  }
  // Pixels beside the background are mixed with it.
  kernels.growMaximum(foreign.byteOffset, scratch.byteOffset, FIELD_SIZE);
  for (let i = 0; i < length; i++) own[texels[i]] = own[texels[i]] * (1 - foreign[texels[i]]);
  for (let pass = 0; pass < SOFTENING_PASSES; pass++) {
    kernels.softenWeights(own.byteOffset, scratch.byteOffset, field.triangle.byteOffset, FIELD_SIZE);
  }
}

/**
 * Texels per call of the functions that decide about texels: one that is called often is compiled sooner than a loop in one that is
 * called once.
 */
const PIECE = 256;

/** The places `from` to before `end` for {@link weighPhoto}; skin has the tone at `toneStep` times the texel in `tones`. */
function weighTexels(
  tables: SurfaceTables,
  observation: SurfaceObservation,
  colors: HeadColors,
  tones: Float32Array,
  toneStep: number,
  notSkin: Float32Array,
  own: Float32Array,
  foreign: Float32Array,
  from: number,
  end: number,
): void {
  const { texels, outsideMm, hairlineMm, lipRimMm } = tables;
  const { rgb, tone, seen, beyondMm, outlineMm } = observation;
  const { hair } = colors;
  for (let i = from; i < end; i++) {
    const p = texels[i];
    notSkin[p] = 0;
    if (seen[p] === 0) continue;
    // Near the outline of the head light grazes and the background is near: there skin must look more like the skin around.
    const rim = Math.max(
      1 - smoothstep(RIM_NEAR_MM, RIM_FAR_MM, outlineMm[p]),
      smoothstep(-10, -2, beyondMm[p]) * (1 - smoothstep(0.5, 0.9, seen[p])),
    );
    const distance = computeToneDistance(tone, 3 * p, tones, toneStep * p, colors.skinSpread);
    const strictness =
      rim > 0 ? rim * (1 - smoothstep(-20, -8, hairlineMm[p])) * looksForeign(tone, 3 * p, tones, toneStep * p, colors.skinSpread) : 0;
    const other = smoothstep(SKIN_SURE, SKIN_NOT, distance * (1 + RIM_STRICTNESS * strictness));
    notSkin[p] = other;
    const outside = outsideMm[p];
    const hairline = hairlineMm[p];
    // Inside the oval everything is face (brows, beard, glasses, a fringe), except at its lower edges, where the outline in the photo
    // says how near the background is; outside only skin is.
    let belongs = 1;
    if (other > 0) {
      const edge = Math.max(smoothstep(-9, -3, beyondMm[p]), 1 - smoothstep(0.3, 0.65, seen[p]));
      belongs = 1 - other * Math.max(smoothstep(-9, -1, outside), edge * smoothstep(-40, -22, outside), rim);
    }
    let reach = 1 - smoothstep(14, 34, outside);
    // Above the brows there is nothing but forehead, hair or hat before the scalp, as long as the surface is not seen edge-on.
    const onTop = smoothstep(-45, -25, hairline);
    if (onTop > 0) {
      let head = 1 - other;
      if (hair !== null && other > 0) {
        // The more edge-on, the nearer the background: there it must look like the rest of the hair.
        const limit = 2.6 + 1.6 * smoothstep(0.3, 0.8, seen[p]);
        const hairLike = 1 - smoothstep(limit, 1.5 * limit, computeToneDistance(tone, 3 * p, hair.tone, 0, hair.toneSpread));
        // On the temple a strand seen edge-on would be smeared over the cheek.
        head = Math.max(hairLike * smoothstep(-28, -12, hairline), head, smoothstep(0.55, 0.9, seen[p]));
      }
      belongs += onTop * (head - belongs);
      if (hair !== null) reach += smoothstep(-10, 0, hairline) * (1 - smoothstep(70, 100, outside) - reach);
    }
    foreign[p] = 1 - belongs;
    own[p] = seen[p] * reach * lipMargin(rgb, tone, p, lipRimMm[p], colors);
  }
}

/** 0 for a tone that skin takes in its own shade (darker, redder), 1 for what shade does not do: brighter, bluer or less red by 1.5 standard deviations. */
function looksForeign(
  tone: Float32Array,
  o: number,
  reference: Float32Array,
  q: number,
  spread: readonly [number, number, number],
): number {
  const brighter = (tone[o] - reference[q]) / spread[0];
  const bluer = (tone[o + 1] - reference[q + 1]) / spread[1];
  const paler = (reference[q + 2] - tone[o + 2]) / spread[2];
  return smoothstep(0, 1.5, Math.max(brighter, bluer, paler));
}

/**
 * Makes the two sides of every cut in a surface's UV map agree: each side moves half of the difference, and what lies around follows
 * smoothly. Places tied to a neighbouring surface stay.
 */
function closeCuts(
  rgb: Float32Array,
  cuts: Uint32Array,
  seam: SeamConstraints | null,
  workspace: CompletionWorkspace,
  weights: Float32Array,
): void {
  const correction = workspace.colors;
  weights.fill(0);
  for (let i = 0; i < cuts.length; i += 2) {
    const a = cuts[i];
    const b = cuts[i + 1];
    for (let k = 0; k < 3; k++) {
      const half = 0.5 * (rgb[3 * b + k] - rgb[3 * a + k]);
      correction[3 * a + k] = half;
      correction[3 * b + k] = -half;
    }
    weights[a] = 1;
    weights[b] = 1;
  }
  if (seam !== null) {
    for (const p of seam.texel) {
      correction.fill(0, 3 * p, 3 * p + 3);
      weights[p] = 1;
    }
  }
  pullPush(correction, weights, workspace.three, [0, 0, 0], OFFSET_PRIOR);
  workspace.memory.kernels.addNumbers(rgb.byteOffset, correction.byteOffset, rgb.length);
}

/** Texels to either side over which the share of the photo fades out: some five millimetres. */
const FEATHER_RADIUS = 4;

/**
 * Share of the photo by how well it shows a place; toward the sides of the face it fades out over some millimetres, so that no edge is seen
 * where the light of the photo differs from the completed skin's, and islands narrower than that vanish. Lids, lips and hair keep their edges.
 *
 * @param out - shape (F,F), written
 * @param scratch - at least (F,F,2)
 */
function featherShares(
  { texels, outsideMm, hairlineMm, lidRimMm, lipRimMm }: SurfaceTables,
  own: Float32Array,
  out: Float32Array,
  scratch: Float32Array,
  { kernels }: KernelMemory,
): void {
  const F = FIELD_SIZE;
  for (let p = 0; p < out.length; p++) out[p] = own[p] > 0 ? smoothstep(0.1, 0.45, own[p]) : 0;
  const sums = scratch.subarray(F * F, 2 * F * F);
  kernels.sumSquares(out.byteOffset, scratch.byteOffset, sums.byteOffset, F, FEATHER_RADIUS);
  const inverse = 1 / ((2 * FEATHER_RADIUS + 1) * (2 * FEATHER_RADIUS + 1));
  for (let i = 0; i < texels.length; i++) {
    const p = texels[i];
    const w = out[p];
    if (w === 0) continue;
    // A straight edge has the mean 0.5: nothing is left there, and all a radius further in.
    const faded = Math.max(0, 2 * sums[p] * inverse - 1);
    if (faded >= w) continue;
    const zone =
      smoothstep(-50, -35, outsideMm[p]) * (1 - smoothstep(-18, -5, hairlineMm[p])) * smoothstep(8, 13, Math.min(lidRimMm[p], lipRimMm[p]));
    out[p] = w + zone * (faded - w);
  }
}

/** Weight of a place near the opening of the mouth, 0..1: teeth (paler than skin) and the dark between them do not belong on the lips. */
function lipMargin(rgb: Float32Array, tone: Float32Array, p: number, lipRimMm: number, colors: HeadColors): number {
  if (lipRimMm > 11) return 1;
  const near = 1 - smoothstep(6, 11, lipRimMm);
  // Lips are redder than skin, teeth less red; the red excess of skin is about 0.2 and more, that of teeth near 0.05.
  const red = tone[3 * p + 2];
  const skinRed = colors.skinTone[2];
  const bright = smoothstep(
    0.55,
    0.85,
    (0.299 * rgb[3 * p] + 0.587 * rgb[3 * p + 1] + 0.114 * rgb[3 * p + 2]) / Math.exp(colors.skinTone[0]),
  );
  const isTooth = (1 - smoothstep(0.45 * skinRed, 0.8 * skinRed, red)) * bright;
  const isGap = smoothstep(0.95, 1.4, colors.skinTone[0] - tone[3 * p]);
  return 1 - near * Math.max(skinRed > 0.03 ? isTooth : 0, isGap);
}
