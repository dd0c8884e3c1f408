import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDecimalWriter } from './decimal-writer.ts';

const write = (value: number, decimals: number): string => {
  const out = createDecimalWriter(16);
  out.decimal(value, decimals);
  return new TextDecoder().decode(out.bytes());
};

describe('createDecimalWriter', () => {
  it('writes what Number reads back as the rounded value', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.integer({ min: 0, max: 6 }), (value, decimals) => {
        const text = write(value, decimals);
        expect(text).toMatch(/^ -?\d+(\.\d*[1-9])?$/);
        const scale = 10 ** decimals;
        // Rounded half away from zero, which for a magnitude is Math.round.
        expect(Number(text)).toBe((Math.sign(value) * Math.round(Math.abs(value) * scale)) / scale + 0);
      }),
    );
  });

  it.each([
    [0, 6, ' 0'],
    [-0.0000001, 6, ' 0'],
    [-0.05, 2, ' -0.05'],
    [0.1, 6, ' 0.1'],
    [100, 3, ' 100'],
    [1.005, 0, ' 1'],
    [12.3456789, 4, ' 12.3457'],
    [0.999999, 4, ' 1'],
  ])('writes %d with %d decimals as "%s"', (value, decimals, text) => {
    expect(write(value, decimals)).toBe(text);
  });

  it('grows, and keeps text and numbers in order', () => {
    const out = createDecimalWriter(1);
    for (let i = 0; i < 1000; i++) {
      out.text('v');
      out.decimal(i / 8, 3);
      out.text('\n');
    }
    const lines = new TextDecoder().decode(out.bytes()).trimEnd().split('\n');
    expect(lines).toEqual(Array.from({ length: 1000 }, (_, i) => `v ${i / 8}`));
  });

  it('writes text that is not ASCII', () => {
    const out = createDecimalWriter(1);
    out.text('person’s');
    expect(new TextDecoder().decode(out.bytes())).toBe('person’s');
  });
});
