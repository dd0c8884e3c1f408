import { expect, it } from 'vitest';
import { formatBytes, formatDegrees, formatMs, formatSpan } from './format.ts';
import { en } from './messages.en.ts';
import { zh } from './messages.zh.ts';

it('writes bytes, times and angles as people read them', () => {
  expect([0, 1023, 1024, 10_189, 1_048_575, 26_214_400, 10_737_418_240].map(formatBytes)).toEqual([
    '0 B',
    '1023 B',
    '1.0 KB',
    '10 KB',
    '1.0 MB',
    '25 MB',
    '10 GB',
  ]);
  expect([0.4, 999.4, 1000, 12_345].map(formatMs)).toEqual(['0 ms', '999 ms', '1.0 s', '12.3 s']);
  expect([-8.74, -0.04, 0, 12].map(formatDegrees)).toEqual(['−8.7°', '0.0°', '0.0°', '12.0°']);
  expect([0.2, 89, 150, 7200, 86_400, 600_000].map((s) => formatSpan(s, en))).toEqual([
    '1 second',
    '89 seconds',
    '3 minutes',
    '2 hours',
    '24 hours',
    '7 days',
  ]);
  expect(formatSpan(150, zh)).toBe('3 分钟');
});
