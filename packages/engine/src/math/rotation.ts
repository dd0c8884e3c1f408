/** Matrix product a b of two (3,3) row-major matrices. `out` may be neither of them. */
export function multiply3(a: Float64Array, b: Float64Array, out: Float64Array = new Float64Array(9)): Float64Array {
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) {
      out[3 * i + j] = a[3 * i] * b[j] + a[3 * i + 1] * b[3 + j] + a[3 * i + 2] * b[6 + j];
    }
  }
  return out;
}

/** Transpose of a (3,3) matrix: the inverse of a rotation. */
export function transpose3(a: Float64Array): Float64Array {
  return Float64Array.of(a[0], a[3], a[6], a[1], a[4], a[7], a[2], a[5], a[8]);
}

/**
 * Rotation matrix of a rotation vector (exponential map, Rodrigues' formula).
 *
 * @param x,y,z - axis times angle, radians
 * @returns shape (3,3) row-major
 */
export function rotationFromVector(x: number, y: number, z: number): Float64Array {
  const angleSq = x * x + y * y + z * z;
  const angle = Math.sqrt(angleSq);
  // Series below 1e-4 rad: the quotients lose digits there, the next term of the series is below 1e-17.
  const a = angle < 1e-4 ? 1 - angleSq / 6 : Math.sin(angle) / angle;
  const b = angle < 1e-4 ? 0.5 - angleSq / 24 : (1 - Math.cos(angle)) / angleSq;
  const c = 1 - b * angleSq;
  return Float64Array.of(
    c + b * x * x,
    b * x * y - a * z,
    b * x * z + a * y,
    b * x * y + a * z,
    c + b * y * y,
    b * y * z - a * x,
    b * x * z - a * y,
    b * y * z + a * x,
    c + b * z * z,
  );
}

/**
 * Rotation vector (axis times angle, radians, angle 0..pi) of a rotation matrix: inverse of {@link rotationFromVector}.
 *
 * @param r - shape (3,3) row-major, orthonormal, det +1
 */
export function vectorFromRotation(r: Float64Array): Float64Array {
  // By way of the unit quaternion, which stays accurate near 0 and near pi where the trace formula does not.
  const q = quaternionFromRotation(r);
  const sign = q[0] < 0 ? -1 : 1;
  const n = Math.hypot(q[1], q[2], q[3]);
  if (n === 0) return new Float64Array(3);
  const k = (sign * 2 * Math.atan2(n, sign * q[0])) / n;
  return Float64Array.of(k * q[1], k * q[2], k * q[3]);
}

/** Rotation matrix of a quaternion (w, x, y, z), which need not have unit length. */
export function rotationFromQuaternion(q: ArrayLike<number>): Float64Array {
  const n = Math.hypot(q[0], q[1], q[2], q[3]);
  const w = q[0] / n;
  const x = q[1] / n;
  const y = q[2] / n;
  const z = q[3] / n;
  return Float64Array.of(
    1 - 2 * (y * y + z * z),
    2 * (x * y - z * w),
    2 * (x * z + y * w),
    2 * (x * y + z * w),
    1 - 2 * (x * x + z * z),
    2 * (y * z - x * w),
    2 * (x * z - y * w),
    2 * (y * z + x * w),
    1 - 2 * (x * x + y * y),
  );
}

/** Unit quaternion (w, x, y, z) of a rotation matrix (Shepperd 1978: divides by the largest component). */
export function quaternionFromRotation(r: Float64Array): Float64Array {
  const trace = r[0] + r[4] + r[8];
  const q = Float64Array.of(trace, r[0], r[4], r[8]);
  let k = 0;
  for (let i = 1; i < 4; i++) if (q[i] > q[k]) k = i;
  if (k === 0) {
    const s = 2 * Math.sqrt(1 + trace);
    return Float64Array.of(s / 4, (r[7] - r[5]) / s, (r[2] - r[6]) / s, (r[3] - r[1]) / s);
  }
  if (k === 1) {
    const s = 2 * Math.sqrt(1 + r[0] - r[4] - r[8]);
    return Float64Array.of((r[7] - r[5]) / s, s / 4, (r[1] + r[3]) / s, (r[2] + r[6]) / s);
  }
  if (k === 2) {
    const s = 2 * Math.sqrt(1 + r[4] - r[0] - r[8]);
    return Float64Array.of((r[2] - r[6]) / s, (r[1] + r[3]) / s, s / 4, (r[5] + r[7]) / s);
  }
  const s = 2 * Math.sqrt(1 + r[8] - r[0] - r[4]);
  return Float64Array.of((r[3] - r[1]) / s, (r[2] + r[6]) / s, (r[5] + r[7]) / s, s / 4);
}
