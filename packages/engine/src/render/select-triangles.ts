/** A subset of a mesh's triangles, and where each comes from. */
export interface TriangleSelection {
  /** Shape (n,3) */
  readonly triangles: Uint32Array;
  /** Shape (n): number in the mesh. */
  readonly source: Uint32Array;
}

/**
 * The triangles that may cover one of the marked pixels, when the picture is shifted by less than half a pixel. Those that show their
 * back are left out unless their surface is double-sided.
 *
 * @param triangles - shape (T,3)
 * @param runs - which of them
 * @param screen - shape (V,2), pixels
 * @param marked - shape (height, width), 1 or 0
 */
export function selectNearPixels(
  triangles: Uint32Array,
  runs: readonly { readonly firstTriangle: number; readonly triangleCount: number; readonly surface: { readonly doubleSided: boolean } }[],
  screen: Float32Array,
  marked: Uint8Array,
  width: number,
  height: number,
): TriangleSelection {
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
  for (const { firstTriangle, triangleCount, surface } of runs) {
    const showsBack = surface.doubleSided;
    for (let t = firstTriangle; t < firstTriangle + triangleCount; t++) {
      const a = 2 * triangles[3 * t]!;
      const b = 2 * triangles[3 * t + 1]!;
      const c = 2 * triangles[3 * t + 2]!;
      const ax = screen[a]!;
      const ay = screen[a + 1]!;
      const bx = screen[b]!;
      const by = screen[b + 1]!;
      const cx = screen[c]!;
      const cy = screen[c + 1]!;
      // y points down: the front runs counter-clockwise, which is a negative area.
      if (!showsBack && !((bx - ax) * (cy - ay) - (cx - ax) * (by - ay) < 0)) continue;
      // A sample stays inside its pixel's square, so a pixel can be covered when its square is touched.
      const column0 = Math.max(0, Math.floor(Math.min(ax, bx, cx)));
      const column1 = Math.min(width, Math.floor(Math.max(ax, bx, cx)) + 1);
      const row0 = Math.max(0, Math.floor(Math.min(ay, by, cy)));
      const row1 = Math.min(height, Math.floor(Math.max(ay, by, cy)) + 1);
      if (!(column0 < column1 && row0 < row1)) continue;
      const top = row0 * stride;
      const bottom = row1 * stride;
      if (sums[bottom + column1]! - sums[top + column1]! - sums[bottom + column0]! + sums[top + column0]! > 0) found[count++] = t;
    }
  }
  const selected = new Uint32Array(3 * count);
  for (let k = 0; k < count; k++) {
    const corner = 3 * found[k]!;
    selected[3 * k] = triangles[corner]!;
    selected[3 * k + 1] = triangles[corner + 1]!;
    selected[3 * k + 2] = triangles[corner + 2]!;
  }
  return { triangles: selected, source: found.slice(0, count) };
}
