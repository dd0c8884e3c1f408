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

  it('estimates the rest from the photos that were made, without the start of the workers once there are others', () => {
    const eta = (finishedAtMs: number[], left: number) => estimateEtaMs({ startMs: 1000, finishedAtMs, atOnce: 2, left });
    expect(eta([], 5)).toBeNull();
    expect(eta([], 0)).toBe(0);
    // Only first ones: 4 s for two.
    expect(eta([4000, 5000], 3)).toBe(6000);
    // 200 ms each since then.
    expect(eta([4000, 5000, 5200, 5400], 10)).toBe(2000);
    // Slower lately: only the last 20 count.
    const many = [...Array.from({ length: 30 }, (_, i) => 5000 + 10 * i), ...Array.from({ length: 20 }, (_, i) => 5290 + 500 * (i + 1))];
    expect(eta(many, 2)).toBe(1000);
  });
});
