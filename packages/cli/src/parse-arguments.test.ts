import { describe, expect, it } from 'vitest';
import { parseFocal, parsePath, parsePaths } from './parse-arguments.ts';

describe('arguments', () => {
  it('an empty path is a mistake, not the folder one stands in', () => {
    expect(parsePath('--output')('x')).toBe('x');
    expect(() => parsePath('--output')('')).toThrow(expect.objectContaining({ code: 'FW_ARG_INVALID' }));
    const paths = parsePaths('<photo>');
    expect(paths('b', paths('a', undefined))).toEqual(['a', 'b']);
    expect(() => paths('', ['a'])).toThrow(expect.objectContaining({ code: 'FW_ARG_INVALID' }));
  });

  it('a focal length is in pixels or, with mm, a full-frame equivalent', () => {
    expect(parseFocal('3200')).toEqual({ focalPx: 3200 });
    expect(parseFocal('50mm')).toEqual({ focal35mm: 50 });
    expect(parseFocal('900.5px')).toEqual({ focalPx: 900.5 });
    // The last ones are lenses that do not exist: pixels meant as millimetres, metres meant as millimetres.
    for (const text of ['0', '-5', 'mm', '1e3', 'NaN', '', '1', '35', '0.05mm', '50000mm', '99999999'])
      expect(() => parseFocal(text), text).toThrow(expect.objectContaining({ code: 'FW_ARG_INVALID' }));
  });
});
