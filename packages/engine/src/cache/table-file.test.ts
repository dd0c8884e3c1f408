import { describe, expect, it } from 'vitest';
import { formatTables, parseTables, type TableValue } from './table-file.ts';

const TABLES: TableValue = {
  name: 'Tränen',
  size: 4,
  none: null,
  is: true,
  parts: [{ first: 1 }, { first: 2 }],
  nested: { bytes: Uint8Array.of(1, 2, 3), signed: Int8Array.of(-1), words: Uint16Array.of(65535), empty: new Uint32Array(0) },
  numbers: Float64Array.of(Math.PI, Number.NaN, -0),
  floats: Float32Array.of(0.1, Number.POSITIVE_INFINITY),
  counts: Int32Array.of(-5, 7),
};

describe('table files', () => {
  it('give back what was written, every kind of array', () => {
    expect(parseTables(formatTables(TABLES))).toEqual(TABLES);
  });

  it('are read without copying, and at a place where arrays cannot begin as well', () => {
    const bytes = formatTables(TABLES);
    expect((parseTables(bytes) as { floats: Float32Array }).floats.buffer).toBe(bytes.buffer);
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    expect(parseTables(shifted.subarray(1))).toEqual(TABLES);
  });

  it('write parts of larger memory', () => {
    const memory = Float32Array.of(1, 2, 3, 4);
    expect(parseTables(formatTables({ part: memory.subarray(1, 3) }))).toEqual({ part: Float32Array.of(2, 3) });
  });

  it('refuse arrays that they cannot hold', () => {
    expect(() => formatTables({ big: new BigInt64Array(1) } as unknown as TableValue)).toThrow(TypeError);
  });
});
