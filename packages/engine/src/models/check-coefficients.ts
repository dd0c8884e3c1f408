import { FacewrightError } from '@facewright/protocol';

/** @throws FW_ARG_INVALID for too many numbers or one that is not finite */
export function checkCoefficients(name: string, values: ArrayLike<number>, max: number): void {
  if (values.length > max) throw new FacewrightError('FW_ARG_INVALID', { name, expected: `at most ${max} numbers`, actual: values.length });
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new FacewrightError('FW_ARG_INVALID', { name: `${name}[${i}]`, expected: 'a finite number', actual: values[i] });
    }
  }
}

/** @throws FW_ARG_INVALID when `out` has not the shape (V,3) */
export function checkOut(out: Float32Array, vertexCount: number): void {
  if (out.length !== 3 * vertexCount) {
    throw new FacewrightError('FW_ARG_INVALID', { name: 'out', expected: `an array of ${3 * vertexCount} numbers`, actual: out.length });
  }
}

/** @throws FW_ARG_INVALID when `index` is not the number of an expression shape */
export function checkExpressionIndex(index: number, count: number): void {
  if (!Number.isInteger(index) || index < 0 || index >= count) {
    throw new FacewrightError('FW_ARG_INVALID', { name: 'expression', expected: `a whole number from 0 to ${count - 1}`, actual: index });
  }
}
