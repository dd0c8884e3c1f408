/** @module ICC profiles: which ones need work, and the short way to sRGB for those that cameras and phones write. */

/** What an embedded ICC profile asks for. */
export type ColorProfile =
  /** Within one 8-bit level of sRGB everywhere: nothing to do. */
  | { readonly kind: 'srgb' }
  /** Three curves and a matrix (Display P3, Adobe RGB, ...): {@link convertToSrgb} does it on the few pixels that come out. */
  | { readonly kind: 'matrix'; readonly conversion: SrgbConversion }
  /** Anything else that is well-formed (tables, grey, CMYK): left to the library's colour management. */
  | { readonly kind: 'other'; readonly space: string }
  | { readonly kind: 'broken'; readonly reason: string };

/** Tables for RGB of a matrix profile to sRGB. */
export interface SrgbConversion {
  /** Shape (3 outputs, 3 inputs, 256): linear sRGB contribution of each input level, scaled to 0..ENCODE_STEPS. */
  readonly linear: Float32Array;
}

/** Steps of linear light in the encoding table; 8191 keeps a step below half an 8-bit level at black, where sRGB is steepest. */
const ENCODE_STEPS = 8191;
let srgbFromLinear: Uint8Array | null = null;

/** sRGB byte of each step of linear light. Made for the first photo that needs it: most do not. */
function tabulateSrgb(): Uint8Array {
  if (srgbFromLinear !== null) return srgbFromLinear;
  const table = new Uint8Array(ENCODE_STEPS + 1);
  for (let i = 0; i <= ENCODE_STEPS; i++) {
    const v = i / ENCODE_STEPS;
    table[i] = Math.round(255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055));
  }
  srgbFromLinear = table;
  return table;
}

/** XYZ (D50) of linear sRGB, row-major; the inverse of the matrix in IEC 61966-2-1 adapted with Bradford, as in ICC's own sRGB profile. */
const SRGB_FROM_XYZ_D50 = [3.1338561, -1.6168667, -0.4906146, -0.9787684, 1.9161415, 0.033454, 0.0719453, -0.2289914, 1.4052427];

/**
 * Reads an ICC profile (ICC.1:2022 §7 header, §9 tags, §10.6 curves, §10.18 parametric curves).
 *
 * @param channels Colour channels of the photo without alpha; a profile for another number is broken.
 */
export function readColorProfile(icc: Uint8Array, channels: number): ColorProfile {
  const broken = (reason: string): ColorProfile => ({ kind: 'broken', reason });
  if (icc.length < 132) return broken('too short');
  const view = new DataView(icc.buffer, icc.byteOffset, icc.length);
  const ascii = (at: number): string => String.fromCharCode(icc[at], icc[at + 1], icc[at + 2], icc[at + 3]);
  if (ascii(36) !== 'acsp') return broken('no profile signature');
  if (view.getUint32(0) > icc.length) return broken('cut off');
  const space = ascii(16);
  const expected = CHANNELS_OF_SPACE[space];
  if (expected === undefined) return broken(`unknown colour space "${space.replace(/[^ -~]/g, '?').trim()}"`);
  if (expected !== channels) return broken(`made for ${expected} channels, the photo has ${channels}`);

  const tags = new Map<string, { offset: number; size: number }>();
  const count = view.getUint32(128);
  if (count > 200 || 132 + 12 * count > icc.length) return broken('damaged tag table');
  for (let i = 0; i < count; i++) {
    const at = 132 + 12 * i;
    const offset = view.getUint32(at + 4);
    const size = view.getUint32(at + 8);
    if (offset + size > icc.length || size < 8) return broken(`damaged tag ${i + 1}`);
    tags.set(ascii(at), { offset, size });
  }
  // Tables win over curves and matrix where a profile has both (ICC.1:2022 §8.10).
  if (space !== 'RGB ' || ascii(20) !== 'XYZ ' || tags.has('A2B0')) return { kind: 'other', space: space.trim() };

  const curves: Float64Array[] = [];
  const columns: number[][] = [];
  for (const channel of ['r', 'g', 'b']) {
    const xyz = tags.get(`${channel}XYZ`);
    const trc = tags.get(`${channel}TRC`);
    if (xyz === undefined || trc === undefined || xyz.size < 20) return broken('colour tags missing');
    columns.push([0, 4, 8].map((d) => view.getInt32(xyz.offset + 8 + d) / 65536));
    const curve = readCurve(view, trc.offset, trc.size);
    if (curve === null) return broken('damaged tone curve');
    curves.push(curve);
  }
  const conversion = createConversion(columns, curves);
  return isIdentity(conversion) ? { kind: 'srgb' } : { kind: 'matrix', conversion };
}

const CHANNELS_OF_SPACE: Readonly<Record<string, number>> = { 'RGB ': 3, GRAY: 1, CMYK: 4 };

/** Tone curve at the 256 input levels, 0..1; null where it is damaged. */
function readCurve(view: DataView, offset: number, size: number): Float64Array | null {
  const type = view.getUint32(offset);
  const curve = new Float64Array(256);
  if (type === 0x63757276 /* curv */) {
    if (size < 12) return null;
    const n = view.getUint32(offset + 8);
    if (size < 12 + 2 * n) return null;
    for (let i = 0; i < 256; i++) {
      const x = i / 255;
      if (n === 0) curve[i] = x;
      else if (n === 1) curve[i] = x ** (view.getUint16(offset + 12) / 256);
      else {
        const at = x * (n - 1);
        const k = Math.min(Math.floor(at), n - 2);
        const a = view.getUint16(offset + 12 + 2 * k);
        const b = view.getUint16(offset + 14 + 2 * k);
        curve[i] = (a + (b - a) * (at - k)) / 65535;
      }
    }
    return curve;
  }
  if (type !== 0x70617261 /* para */ || size < 12) return null;
  const kind = view.getUint16(offset + 8);
  const needed = [1, 3, 4, 5, 7][kind];
  if (needed === undefined || size < 12 + 4 * needed) return null;
  const p = Array.from({ length: 7 }, (_, i) => (i < needed ? view.getInt32(offset + 12 + 4 * i) / 65536 : 0));
  const [g, a, b, c, d, e, f] = p;
  for (let i = 0; i < 256; i++) {
    const x = i / 255;
    let y: number;
    if (kind === 0) y = x ** g;
    else if (kind === 1) y = x >= -b / a ? (a * x + b) ** g : 0;
    else if (kind === 2) y = x >= -b / a ? (a * x + b) ** g + c : c;
    else if (kind === 3) y = x >= d ? (a * x + b) ** g : c * x;
    else y = x >= d ? (a * x + b) ** g + e : c * x + f;
    if (!Number.isFinite(y)) return null;
    curve[i] = Math.min(1, Math.max(0, y));
  }
  return curve;
}

function createConversion(columns: readonly (readonly number[])[], curves: readonly Float64Array[]): SrgbConversion {
  const linear = new Float32Array(3 * 3 * 256);
  for (let out = 0; out < 3; out++) {
    for (let channel = 0; channel < 3; channel++) {
      let weight = 0;
      for (let k = 0; k < 3; k++) weight += SRGB_FROM_XYZ_D50[3 * out + k] * columns[channel][k];
      for (let i = 0; i < 256; i++) linear[(3 * out + channel) * 256 + i] = ENCODE_STEPS * weight * curves[channel][i];
    }
  }
  return { linear };
}

/** True where no colour of an 18 x 18 x 18 lattice changes by more than one 8-bit level. */
function isIdentity(conversion: SrgbConversion): boolean {
  const rgb = new Uint8Array(3 * 18 ** 3);
  let n = 0;
  for (let r = 0; r < 256; r += 15) for (let g = 0; g < 256; g += 15) for (let b = 0; b < 256; b += 15, n += 3) rgb.set([r, g, b], n);
  const converted = rgb.slice();
  convertToSrgb(converted, conversion);
  return converted.every((v, i) => Math.abs(v - rgb[i]) <= 1);
}

/**
 * Converts RGB of a matrix profile to sRGB in place; colours outside sRGB are clipped per channel (relative colorimetric, as
 * the library does for such profiles).
 *
 * @param rgb Shape (pixels, 3).
 */
export function convertToSrgb(rgb: Uint8Array, conversion: SrgbConversion): void {
  const t = conversion.linear;
  const encode = tabulateSrgb();
  for (let i = 0; i < rgb.length; i += 3) {
    const r = rgb[i];
    const g = 256 + rgb[i + 1];
    const b = 512 + rgb[i + 2];
    // Adding a half and truncating rounds; clipping to the table's ends clips the colour.
    const x = (t[r] + t[g] + t[b] + 0.5) | 0;
    const y = (t[768 + r] + t[768 + g] + t[768 + b] + 0.5) | 0;
    const z = (t[1536 + r] + t[1536 + g] + t[1536 + b] + 0.5) | 0;
    rgb[i] = encode[x < 0 ? 0 : x > ENCODE_STEPS ? ENCODE_STEPS : x];
    rgb[i + 1] = encode[y < 0 ? 0 : y > ENCODE_STEPS ? ENCODE_STEPS : y];
    rgb[i + 2] = encode[z < 0 ? 0 : z > ENCODE_STEPS ? ENCODE_STEPS : z];
  }
}
