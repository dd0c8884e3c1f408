/** What a table file holds: numbers, words and typed arrays in plain objects and lists. */
export type TableValue =
  | null
  | boolean
  | number
  | string
  | TableArray
  | readonly TableValue[]
  | { readonly [name: string]: TableValue | undefined };

type TableArray = Int8Array | Uint8Array | Uint16Array | Int32Array | Uint32Array | Float32Array | Float64Array;

const ARRAY_KINDS = {
  i8: Int8Array,
  u8: Uint8Array,
  u16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
  f32: Float32Array,
  f64: Float64Array,
};
type ArrayKind = keyof typeof ARRAY_KINDS;

/** Where an array of the description lies: its kind, first byte after the description, entries. */
interface ArrayPlace {
  readonly $: ArrayKind;
  readonly at: number;
  readonly count: number;
}

/** Arrays begin at multiples of this many bytes, so that they are used where they lie. */
const ALIGNMENT = 16;
const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
/** Bytes before the description: its length. */
const HEAD_BYTES = ALIGNMENT;

/**
 * Writes tables as bytes: the length of a description (u32), the description (JSON, in which arrays are places), the arrays. Numbers of
 * arrays are little-endian, as every machine is that Node runs on.
 */
export function formatTables(value: TableValue): Uint8Array {
  const arrays: { readonly array: TableArray; readonly at: number }[] = [];
  let end = 0;
  const describe = (part: TableValue | undefined): unknown => {
    if (ArrayBuffer.isView(part)) {
      const array = part as TableArray;
      const at = end;
      end = align(at + array.byteLength);
      arrays.push({ array, at });
      return { $: kindOf(array), at, count: array.length } satisfies ArrayPlace;
    }
    if (Array.isArray(part)) return part.map(describe);
    if (part !== null && typeof part === 'object') return Object.fromEntries(Object.entries(part).map(([name, v]) => [name, describe(v)]));
    return part;
  };
  const description = new TextEncoder().encode(JSON.stringify(describe(value)));
  const start = align(HEAD_BYTES + description.length);
  const bytes = new Uint8Array(start + end);
  new DataView(bytes.buffer).setUint32(0, description.length, true);
  bytes.set(description, HEAD_BYTES);
  for (const { array, at } of arrays) bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), start + at);
  return bytes;
}

/**
 * Reads what {@link formatTables} wrote. Nothing is copied: the arrays are views of `bytes` (which is copied first where it begins at a place
 * that arrays cannot).
 */
export function parseTables(bytes: Uint8Array): TableValue {
  const source = bytes.byteOffset % ALIGNMENT === 0 ? bytes : bytes.slice();
  const { buffer, byteOffset } = source;
  const length = new DataView(buffer, byteOffset).getUint32(0, true);
  const start = byteOffset + align(HEAD_BYTES + length);
  const text = new TextDecoder().decode(source.subarray(HEAD_BYTES, HEAD_BYTES + length));
  return JSON.parse(text, (_, part: TableValue | ArrayPlace) =>
    isPlace(part) ? new ARRAY_KINDS[part.$](buffer as ArrayBuffer, start + part.at, part.count) : part,
  ) as TableValue;
}

const isPlace = (part: unknown): part is ArrayPlace => part !== null && typeof part === 'object' && '$' in part;

function kindOf(array: TableArray): ArrayKind {
  for (const [kind, Kind] of Object.entries(ARRAY_KINDS)) if (array instanceof Kind) return kind as ArrayKind;
  throw new TypeError(`tables hold no ${Object.prototype.toString.call(array)}`);
}
