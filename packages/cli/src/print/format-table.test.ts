import { describe, expect, it } from 'vitest';
import { countColumns, formatTable } from './format-table.ts';
import { showPath, showText } from './show-path.ts';

describe('formatTable', () => {
  it('aligns columns, numbers to the right, without blanks at the end', () => {
    expect(
      formatTable(
        ['photo', 'ms', 'note'],
        [
          ['a.jpg', '9', ''],
          ['long name.jpg', '1234', 'x'],
        ],
        ['left', 'right'],
      ),
    ).toBe(['photo            ms  note', '-------------  ----  ----', 'a.jpg             9', 'long name.jpg  1234  x', ''].join('\n'));
  });

  it('counts what a terminal shows: wide characters twice, combining marks not at all', () => {
    expect(['abc', '日本', 'e\u0301', '\u{1f600}'].map(countColumns)).toEqual([3, 4, 1, 2]);
  });
});

describe('showPath', () => {
  it('is short below the current folder and whole elsewhere', () => {
    expect(showPath('/here/a/b.jpg', '/here')).toBe('a/b.jpg');
    expect(showPath('/else/b.jpg', '/here')).toBe('/else/b.jpg');
    expect(showPath('/here', '/here')).toBe('.');
    expect(showPath('/here/..x/y', '/here')).toBe('..x/y');
  });

  it('does not let a file name steer the terminal', () => {
    expect(showText('a\u001b[2Jb\nc\u202ed')).toBe('a?[2Jb?c?d');
  });
});
