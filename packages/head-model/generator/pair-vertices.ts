import { findPart, HEAD_PARTS } from './head-parts.ts';

/**
 * Partner of every vertex on the other side of the face: the nearest vertex, in the part on that side, to the mirror image of
 * its place; where two vertices want the same partner, the closer pair goes first, so that the table is an involution.
 *
 * @param positions - shape (V,3), middle of the face at x = 0
 */
export function pairVertices(positions: Float64Array): Uint16Array {
  const mirror = new Uint16Array(positions.length / 3);
  for (const part of HEAD_PARTS) {
    const other = findPart(part.mirror);
    if (other.vertices[0] < part.vertices[0]) continue;
    pairRanges(positions, part.vertices, other.vertices, mirror);
  }
  return mirror;
}

function pairRanges(
  positions: Float64Array,
  [a0, a1]: readonly [number, number],
  [b0, b1]: readonly [number, number],
  mirror: Uint16Array,
): void {
  // Candidates in a grid over y and z, which mirroring leaves as they are.
  const grid = new Map<string, number[]>();
  const key = (y: number, z: number) => `${y},${z}`;
  const cell = (v: number, d: number) => Math.floor(positions[3 * v + d]! / CELL);
  for (let v = b0; v < b1; v++) {
    const k = key(cell(v, 1), cell(v, 2));
    const list = grid.get(k);
    if (list) list.push(v);
    else grid.set(k, [v]);
  }
  const pairs: { v: number; w: number; distance: number }[] = [];
  for (let v = a0; v < a1; v++) {
    for (let dy = -1; dy <= 1; dy++) {
      for (let dz = -1; dz <= 1; dz++) {
        for (const w of grid.get(key(cell(v, 1) + dy, cell(v, 2) + dz)) ?? []) {
          const distance = Math.hypot(
            positions[3 * v]! + positions[3 * w]!,
            positions[3 * v + 1]! - positions[3 * w + 1]!,
            positions[3 * v + 2]! - positions[3 * w + 2]!,
          );
          if (distance < CELL) pairs.push({ v, w, distance });
        }
      }
    }
  }
  // Equal distances (doubled vertices of a seam) go in the order of the two numbers, which is the same on both sides.
  pairs.sort((p, q) => p.distance - q.distance || p.v + p.w - q.v - q.w || Math.min(p.v, p.w) - Math.min(q.v, q.w));
  const done = new Set<number>();
  for (const { v, w } of pairs) {
    if (done.has(v) || done.has(w)) continue;
    mirror[v] = w;
    mirror[w] = v;
    done.add(v);
    done.add(w);
  }
  for (let v = a0; v < a1; v++) if (!done.has(v)) throw new Error(`vertex ${v} has no partner on the other side`);
  for (let w = b0; w < b1; w++) if (!done.has(w)) throw new Error(`vertex ${w} has no partner on the other side`);
}

/** Centimetres: above the largest asymmetry of the mean head (0.03), below the distance of most neighbours. */
const CELL = 0.1;
