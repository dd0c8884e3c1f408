/** A subset of a mesh's triangles, and where each comes from. */
export interface TriangleSelection {
  /** Shape (n,3) */
  readonly triangles: Uint32Array;
  /** Shape (n): number in the mesh; null where the subset is the whole mesh. */
  readonly source: Uint32Array | null;
}

/** The triangles whose surface is wanted. `triangleSurface`: shape (T), index into `isWanted`, others are left out. */
export function selectBySurface(triangles: Uint32Array, triangleSurface: Uint8Array, isWanted: readonly boolean[]): TriangleSelection {
  const found = new Uint32Array(triangleSurface.length);
  let count = 0;
  for (let t = 0; t < triangleSurface.length; t++) if (isWanted[triangleSurface[t]!] === true) found[count++] = t;
  if (count === triangleSurface.length) return { triangles, source: null };
  return gather({ triangles, source: null }, found.subarray(0, count));
}

/**
 * The triangles of a selection that may cover one of the marked pixels, when the picture is shifted by less than half a pixel.
 *
 * @param screen - shape (V,2), pixels
 * @param marked - shape (height, width), 1 or 0
 */
export function selectNearPixels(
  selection: TriangleSelection,
  screen: Float32Array,
  marked: Uint8Array,
  width: number,
  height: number,
): TriangleSelection {
  const { triangles } = selection;
  // Marked pixels left of and above each corner (a summed-area table): one look-up per bounding box.
  const stride = width + 1;
  const sums = new Int32Array(stride * (height + 1));
  for (let row = 0; row < height; row++) {
    let inRow = 0;
    for (let column = 0, p = row * width, q = (row + 1) * stride + 1; column < width; column++, p++, q++) {
      inRow += marked[p]!;
      sums[q] = sums[q - stride]! + inRow;
    }
  }
  const found = new Uint32Array(triangles.length / 3);
  let count = 0;
  for (let t = 0; t < found.length; t++) {
    const a = 2 * triangles[3 * t]!;
    const b = 2 * triangles[3 * t + 1]!;
    const c = 2 * triangles[3 * t + 2]!;
    // A sample stays inside its pixel's square, so a pixel can be covered when its square is touched.
    const column0 = Math.max(0, Math.floor(Math.min(screen[a]!, screen[b]!, screen[c]!)));
    const column1 = Math.min(width, Math.floor(Math.max(screen[a]!, screen[b]!, screen[c]!)) + 1);
    const row0 = Math.max(0, Math.floor(Math.min(screen[a + 1]!, screen[b + 1]!, screen[c + 1]!)));
    const row1 = Math.min(height, Math.floor(Math.max(screen[a + 1]!, screen[b + 1]!, screen[c + 1]!)) + 1);
    if (!(column0 < column1 && row0 < row1)) continue;
    const inside =
      sums[row1 * stride + column1]! - sums[row0 * stride + column1]! - sums[row1 * stride + column0]! + sums[row0 * stride + column0]!;
    if (inside > 0) found[count++] = t;
  }
  return gather(selection, found.subarray(0, count));
}

function gather(selection: TriangleSelection, found: Uint32Array): TriangleSelection {
  const triangles = new Uint32Array(3 * found.length);
  const source = new Uint32Array(found.length);
  for (let k = 0; k < found.length; k++) {
    const t = found[k]!;
    source[k] = selection.source === null ? t : selection.source[t]!;
    triangles[3 * k] = selection.triangles[3 * t]!;
    triangles[3 * k + 1] = selection.triangles[3 * t + 1]!;
    triangles[3 * k + 2] = selection.triangles[3 * t + 2]!;
  }
  return { triangles, source };
}
