import { describe, expect, it } from 'vitest';
import { computeExifFocalPx } from './compute-exif-focal-px.ts';
import type { ExifFields } from './read-exif.ts';

const NOTHING: ExifFields = {
  focalLengthMm: null,
  focalLength35Mm: null,
  focalPlanePxPerMm: null,
  declaredWidth: null,
  declaredHeight: null,
  digitalZoom: 1,
};

describe('computeExifFocalPx', () => {
  it('compares diagonals for 4:3 and the long side for 3:2, which agree on 3:2', () => {
    // A full-frame camera: 50 mm on 36 mm.
    expect(computeExifFocalPx({ ...NOTHING, focalLength35Mm: 50 }, 6000, 4000)).toBeCloseTo((50 / 36) * 6000, 6);
    // A phone: 26 mm equivalent, 5:4:3 triangle, diagonal 5040 of 4032 x 3024.
    expect(computeExifFocalPx({ ...NOTHING, focalLength35Mm: 26 }, 4032, 3024)).toBeCloseTo((26 / Math.hypot(36, 24)) * 5040, 6);
  });

  it('does not depend on how the photo lies', () => {
    const exif = { ...NOTHING, focalLength35Mm: 26 };
    expect(computeExifFocalPx(exif, 3024, 4032)).toBe(computeExifFocalPx(exif, 4032, 3024));
  });

  it('prefers the sensor, which is not rounded to whole millimetres, where both agree', () => {
    // APS-C: 35 mm on 23.5 mm, 6000 pixels; the equivalent 53.6 mm is written as 54.
    const exif = { ...NOTHING, focalLengthMm: 35, focalPlanePxPerMm: 6000 / 23.5, focalLength35Mm: 54 };
    expect(computeExifFocalPx(exif, 6000, 4000)).toBeCloseTo((35 * 6000) / 23.5, 6);
  });

  it('trusts the 35 mm equivalent where both disagree, and never the sensor under digital zoom', () => {
    const exif = { ...NOTHING, focalLengthMm: 5, focalPlanePxPerMm: 250, focalLength35Mm: 50, digitalZoom: 2 };
    expect(computeExifFocalPx(exif, 3000, 2000)).toBeCloseTo((50 / 36) * 3000, 6);
    expect(computeExifFocalPx({ ...exif, focalLength35Mm: null }, 3000, 2000)).toBeNull();
    expect(computeExifFocalPx({ ...exif, focalLength35Mm: null, digitalZoom: 1 }, 3000, 2000)).toBeCloseTo(1250, 6);
  });

  it('follows a resized photo', () => {
    const exif = { ...NOTHING, focalLengthMm: 35, focalPlanePxPerMm: 6000 / 23.5, declaredWidth: 6000, declaredHeight: 4000 };
    expect(computeExifFocalPx(exif, 1500, 1000)).toBeCloseTo((35 * 1500) / 23.5, 6);
    // Turned by a program that did not turn the numbers.
    expect(computeExifFocalPx(exif, 1000, 1500)).toBeCloseTo((35 * 1500) / 23.5, 6);
  });

  it('says nothing for a cropped photo', () => {
    const exif = { ...NOTHING, focalLength35Mm: 26, declaredWidth: 4032, declaredHeight: 3024 };
    expect(computeExifFocalPx(exif, 2000, 2000)).toBeNull();
    expect(computeExifFocalPx(exif, 4032, 2268)).toBeNull();
    // The size was rewritten, but no sensor has this shape.
    expect(computeExifFocalPx({ ...exif, declaredWidth: 2000, declaredHeight: 1200 }, 2000, 1200)).toBeNull();
    expect(computeExifFocalPx({ ...NOTHING, focalLength35Mm: 26 }, 1080, 1080)).toBeNull();
  });

  it('says nothing where the number cannot be true', () => {
    expect(computeExifFocalPx(NOTHING, 4000, 3000)).toBeNull();
    expect(computeExifFocalPx({ ...NOTHING, focalLength35Mm: 3 }, 4000, 3000)).toBeNull();
    expect(computeExifFocalPx({ ...NOTHING, focalLength35Mm: 9000 }, 4000, 3000)).toBeNull();
  });
});
