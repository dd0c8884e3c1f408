import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatJson } from './format-json.ts';

describe('formatJson', () => {
  it('is read back as the value, whatever its strings hold', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        expect(JSON.parse(new TextDecoder().decode(formatJson(value)))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('keeps arrays of numbers on one line and ends with a newline', () => {
    const text = new TextDecoder().decode(formatJson({ matrix: [1, -0.5, null], text: '[\n  1\n]', nested: [[1, 2]] }));
    expect(text).toBe('{\n  "matrix": [ 1, -0.5, null ],\n  "text": "[\\n  1\\n]",\n  "nested": [\n    [ 1, 2 ]\n  ]\n}\n');
  });
});
