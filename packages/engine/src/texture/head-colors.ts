import type { SurfaceObservation } from './observe-surface.ts';
import { computeSkinDistance, estimateSkinColor, type SkinColor } from './skin-color.ts';
import { smoothstep } from './smoothstep.ts';
import type { SurfaceTables } from './surface-tables.ts';

/** Colours of one person in one photo. */
export interface HeadColors {
  readonly skin: SkinColor;
  /** Colour of the hair (same measures), or null where none was seen on the scalp. */
  readonly hair: SkinColor | null;
  /** 0..1: how far the scalp bears hair. */
  readonly hairAmount: number;
  /** Standard deviation of the hair's brightness relative to its mean. */
  readonly hairContrast: number;
}

/** Distances from the skin colour, in standard deviations: below the first it is skin, above the second it is not. */
export const SKIN_SURE = 2.4;
export const SKIN_NOT = 3.8;

/** Scalp texels that must be seen before the photo decides about hair. */
const MIN_SCALP_TEXELS = 60;

/** Estimates skin colour (from the bare parts of the face) and hair colour (from the scalp above the hairline). */
export function estimateHeadColors(
  surfaces: readonly { readonly tables: SurfaceTables; readonly observation: SurfaceObservation }[],
): HeadColors {
  const skinSamples: number[] = [];
  for (const { tables, observation } of surfaces) {
    for (let p = 0; p < tables.core.length; p++) {
      if (tables.core[p]! > 0.5 && observation.seen[p]! > 0.4) {
        skinSamples.push(observation.rgb[3 * p]!, observation.rgb[3 * p + 1]!, observation.rgb[3 * p + 2]!);
      }
    }
  }
  const skin = estimateSkinColor(skinSamples.length >= 90 ? skinSamples : collectInside(surfaces));

  let scalpTexels = 0;
  let bareTexels = 0;
  const hairSamples: number[] = [];
  for (const { tables, observation } of surfaces) {
    for (let p = 0; p < tables.hairlineMm.length; p++) {
      if (tables.hairlineMm[p]! < 4 || observation.seen[p]! < 0.3) continue;
      const r = observation.rgb[3 * p]!;
      const g = observation.rgb[3 * p + 1]!;
      const b = observation.rgb[3 * p + 2]!;
      scalpTexels++;
      const bare = 1 - smoothstep(SKIN_SURE, SKIN_NOT, computeSkinDistance(skin, r, g, b));
      bareTexels += bare;
      if (bare < 0.5) hairSamples.push(r, g, b);
    }
  }
  if (scalpTexels < MIN_SCALP_TEXELS) {
    // The photo ends at the forehead: most people have hair; its colour is taken from the darkest of the face (brows, lashes).
    const dark = collectDark(surfaces, skin);
    const hair = estimateSkinColor(dark.length >= 30 ? dark : [60, 45, 38, 60, 45, 38, 60, 45, 38]);
    return { skin, hair, hairAmount: 1, hairContrast: 0.25 };
  }
  const hairAmount = smoothstep(0.2, 0.45, 1 - bareTexels / scalpTexels);
  if (hairAmount === 0 || hairSamples.length < 90) return { skin, hair: null, hairAmount: 0, hairContrast: 0 };
  const hair = estimateSkinColor(hairSamples);
  return { skin, hair, hairAmount, hairContrast: Math.max(0.12, Math.min(0.4, 0.6 * hair.logLumaSpread)) };
}

function collectInside(surfaces: readonly { readonly tables: SurfaceTables; readonly observation: SurfaceObservation }[]): number[] {
  const samples: number[] = [];
  for (const { tables, observation } of surfaces) {
    for (let p = 0; p < tables.outsideMm.length; p++) {
      if (tables.outsideMm[p]! < -12 && observation.seen[p]! > 0.1) {
        samples.push(observation.rgb[3 * p]!, observation.rgb[3 * p + 1]!, observation.rgb[3 * p + 2]!);
      }
    }
  }
  return samples.length > 0 ? samples : [180, 140, 120];
}

function collectDark(
  surfaces: readonly { readonly tables: SurfaceTables; readonly observation: SurfaceObservation }[],
  skin: SkinColor,
): number[] {
  const samples: number[] = [];
  const [r0, g0, b0] = skin.rgb;
  const limit = 0.45 * (0.299 * r0 + 0.587 * g0 + 0.114 * b0);
  for (const { tables, observation } of surfaces) {
    for (let p = 0; p < tables.outsideMm.length; p++) {
      if (tables.outsideMm[p]! > -12 || observation.seen[p]! < 0.5) continue;
      const r = observation.rgb[3 * p]!;
      const g = observation.rgb[3 * p + 1]!;
      const b = observation.rgb[3 * p + 2]!;
      if (0.299 * r + 0.587 * g + 0.114 * b < limit) samples.push(r, g, b);
    }
  }
  return samples;
}
