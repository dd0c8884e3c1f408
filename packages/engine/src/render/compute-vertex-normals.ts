/**
 * Unit normal of each vertex: the sum of its triangles' normals, each weighted by the triangle's area.
 *
 * @param positions - shape (V,3), any unit
 * @param triangles - shape (T,3), counter-clockwise seen from the side that the normals point to
 * @param out - shape (V,3), written and returned when given
 * @returns shape (V,3); (0,0,1) where no triangle with area touches the vertex
 */
export function computeVertexNormals(
  positions: Float32Array | Float64Array,
  triangles: Uint32Array,
  out: Float32Array = new Float32Array(positions.length),
): Float32Array {
  out.fill(0);
  for (let c = 0; c < triangles.length; c += 3) {
    const i0 = 3 * triangles[c]!;
    const i1 = 3 * triangles[c + 1]!;
    const i2 = 3 * triangles[c + 2]!;
    const x0 = positions[i0]!;
    const y0 = positions[i0 + 1]!;
    const z0 = positions[i0 + 2]!;
    const ax = positions[i1]! - x0;
    const ay = positions[i1 + 1]! - y0;
    const az = positions[i1 + 2]! - z0;
    const bx = positions[i2]! - x0;
    const by = positions[i2 + 1]! - y0;
    const bz = positions[i2 + 2]! - z0;
    // The cross product's length is twice the area: that is the weight.
    const nx = ay * bz - az * by;
    const ny = az * bx - ax * bz;
    const nz = ax * by - ay * bx;
    out[i0] += nx;
    out[i0 + 1] += ny;
    out[i0 + 2] += nz;
    out[i1] += nx;
    out[i1 + 1] += ny;
    out[i1 + 2] += nz;
    out[i2] += nx;
    out[i2 + 1] += ny;
    out[i2 + 2] += nz;
  }
  for (let i = 0; i < out.length; i += 3) {
    const x = out[i]!;
    const y = out[i + 1]!;
    const z = out[i + 2]!;
    const length = Math.sqrt(x * x + y * y + z * z);
    if (length > 0) {
      const inverse = 1 / length;
      out[i] = x * inverse;
      out[i + 1] = y * inverse;
      out[i + 2] = z * inverse;
    } else {
      out[i + 2] = 1;
    }
  }
  return out;
}
