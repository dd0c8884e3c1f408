import { describe, expect, it } from 'vitest';
import { formatGlb } from './format-glb.ts';

describe('formatGlb', () => {
  it.each(['', 'a', 'ab', 'abc'])('pads the chunks to four bytes (name "%s")', (name) => {
    const json = { asset: { version: '2.0', extras: name } };
    const pieces = [Uint8Array.of(1, 2, 3, 4), Uint8Array.of(5, 6, 7, 8, 9, 10, 11, 12)];
    const glb = formatGlb(json, pieces);
    const view = new DataView(glb.buffer);
    expect(new TextDecoder().decode(glb.subarray(0, 4))).toBe('glTF');
    expect([view.getUint32(4, true), view.getUint32(8, true)]).toEqual([2, glb.length]);
    const jsonBytes = view.getUint32(12, true);
    expect(jsonBytes % 4).toBe(0);
    expect(new TextDecoder().decode(glb.subarray(16, 20))).toBe('JSON');
    expect(JSON.parse(new TextDecoder().decode(glb.subarray(20, 20 + jsonBytes)))).toEqual(json);
    expect(view.getUint32(20 + jsonBytes, true)).toBe(12);
    expect(new TextDecoder().decode(glb.subarray(24 + jsonBytes, 28 + jsonBytes))).toBe('BIN\0');
    expect(Array.from(glb.subarray(28 + jsonBytes))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });
});
