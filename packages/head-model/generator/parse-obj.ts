/** What of a Wavefront OBJ the model needs. Indices from 0. */
export interface ObjMesh {
  /** Shape (V,3), as the file has it. */
  readonly positions: Float64Array;
  /** Shape (U,2), as the file has it (v up). */
  readonly uvs: Float64Array;
  readonly polygons: readonly { readonly vertices: readonly number[]; readonly uvs: readonly number[]; readonly material: string }[];
}

/** Positions alone of an OBJ, shape (V,3): three numbers per line "v x y z". */
export function parseObjPositions(bytes: Buffer): Float64Array {
  const out: number[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (bytes[at] === CHAR_V && bytes[at + 1] === SPACE) {
      at += 2;
      for (let d = 0; d < 3; d++) {
        while (bytes[at] === SPACE) at++;
        const start = at;
        while (bytes[at]! > SPACE) at++;
        out.push(parseDecimal(bytes, start, at));
      }
    }
    const next = bytes.indexOf(NEWLINE, at);
    at = next < 0 ? bytes.length : next + 1;
  }
  return Float64Array.from(out);
}

/** The whole mesh of an OBJ. */
export function parseObj(bytes: Buffer): ObjMesh {
  const uvs: number[] = [];
  const polygons: { vertices: number[]; uvs: number[]; material: string }[] = [];
  let material = '';
  for (const line of bytes.toString('latin1').split('\n')) {
    if (line.startsWith('vt ')) {
      const [u, v] = line.slice(3).trim().split(/\s+/).map(Number);
      uvs.push(u!, v!);
    } else if (line.startsWith('usemtl ')) {
      material = line.slice(7).trim();
    } else if (line.startsWith('f ')) {
      const corners = line
        .slice(2)
        .trim()
        .split(/\s+/)
        .map((c) => c.split('/').map(Number));
      polygons.push({ vertices: corners.map((c) => c[0]! - 1), uvs: corners.map((c) => c[1]! - 1), material });
    }
  }
  return { positions: parseObjPositions(bytes), uvs: Float64Array.from(uvs), polygons };
}

const CHAR_V = 0x76;
const SPACE = 0x20;
const NEWLINE = 0x0a;
const POWERS = Array.from({ length: 23 }, (_, i) => 10 ** i);

/**
 * A decimal number, correctly rounded: up to 15 digits are an exact integer, powers of ten up to 22 are exact, and one
 * division of exact numbers is rounded once (Clinger 1990). Anything else goes the slow way.
 */
function parseDecimal(bytes: Buffer, start: number, end: number): number {
  let at = start;
  const negative = bytes[at] === 0x2d;
  if (negative) at++;
  let digits = 0;
  let count = 0;
  let decimals = -1;
  for (; at < end; at++) {
    const c = bytes[at]!;
    if (c === 0x2e) decimals = 0;
    else if (c >= 0x30 && c <= 0x39 && count < 15) {
      digits = digits * 10 + (c - 0x30);
      if (digits > 0) count++;
      if (decimals >= 0) decimals++;
    } else return Number(bytes.toString('latin1', start, end));
  }
  const value = decimals > 0 ? digits / POWERS[decimals]! : digits;
  return negative ? -value : value;
}
