import { countKernelBytes, useScratchMemory } from '../kernels/kernel-memory.ts';

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
  const memory = useScratchMemory(16 + countKernelBytes(triangles) + 2 * (16 + 4 * positions.length));
  const from = memory.allocate(Float32Array, positions.length);
  from.set(positions);
  const normals = memory.allocate(Float32Array, positions.length).fill(0);
  memory.kernels.addTriangleNormals(from.byteOffset, memory.place(triangles).byteOffset, triangles.length / 3, normals.byteOffset);
  memory.kernels.makeUnit(normals.byteOffset, positions.length / 3, 1);
  out.set(normals);
  return out;
}
