import type { AffineBody } from '../src/head-model-data.ts';
import { findPart } from './head-parts.ts';
import type { ModeColumns } from './split-modes.ts';

/** Vertex ranges of the teeth of one side, from upstream's README ("Teeth Details", both jaws, left). */
const LEFT_TEETH: readonly (readonly [number, number])[] = [
  [17039, 17230],
  [17230, 17416],
  [17416, 17607],
  [17607, 17730],
  [17730, 17895],
  [17895, 17991],
  [17991, 18067],
  [18067, 18143],
  [19247, 19426],
  [19426, 19602],
  [19602, 19814],
  [19814, 19952],
  [19952, 20079],
  [20079, 20169],
  [20169, 20263],
  [20263, 20349],
];

/**
 * Affine motion of each body per column: what upstream's modes do to an eyeball is affine to a micrometre, to a tooth within
 * some hundredths of a millimetre, and an affine map keeps both as smooth as they are.
 *
 * @param positions - shape (V,3), millimetres
 */
export function fitBodies(positions: Float64Array, columns: ModeColumns): AffineBody[] {
  return [...LEFT_TEETH, findPart('scleraLeft').vertices, findPart('irisLeft').vertices].map((range) => fitBody(positions, columns, range));
}

function fitBody(positions: Float64Array, { fields }: ModeColumns, [first, end]: readonly [number, number]): AffineBody {
  const count = end - first;
  const center: [number, number, number] = [0, 0, 0];
  for (let v = first; v < end; v++) for (let d = 0; d < 3; d++) center[d]! += positions[3 * v + d]! / count;
  // Rounded, so that the text of the header is short and exact.
  for (let d = 0; d < 3; d++) center[d] = Math.round(1000 * center[d]!) / 1000;

  const relative = (v: number): number[] => [1, 0, 1, 2].map((d, i) => (i === 0 ? 1 : positions[3 * v + d]! - center[d]!));
  const normal = new Float64Array(16);
  for (let v = first; v < end; v++) {
    const x = relative(v);
    for (let i = 0; i < 4; i++) for (let j = 0; j < 4; j++) normal[4 * i + j]! += x[i]! * x[j]!;
  }
  const inverse = invert4(normal);
  const out = new Float32Array(12 * fields.length);
  fields.forEach((field, c) => {
    for (let d = 0; d < 3; d++) {
      const right = [0, 0, 0, 0];
      for (let v = first; v < end; v++) {
        const x = relative(v);
        for (let i = 0; i < 4; i++) right[i]! += x[i]! * field[3 * v + d]!;
      }
      for (let i = 0; i < 4; i++) {
        let sum = 0;
        for (let j = 0; j < 4; j++) sum += inverse[4 * i + j]! * right[j]!;
        out[12 * c + 4 * d + i] = sum;
      }
    }
  });
  return { firstVertex: first, vertexCount: count, center, columns: out };
}

/** Inverse of a symmetric positive definite (4,4) matrix by Gauss-Jordan elimination. */
function invert4(matrix: Float64Array): Float64Array {
  const m = Float64Array.from(matrix);
  const inverse = Float64Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0));
  for (let c = 0; c < 4; c++) {
    const scale = 1 / m[5 * c]!;
    for (let k = 0; k < 4; k++) {
      m[4 * c + k]! *= scale;
      inverse[4 * c + k]! *= scale;
    }
    for (let r = 0; r < 4; r++) {
      const f = m[4 * r + c]!;
      if (r === c || f === 0) continue;
      for (let k = 0; k < 4; k++) {
        m[4 * r + k]! -= f * m[4 * c + k]!;
        inverse[4 * r + k]! -= f * inverse[4 * c + k]!;
      }
    }
  }
  return inverse;
}
