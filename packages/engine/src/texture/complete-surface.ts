import type { KernelMemory } from '../kernels/kernel-memory.ts';
import { FIELD_SIZE } from './field-size.ts';
import type { HeadColors } from './head-colors.ts';
import { type SurfaceObservation, setField } from './observe-surface.ts';
import { countPullPushBytes, createPullPushWorkspace, type PullPushWorkspace, pullMeans, pullPush } from './pull-push.ts';
import type { SurfaceTables } from './surface-tables.ts';

/** Channels of {@link SurfacePlan.channels}. */
export const PLAN = { own: 0, mirrored: 1, offset: 2, skin: 5, hair: 8, hairness: 11, gain: 12, count: 16 } as const;

/**
 * How a surface is painted, on its field: colour = gain * (own * photo + mirrored * (photo on the other side + offset)) + the rest * fill,
 * where fill is skin or hair.
 */
export interface SurfacePlan {
  /**
   * Shape (F,F,16): weight of the photo; weight of the mirrored photo; what is added to the mirrored photo (3); completed skin (3); completed
   * hair (3), all sRGB 0..255; how far the fill is hair, 0..1; factor of the photo's light (3), 1 where nothing is known; one is not used.
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
  /** Shape (F,F). */
  readonly light: Float32Array;
  /** Shape (F,F,3). */
  readonly colors: Float32Array;
  /** Shape (14): what the kernels are told of the colours of a head. */
  readonly numbers: Float64Array;
  /** Shape (4): colour that skin has in even light. */
  readonly target: Float32Array;
  /** Shape (3): the tone of skin where it is the same everywhere. */
  readonly tone: Float32Array;
}

/** Bytes of {@link createCompletionWorkspace}. */
export const COMPLETION_BYTES = countPullPushBytes(FIELD_SIZE, 3) + countPullPushBytes(FIELD_SIZE, 1) + 8 * 4 * FIELD_SIZE ** 2 + 256;

export const createCompletionWorkspace = (memory: KernelMemory): CompletionWorkspace => {
  const n = FIELD_SIZE * FIELD_SIZE;
  const plane = (): Float32Array => memory.allocate(Float32Array, n);
  return {
    memory,
    three: createPullPushWorkspace(memory, FIELD_SIZE, 3),
    one: createPullPushWorkspace(memory, FIELD_SIZE, 1),
    planes: [plane(), plane(), plane(), plane()],
    light: plane(),
    colors: memory.allocate(Float32Array, 3 * n),
    numbers: memory.allocate(Float64Array, 14),
    target: memory.allocate(Float32Array, 4),
    tone: memory.allocate(Float32Array, 3),
  };
};

/** Bytes of {@link createSurfacePlan}. */
export const PLAN_BYTES = (PLAN.count + 7) * 4 * FIELD_SIZE ** 2 + 64;

/** Memory for the plan of one surface, to be used again for every photo. */
export function createSurfacePlan(memory: KernelMemory): SurfacePlan {
  const n = FIELD_SIZE * FIELD_SIZE;
  return {
    channels: memory.allocate(Float32Array, n * PLAN.count).fill(1),
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
 * @param lightGains - shape (V,3): factors that take the photo's light out (see estimate-light.ts)
 * @param seam - ties to a neighbour that was completed before
 * @param plan - written
 */
export function completeSurface(
  tables: SurfaceTables,
  observation: SurfaceObservation,
  colors: HeadColors,
  localSkinTone: Float32Array | null,
  lightGains: Float32Array,
  workspace: CompletionWorkspace,
  seam: SeamConstraints | null,
  plan: SurfacePlan,
): void {
  const { channels, skin, hair, hairness } = plan;
  const { memory } = workspace;
  const { kernels } = memory;
  const [notSkin, own, weights, scratch] = workspace.planes;
  const n = FIELD_SIZE * FIELD_SIZE;
  const places = tables.texels;
  setField(memory, tables, observation);
  weighPhoto(tables, colors, localSkinTone, workspace, notSkin, own, weights, scratch);

  // Shares. A side that is seen well paints itself; where the other side is seen much better, that one does.
  const delta = workspace.colors;
  const share = scratch;
  featherShares(own, share, delta, memory);
  weights.fill(0);
  const mirroredSum = kernels.shareSides(
    channels.byteOffset,
    notSkin.byteOffset,
    own.byteOffset,
    share.byteOffset,
    weights.byteOffset,
    delta.byteOffset,
  );
  // Light differs between the sides: the difference seen where both are known runs on smoothly where only one is.
  if (mirroredSum > 1) pullPush(delta, weights, workspace.three, [0, 0, 0], OFFSET_PRIOR, places);
  else delta.fill(0);

  const hairWeight = own;
  const hairnessWeight = scratch;
  // `own` is read no more: its memory holds the weights of hair from here on.
  weights.fill(0);
  hairnessWeight.fill(0);
  kernels.setLight(lightGains.byteOffset, workspace.light.byteOffset);
  kernels.gatherKnown(
    channels.byteOffset,
    skin.byteOffset,
    hair.byteOffset,
    hairness.byteOffset,
    notSkin.byteOffset,
    delta.byteOffset,
    weights.byteOffset,
    hairWeight.byteOffset,
    hairnessWeight.byteOffset,
  );
  evenLight(plan, colors, workspace);
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
  pullPush(skin, weights, workspace.three, colors.skin, SKIN_PRIOR, places);
  if (tables.cuts.length > 0) closeCuts(skin, tables.cuts, places, seam, workspace, weights);
  const hasHair = colors.hair !== null;
  if (hasHair) {
    pullPush(hair, hairWeight, workspace.three, colors.hair.rgb, HAIR_PRIOR, places);
    pullPush(hairness, hairnessWeight, workspace.one, [0], HAIRLINE_PRIOR, places);
  }

  const grey = 0.299 * LINING[0] + 0.587 * LINING[1] + 0.114 * LINING[2];
  const flesh = workspace.numbers;
  for (let k = 0; k < 3; k++) flesh[k] = grey + colors.saturation * (LINING[k] - grey);
  kernels.composePlan(
    channels.byteOffset,
    skin.byteOffset,
    hair.byteOffset,
    hairness.byteOffset,
    flesh.byteOffset,
    0.07 * colors.saturation,
    hasHair ? 1 : 0,
    n,
  );
}

/**
 * How far the photo may paint each place by itself.
 *
 * @param notSkin - shape (F,F), written: 0 where the photo shows skin, 1 where it shows something else
 * @param own - shape (F,F), written: 0..1
 */
function weighPhoto(
  { field }: SurfaceTables,
  { skinTone, skinSpread, hair }: HeadColors,
  localSkinTone: Float32Array | null,
  { memory, numbers, tone }: CompletionWorkspace,
  notSkin: Float32Array,
  own: Float32Array,
  foreign: Float32Array,
  scratch: Float32Array,
): void {
  const { kernels } = memory;
  foreign.fill(0);
  own.fill(0);
  tone.set(skinTone);
  numbers.set(skinTone);
  numbers.set(skinSpread, 3);
  if (hair !== null) {
    numbers.set(hair.tone, 6);
    numbers.set(hair.toneSpread, 9);
  }
  numbers[12] = hair === null ? 0 : 1;
  numbers[13] = Math.exp(skinTone[0]);
  const tones = localSkinTone ?? tone;
  kernels.weighTexels(
    numbers.byteOffset,
    tones.byteOffset,
    localSkinTone === null ? 0 : 3,
    notSkin.byteOffset,
    own.byteOffset,
    foreign.byteOffset,
  );
  // Pixels beside the background are mixed with it.
  kernels.growMaximum(foreign.byteOffset, scratch.byteOffset, FIELD_SIZE);
  kernels.leaveForeign(own.byteOffset, foreign.byteOffset);
  for (let pass = 0; pass < SOFTENING_PASSES; pass++) {
    kernels.softenWeights(own.byteOffset, scratch.byteOffset, field.triangle.byteOffset, FIELD_SIZE);
  }
}

/**
 * Makes the two sides of every cut in a surface's UV map agree: each side moves half of the difference, and what lies around follows
 * smoothly. Places tied to a neighbouring surface stay.
 */
function closeCuts(
  rgb: Float32Array,
  cuts: Uint32Array,
  places: Uint32Array,
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
  pullPush(correction, weights, workspace.three, [0, 0, 0], OFFSET_PRIOR, places);
  workspace.memory.kernels.addNumbers(rgb.byteOffset, correction.byteOffset, rgb.length);
}

/** Light is told from colour by its width: means over squares of 2^3 texels, about a centimetre. */
const LIGHT_LEVEL = 3;
/** How soon the light of places without skin is taken for that of the median. */
const LIGHT_PRIOR = 0.2;

/**
 * Takes out what is left of the photo's slow changes of light toward the sides of the face, where the photo ends and what lies beyond is completed in the
 * person's usual colour: a cheek in its own shade or in the light of a lamp would end there with an edge. What the directions of the surface explain
 * (see estimate-light.ts) was taken out when the known colours were gathered. Fine detail stays.
 */
function evenLight({ channels, skin }: SurfacePlan, colors: HeadColors, { memory, three, light, target }: CompletionWorkspace): void {
  const { kernels } = memory;
  const means = pullMeans(skin, light, three, colors.skin, LIGHT_PRIOR, LIGHT_LEVEL);
  target.set(colors.skin);
  kernels.evenLight(channels.byteOffset, skin.byteOffset, means.byteOffset, FIELD_SIZE >> LIGHT_LEVEL, target.byteOffset);
}

/** Texels to either side over which the share of the photo fades out: some eight millimetres. */
const FEATHER_RADIUS = 7;

/**
 * Share of the photo by how well it shows a place; toward the sides of the face it fades out over some millimetres, so that no edge is seen
 * where the light of the photo differs from the completed skin's, and islands narrower than that vanish. Lids, lips and hair keep their edges.
 *
 * @param out - shape (F,F), written
 * @param scratch - at least (F,F,2)
 */
function featherShares(own: Float32Array, out: Float32Array, scratch: Float32Array, { kernels }: KernelMemory): void {
  const n = FIELD_SIZE * FIELD_SIZE;
  kernels.shareWeights(own.byteOffset, out.byteOffset, n);
  const sums = scratch.subarray(n, 2 * n);
  kernels.sumSquares(out.byteOffset, scratch.byteOffset, sums.byteOffset, FIELD_SIZE, FEATHER_RADIUS);
  kernels.fadeShares(out.byteOffset, sums.byteOffset, 2 * FEATHER_RADIUS + 1);
}
