import { NO_CORNER } from '../src/head-model-data.ts';
import { fitSphere } from './fit-sphere.ts';
import { findPart } from './head-parts.ts';

/** A shape that upstream does not have, shape (V,3), millimetres. Own derivation. */
export interface DerivedShape {
  readonly name: string;
  readonly deltaMm: Float64Array;
}

/** Turns at amount 1, degrees: comfortable limits of gaze; upstream's eyeLook shapes move the lids about as far. */
const GAZE_DEG = { In: 30, Out: 30, Up: 25, Down: 30 } as const;

/**
 * Turns of the eyeballs. Upstream's eyeLook shapes move the lids only and leave the eyeballs to a rig, so a face that is driven
 * by blend shapes alone would stare; and a fit could not follow the iris.
 *
 * A linear shape takes the chord of the turn: half-way the pupil lies 3 % of the radius (0.5 mm) behind the true arc.
 *
 * @param positions - shape (V,3), millimetres
 */
export function deriveGaze(positions: Float64Array): DerivedShape[] {
  return (Object.keys(GAZE_DEG) as (keyof typeof GAZE_DEG)[]).flatMap((direction) =>
    (['L', 'R'] as const).map((side) => {
      const [first] = findPart(side === 'L' ? 'scleraLeft' : 'scleraRight').vertices;
      const [, end] = findPart(side === 'L' ? 'irisLeft' : 'irisRight').vertices;
      const center = fitSphere(positions, findPart(side === 'L' ? 'scleraLeft' : 'scleraRight').vertices);
      const vertical = direction === 'Up' || direction === 'Down';
      // The gaze axis is +z; the left eye looks out toward +x.
      const outward = side === 'L' ? 1 : -1;
      const sign = { In: -outward, Out: outward, Up: 1, Down: -1 }[direction];
      const angle = (sign * GAZE_DEG[direction] * Math.PI) / 180;
      const cos = Math.cos(angle);
      const sin = Math.sin(angle);
      const axis = vertical ? 1 : 0;
      const deltaMm = new Float64Array(positions.length);
      for (let v = first; v < end; v++) {
        const a = positions[3 * v + axis]! - center[axis]!;
        const z = positions[3 * v + 2]! - center[2];
        deltaMm[3 * v + axis] = cos * a + sin * z - a;
        deltaMm[3 * v + 2] = cos * z - sin * a - z;
      }
      return { name: `gaze${direction}_${side}`, deltaMm };
    }),
  );
}

/**
 * The tongue out: it slides forward over the lower teeth and lip, gets flatter and broader, and its tip hangs down;
 * the root stays. Made for an open jaw (jawOpen about 0.5 and more): with the mouth shut it would go through the teeth.
 *
 * @param positions - shape (V,3), millimetres
 */
export function deriveTongueOut(positions: Float64Array, polygons: Uint32Array, polygonUvs: Uint32Array): DerivedShape {
  const { rings, members } = findTongue(positions, polygons, polygonUvs);
  const deltaMm = new Float64Array(positions.length);
  let tip = Number.NEGATIVE_INFINITY;
  for (const v of members) tip = Math.max(tip, positions[3 * v + 2]!);
  for (const v of members) {
    const x = positions[3 * v]!;
    const y = positions[3 * v + 1]!;
    const z = positions[3 * v + 2]!;
    const t = clamp01((z - (tip - TONGUE_LENGTH_MM)) / TONGUE_LENGTH_MM);
    const attached = smoothStep(clamp01(rings[v]! / ATTACHED_RINGS));
    const slide = smoothStep(t) * attached;
    deltaMm[3 * v] = TONGUE_BROADER * smoothStep(clamp01((t - 0.35) / 0.65)) * attached * x;
    deltaMm[3 * v + 1] =
      attached * (sampleCurve(TONGUE_LIFT_MM, t) - TONGUE_FLATTER * smoothStep(clamp01(1.6 * t)) * (y - sampleCurve(TONGUE_MIDDLE_MM, t)));
    deltaMm[3 * v + 2] = TONGUE_SLIDE_MM * slide;
  }
  return { name: 'tongueOut', deltaMm };
}

/** The part of the tongue that moves, from the tip back. */
const TONGUE_LENGTH_MM = 48;
/** How far the tip goes forward: 20 mm before the lower lip, as ARKit's sample faces show it. */
const TONGUE_SLIDE_MM = 34;
/** Growth of the width at the tip, which lies folded together at rest. */
const TONGUE_BROADER = 0.4;
/** Share of the thickness that is lost at the front: what passes between lower lip and upper teeth is 9 mm instead of 14. */
const TONGUE_FLATTER = 0.36;
/** Rings of polygons around the floor of the mouth over which the tongue comes free. */
const ATTACHED_RINGS = 4;
/** Height of the tongue's middle in the neutral head, from the moving part's back end (0) to the tip (1). */
const TONGUE_MIDDLE_MM = [-76, -75, -74, -74, -74, -76];
/** How much the middle rises: over the edge of the lower teeth (0.6 to 0.8), and down again at the tip. */
const TONGUE_LIFT_MM = [0, 1.5, 5, 9.5, 8.5, -3];

/** The UV island of "gums and tongue" that holds the highest point of the tongue's back, and the distance from its rim in rings. */
function findTongue(positions: Float64Array, polygons: Uint32Array, polygonUvs: Uint32Array): { members: number[]; rings: Float64Array } {
  const [first, end] = findPart('gumsTongue').polygons;
  const parent = new Map<number, number>();
  const find = (u: number): number => {
    let root = u;
    while ((parent.get(root) ?? root) !== root) root = parent.get(root)!;
    parent.set(u, root);
    return root;
  };
  const corners = (p: number): number[] => [0, 1, 2, 3].filter((k) => polygons[4 * p + k] !== NO_CORNER).map((k) => 4 * p + k);
  for (let p = first; p < end; p++) for (const c of corners(p)) parent.set(find(polygonUvs[c]!), find(polygonUvs[4 * p]!));
  const islands = new Map<number, Set<number>>();
  let tongue = -1;
  let nearest = Number.POSITIVE_INFINITY;
  for (let p = first; p < end; p++) {
    const island = find(polygonUvs[4 * p]!);
    const set = islands.get(island) ?? new Set<number>();
    islands.set(island, set);
    for (const c of corners(p)) {
      const v = polygons[c]!;
      set.add(v);
      const d = Math.hypot(positions[3 * v]!, positions[3 * v + 1]! + 66, positions[3 * v + 2]! + 12);
      if (d < nearest) {
        nearest = d;
        tongue = island;
      }
    }
  }
  const members = [...islands.get(tongue)!].sort((a, b) => a - b);
  const rings = new Float64Array(positions.length / 3).fill(Number.POSITIVE_INFINITY);
  for (const [island, set] of islands) if (island !== tongue) for (const v of set) if (islands.get(tongue)!.has(v)) rings[v] = 0;
  for (let changed = true; changed; ) {
    changed = false;
    for (let p = first; p < end; p++) {
      if (find(polygonUvs[4 * p]!) !== tongue) continue;
      const around = corners(p).map((c) => polygons[c]!);
      const least = Math.min(...around.map((v) => rings[v]!));
      for (const v of around) {
        if (rings[v]! > least + 1) {
          rings[v] = least + 1;
          changed = true;
        }
      }
    }
  }
  return { members, rings };
}

const clamp01 = (x: number): number => Math.min(1, Math.max(0, x));
const smoothStep = (t: number): number => t * t * (3 - 2 * t);

/** Cubic (Catmull-Rom) curve through equally spaced values, t in 0..1. */
function sampleCurve(values: readonly number[], t: number): number {
  const last = values.length - 1;
  const i = Math.min(last - 1, Math.floor(t * last));
  const f = t * last - i;
  const at = (k: number): number => values[Math.min(last, Math.max(0, k))]!;
  const [a, b, c, d] = [at(i - 1), at(i), at(i + 1), at(i + 2)];
  return b + 0.5 * f * (c - a + f * (2 * a - 5 * b + 4 * c - d + f * (3 * (b - c) + d - a)));
}
