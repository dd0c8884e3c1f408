import { describe, expect, it } from 'vitest';
import { createProgressLine, estimateEtaMs, formatBar, formatClock } from './progress-line.ts';

describe('the progress line', () => {
  it('writes nothing where there is no terminal', () => {
    const written: string[] = [];
    const line = createProgressLine({ write: (t) => written.push(t), isTTY: false }, true);
    line.show('a');
    line.clear();
    expect(written).toEqual([]);
  });

  it('draws over itself, never wider than the terminal, and is wiped away once', () => {
    const written: string[] = [];
    const line = createProgressLine({ write: (t) => written.push(t), isTTY: true, columns: 10 }, true);
    line.show('first');
    line.show('much too long a text');
    line.clear();
    line.clear();
    expect(written).toEqual(['\r\u001b[2Kfirst', '\r\u001b[2Kmuch too\u2026', '\r\u001b[2K']);
  });

  it('fills the bar by what is done and leaves room on narrow terminals', () => {
    const bar = (done: number, columns: number) => formatBar({ done, total: 4, failed: 1, etaMs: 61_000, columns, note: 'a.jpg' });
    expect(bar(2, 200)).toBe(`[${'#'.repeat(15)}${'.'.repeat(15)}] 2/4  1 failed  ETA 1:01  a.jpg`);
    expect(bar(4, 200)).toContain(`[${'#'.repeat(30)}]`);
    expect(bar(0, 20)).toContain('[.....]');
    expect(formatBar({ done: 0, total: 4, failed: 0, etaMs: null, columns: 100 })).toContain('0/4  ETA -:--');
  });

  it('writes times as a clock, rounded up', () => {
    expect([0, 1, 1000, 59_001, 3_599_000, 3_723_000].map(formatClock)).toEqual(['0:00', '0:01', '0:01', '1:00', '59:59', '1:02:03']);
  });

  it('estimates the rest from what was made; photos that were skipped took no time', () => {
    expect(estimateEtaMs({ elapsedMs: 1000, made: 0, left: 5 })).toBeNull();
    expect(estimateEtaMs({ elapsedMs: 1000, made: 2, left: 6 })).toBe(3000);
    expect(estimateEtaMs({ elapsedMs: 1000, made: 0, left: 0 })).toBe(0);
  });
});
