/**
 * Factors that take the light of a photo out. AssemblyScript; called by src/texture/estimate-light.ts, which says how they are meant.
 */

/** See computeTone. */
const LUMA_OFFSET: f64 = 8;

function term(at: usize, k: i32): f64 {
  return load<f64>(at + ((<usize>k) << 3));
}

/** A row of coefficients (three apart) times the functions of a direction (see writeBasis). */
function sum(at: usize, x: f64, y: f64, z: f64): f64 {
  return (
    term(at, 0) +
    term(at, 3) * x +
    term(at, 6) * y +
    term(at, 9) * z +
    term(at, 12) * x * y +
    term(at, 15) * y * z +
    term(at, 18) * x * z +
    term(at, 21) * (x * x - y * y) +
    term(at, 24) * (3 * z * z - 1)
  );
}

/**
 * @param directions - shape (count,3), f32; 0 where there is none: the factor is 1 there
 * @param numbers - f64: coefficients (9,3), tone of skin in even light (3), its colour (3)
 * @param colorShare - share of the light's colour that is taken out with its brightness
 * @param most - largest factor; the least is its inverse
 * @param out - shape (count,3), f32, written
 */
export function computeLightGains(directions: usize, count: i32, numbers: usize, colorShare: f64, most: f64, out: usize): void {
  const evenLog = term(numbers, 27);
  const evenR = term(numbers, 30);
  const evenG = term(numbers, 31);
  const evenB = term(numbers, 32);
  const least = 1 / most;
  for (let i = 0; i < count; i++, directions += 12, out += 12) {
    const x = <f64>load<f32>(directions);
    const y = <f64>load<f32>(directions, 4);
    const z = <f64>load<f32>(directions, 8);
    if (x === 0 && y === 0 && z === 0) {
      store<f32>(out, 1);
      store<f32>(out, 1, 4);
      store<f32>(out, 1, 8);
      continue;
    }
    const l = sum(numbers, x, y, z);
    const u = sum(numbers + 8, x, y, z);
    const v = sum(numbers + 16, x, y, z);
    // The colour of the tone (l, u, v).
    const bright = Math.exp(l);
    const luma = bright - LUMA_OFFSET;
    const r = luma + v * bright;
    const b = luma + u * bright;
    const g = (luma - 0.299 * r - 0.114 * b) * (1 / 0.587);
    const plain = (1 - colorShare) * Math.exp(evenLog - l);
    store<f32>(out, <f32>max(least, min(most, plain + (colorShare * evenR) / max<f64>(1, r))));
    store<f32>(out, <f32>max(least, min(most, plain + (colorShare * evenG) / max<f64>(1, g))), 4);
    store<f32>(out, <f32>max(least, min(most, plain + (colorShare * evenB) / max<f64>(1, b))), 8);
  }
}
