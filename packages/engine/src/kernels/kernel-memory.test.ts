import { describe, expect, it } from 'vitest';
import { copyArrays, countKernelBytes, createKernelMemory, useScratchMemory } from './kernel-memory.ts';

describe('kernel memory', () => {
  it('holds as much as was asked for, and no more than its pages', () => {
    const memory = createKernelMemory(countKernelBytes([new Uint8Array(5), new Float64Array(3)]));
    const a = memory.allocate(Uint8Array, 5);
    const b = memory.allocate(Float64Array, 3);
    a.fill(1);
    b.fill(2);
    expect([...a]).toEqual([1, 1, 1, 1, 1]);
    expect(a.buffer).toBe(b.buffer);
    expect(b.byteOffset % 16).toBe(0);
    expect(() => memory.allocate(Uint8Array, 1 << 17)).toThrow(RangeError);
  });

  it('adopts tables as they are, arrays as copies, and places nothing twice', () => {
    const tables = { size: 3, name: 'x', none: null, parts: [{ first: 1 }], map: { at: Uint16Array.of(7, 8) } };
    const memory = createKernelMemory(1000);
    const own = memory.adopt(tables);
    expect(own).toEqual(tables);
    expect(own.map.at.buffer).not.toBe(tables.map.at.buffer);
    expect(memory.place(own.map.at)).toBe(own.map.at);
    const copy = copyArrays(own);
    expect(copy).toEqual(tables);
    expect(copy.map.at.buffer).not.toBe(own.map.at.buffer);
  });

  it('is one scratch memory for small work, used from its start each time, and another one for large work', () => {
    const first = useScratchMemory(1000).allocate(Uint8Array, 100);
    const second = useScratchMemory(500).allocate(Uint8Array, 100);
    expect([second.buffer, second.byteOffset]).toEqual([first.buffer, first.byteOffset]);
    const large = useScratchMemory(30 << 20).allocate(Uint8Array, 100);
    expect(large.buffer).not.toBe(first.buffer);
    expect(useScratchMemory(1000).allocate(Uint8Array, 100).buffer).toBe(first.buffer);
  });
});
