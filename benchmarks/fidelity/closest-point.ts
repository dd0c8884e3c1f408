/** Finds the nearest point of a triangle mesh: a tree of axis-aligned boxes. */
export interface ClosestPointTree {
  /**
   * Nearest point of the mesh to (x,y,z).
   *
   * @param out - shape (4): the point and its squared distance
   * @param hint - triangle to try first: a good one makes the search short
   * @returns triangle it lies on
   */
  find(x: number, y: number, z: number, out: Float64Array, hint?: number): number;
}

const LEAF_TRIANGLES = 4;

/**
 * Builds the tree by halving along the widest axis of the centroids.
 *
 * @param positions - shape (V,3)
 * @param triangles - shape (T,3)
 */
export function createClosestPointTree(positions: ArrayLike<number>, triangles: ArrayLike<number>): ClosestPointTree {
  const count = triangles.length / 3;
  const corners = new Float64Array(9 * count);
  const centroid = new Float64Array(3 * count);
  for (let t = 0; t < count; t++) {
    for (let c = 0; c < 3; c++) {
      for (let k = 0; k < 3; k++) {
        const v = positions[3 * triangles[3 * t + c] + k];
        corners[9 * t + 3 * c + k] = v;
        centroid[3 * t + k] += v / 3;
      }
    }
  }
  const order = Uint32Array.from({ length: count }, (_, t) => t);
  const boxes: number[] = [];
  // Per node: first and count of a leaf's triangles, or right child and 0 (the left child follows its parent).
  const nodes: number[] = [];
  const build = (first: number, last: number): void => {
    const node = nodes.length / 2;
    nodes.push(first, last - first);
    const low = [Infinity, Infinity, Infinity];
    const high = [-Infinity, -Infinity, -Infinity];
    const cLow = [Infinity, Infinity, Infinity];
    const cHigh = [-Infinity, -Infinity, -Infinity];
    for (let i = first; i < last; i++) {
      const t = order[i];
      for (let k = 0; k < 3; k++) {
        for (let c = 0; c < 3; c++) {
          low[k] = Math.min(low[k], corners[9 * t + 3 * c + k]);
          high[k] = Math.max(high[k], corners[9 * t + 3 * c + k]);
        }
        cLow[k] = Math.min(cLow[k], centroid[3 * t + k]);
        cHigh[k] = Math.max(cHigh[k], centroid[3 * t + k]);
      }
    }
    boxes.push(...low, ...high);
    if (last - first <= LEAF_TRIANGLES) return;
    let axis = 0;
    for (let k = 1; k < 3; k++) if (cHigh[k] - cLow[k] > cHigh[axis] - cLow[axis]) axis = k;
    const middle = (first + last) >> 1;
    order.subarray(first, last).sort((a, b) => centroid[3 * a + axis] - centroid[3 * b + axis] || a - b);
    build(first, middle);
    nodes[2 * node] = nodes.length / 2;
    nodes[2 * node + 1] = 0;
    build(middle, last);
  };
  build(0, count);
  const box = Float64Array.from(boxes);
  const link = Uint32Array.from(nodes);
  const stack = new Uint32Array(128);
  const stackDistance = new Float64Array(128);
  const candidate = new Float64Array(4);

  const boxDistance = (node: number, x: number, y: number, z: number): number => {
    const o = 6 * node;
    const dx = Math.max(box[o] - x, 0, x - box[o + 3]);
    const dy = Math.max(box[o + 1] - y, 0, y - box[o + 4]);
    const dz = Math.max(box[o + 2] - z, 0, z - box[o + 5]);
    return dx * dx + dy * dy + dz * dz;
  };
  return {
    find(x, y, z, out, hint = 0): number {
      let best = hint;
      closestOnTriangle(corners, 9 * hint, x, y, z, out);
      let top = 0;
      stack[0] = 0;
      stackDistance[0] = boxDistance(0, x, y, z);
      while (top >= 0) {
        const node = stack[top];
        if (stackDistance[top--] >= out[3]) continue;
        const n = link[2 * node + 1];
        if (n > 0) {
          const first = link[2 * node];
          for (let i = first; i < first + n; i++) {
            const t = order[i];
            closestOnTriangle(corners, 9 * t, x, y, z, candidate);
            if (candidate[3] < out[3]) {
              out.set(candidate);
              best = t;
            }
          }
          continue;
        }
        const left = node + 1;
        const right = link[2 * node];
        const dl = boxDistance(left, x, y, z);
        const dr = boxDistance(right, x, y, z);
        const [near, far, dn, df] = dl <= dr ? [left, right, dl, dr] : [right, left, dr, dl];
        if (df < out[3]) {
          stack[++top] = far;
          stackDistance[top] = df;
        }
        if (dn < out[3]) {
          stack[++top] = near;
          stackDistance[top] = dn;
        }
      }
      return best;
    },
  };
}

/** Nearest point of a triangle by the regions of its corners and edges (Ericson, Real-Time Collision Detection, 2005, 5.1.5). */
function closestOnTriangle(p: Float64Array, o: number, x: number, y: number, z: number, out: Float64Array): void {
  const ax = p[o];
  const ay = p[o + 1];
  const az = p[o + 2];
  const abx = p[o + 3] - ax;
  const aby = p[o + 4] - ay;
  const abz = p[o + 5] - az;
  const acx = p[o + 6] - ax;
  const acy = p[o + 7] - ay;
  const acz = p[o + 8] - az;
  const apx = x - ax;
  const apy = y - ay;
  const apz = z - az;
  const d1 = abx * apx + aby * apy + abz * apz;
  const d2 = acx * apx + acy * apy + acz * apz;
  const abab = abx * abx + aby * aby + abz * abz;
  const acac = acx * acx + acy * acy + acz * acz;
  const abac = abx * acx + aby * acy + abz * acz;
  const d3 = d1 - abab;
  const d4 = d2 - abac;
  const d5 = d1 - abac;
  const d6 = d2 - acac;
  let v = 0;
  let w = 0;
  const vc = d1 * d4 - d3 * d2;
  const vb = d5 * d2 - d1 * d6;
  const va = d3 * d6 - d5 * d4;
  if (d1 <= 0 && d2 <= 0) {
    v = 0;
  } else if (d3 >= 0 && d4 <= d3) {
    v = 1;
  } else if (vc <= 0 && d1 >= 0 && d3 <= 0) {
    v = d1 / (d1 - d3);
  } else if (d6 >= 0 && d5 <= d6) {
    w = 1;
  } else if (vb <= 0 && d2 >= 0 && d6 <= 0) {
    w = d2 / (d2 - d6);
  } else if (va <= 0 && d4 - d3 >= 0 && d5 - d6 >= 0) {
    w = (d4 - d3) / (d4 - d3 + (d5 - d6));
    v = 1 - w;
  } else {
    const sum = va + vb + vc;
    v = vb / sum;
    w = vc / sum;
  }
  const qx = ax + v * abx + w * acx;
  const qy = ay + v * aby + w * acy;
  const qz = az + v * abz + w * acz;
  out[0] = qx;
  out[1] = qy;
  out[2] = qz;
  out[3] = (x - qx) ** 2 + (y - qy) ** 2 + (z - qz) ** 2;
}
