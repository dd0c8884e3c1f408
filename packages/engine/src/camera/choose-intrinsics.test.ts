import { isFacewrightError } from '@facewright/protocol';
import { expect, it } from 'vitest';
import { chooseIntrinsics } from './choose-intrinsics.ts';

const size = { width: 3000, height: 4000 };

it('takes the option before the photo before the default, and the middle of the photo', () => {
  const all = { ...size, exifFocalPx: 3100, focalPx: 5000, focal35mm: 27 };
  expect(chooseIntrinsics(all)).toEqual({ focalPx: 5000, centerX: 1500, centerY: 2000, source: 'option' });
  expect(chooseIntrinsics({ ...size, exifFocalPx: 3100, focal35mm: 27 })).toMatchObject({ focalPx: 3000, source: 'option' });
  expect(chooseIntrinsics({ ...size, exifFocalPx: 3100 })).toMatchObject({ focalPx: 3100, source: 'exif' });
  expect(chooseIntrinsics({ ...size, exifFocalPx: null })).toMatchObject({ focalPx: 6000, source: 'default' });
});

it('keeps a face that fills the photo at half a metre at least', () => {
  const points = new Float64Array(3 * 478);
  // An iris 234 px wide: 11.7 mm at half a metre need 10 000 px.
  points[3 * 469] = 234;
  expect(chooseIntrinsics({ ...size, landmarks: { points } }).focalPx).toBeCloseTo(10_000, 6);
  points[3 * 469] = 100;
  expect(chooseIntrinsics({ ...size, landmarks: { points } }).focalPx).toBe(6000);
});

it.each([0, -1, Number.NaN, Infinity])('refuses a focal length of %d', (focalPx) => {
  try {
    chooseIntrinsics({ ...size, focalPx });
    expect.unreachable();
  } catch (e) {
    expect(isFacewrightError(e, 'FW_ARG_INVALID')).toBe(true);
  }
});
