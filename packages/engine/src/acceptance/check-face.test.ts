import { describe, expect, it } from 'vitest';
import type { FittedFace } from '../fit/fitted-face.ts';
import type { MeasuredFace } from '../locate-faces.ts';
import type { Raster } from '../photo/raster.ts';
import { checkFit, checkLandmarks, FACE_BOUNDS } from './check-face.ts';

/** 478 points on a disc of the given width about a centre; the eye corners at the height of the centre. */
function discFace(
  centerX: number,
  centerY: number,
  width: number,
  options: {
    presence?: number;
    quarterTurns?: 0 | 1 | 2 | 3;
    asymmetry?: number;
    instability?: number;
    score?: number;
    raster?: Raster;
  } = {},
): MeasuredFace {
  const points = new Float64Array(3 * 478);
  for (let k = 0; k < 478; k++) {
    // Vogel's spiral fills a disc evenly.
    const r = (width / 2) * Math.sqrt((k + 0.5) / 468);
    points[3 * k] = centerX + r * Math.cos(2.399963 * k);
    points[3 * k + 1] = centerY + r * Math.sin(2.399963 * k);
  }
  points.set([centerX - width / 2, centerY, 0], 3 * 33);
  points.set([centerX + width / 2, centerY, 0], 3 * 263);
  const landmarks = { points, presence: options.presence ?? 0.99, region: { centerX, centerY, sizePx: 1.5 * width, rotationRad: 0 } };
  const detection = {
    score: options.score ?? 0.9,
    box: { x: centerX - width / 2, y: centerY - width / 2, width, height: width },
    keypoints: new Float64Array(12),
    quarterTurns: options.quarterTurns ?? 0,
  };
  return {
    landmarks,
    viewLandmarks: landmarks,
    detection,
    assessment: {
      asymmetryRatio: options.asymmetry ?? 0.02,
      instabilityRatio: options.instability ?? null,
    },
    view: { raster: options.raster ?? PHOTO_LIKE, x: 0, y: 0, scaleX: 1, scaleY: 1 },
  };
}

/** A picture of 1000 x 1000 pixels from a function of the pixel. */
function paint(color: (x: number, y: number) => readonly [number, number, number]): Raster {
  const rgb = new Uint8Array(3 * 1000 * 1000);
  for (let y = 0, o = 0; y < 1000; y++) for (let x = 0; x < 1000; x++, o += 3) rgb.set(color(x, y), o);
  return { width: 1000, height: 1000, rgb };
}
/** A grain of some levels, as every camera has. */
const grain = (x: number, y: number): number => ((x * 7919 + y * 104729 + ((x * y) % 13) * 31) % 17) - 8;
const PHOTO_LIKE = paint((x, y) => [180 + grain(x, y), 130 + grain(x, y), 110 + grain(x, y)]);

const photo = { width: 1000, height: 1000, isGrey: false };
const codes = (list: readonly { code: string }[]): string[] => list.map((w) => w.code);

describe('checkLandmarks', () => {
  it('has nothing to say of a large face in the middle', () => {
    expect(checkLandmarks(photo, discFace(500, 500, 400))).toEqual([]);
  });
  it('warns of a small face and refuses a tiny one, in pixels of the photo', () => {
    expect(codes(checkLandmarks(photo, discFace(500, 500, 100)))).toEqual(['FACE_LOW_RESOLUTION']);
    expect(() => checkLandmarks(photo, discFace(500, 500, 39))).toThrow(expect.objectContaining({ code: 'FW_FACE_TOO_SMALL' }));
  });
  it('warns when the border takes a little and refuses when it takes much', () => {
    // A disc whose centre is d radii inside a straight border loses (acos d - d sqrt(1-d²))/π of its area: 5.2 % at 0.8, 50 % at 0.
    expect(codes(checkLandmarks(photo, discFace(160, 500, 400)))).toEqual(['FACE_NEAR_BORDER']);
    expect(() => checkLandmarks(photo, discFace(0, 500, 400))).toThrow(expect.objectContaining({ code: 'FW_FACE_CUT' }));
  });
  it('refuses what the landmark network does not believe', () => {
    expect(() => checkLandmarks(photo, discFace(500, 500, 400, { presence: 0.2 }))).toThrow(
      expect.objectContaining({ code: 'FW_FACE_NOT_HUMAN' }),
    );
  });
  it('says by how much the photo lies on its side', () => {
    const [warning] = checkLandmarks(photo, discFace(500, 500, 400, { quarterTurns: 1 }));
    expect(warning).toMatchObject({ code: 'FACE_TURNED_PHOTO', params: { turnDeg: 90 } });
  });
});

describe('checkFit', () => {
  const fitted = (yawDeg: number, residualRmsPx = 1, expression = [0, 0]): FittedFace =>
    ({
      pose: { yawDeg },
      residualRmsPx,
      eyeDistancePx: 100,
      expression: Float64Array.from(expression),
      model: { expressionNames: ['jawOpen', 'mouthSmile_L', 'eyeLookOut_L', 'gazeOut_L'] },
    }) as unknown as FittedFace;

  it('refuses landmarks that do not stay where they are, and warns when they move a little', () => {
    expect(() => checkFit(photo, discFace(500, 500, 400, { instability: 0.06 }), fitted(0))).toThrow(
      expect.objectContaining({ code: 'FW_FACE_NOT_HUMAN' }),
    );
    expect(() => checkFit(photo, discFace(500, 500, 400, { instability: 0.027, asymmetry: 0.08 }), fitted(0))).toThrow(
      expect.objectContaining({ code: 'FW_FACE_NOT_HUMAN' }),
    );
    expect(codes(checkFit(photo, discFace(500, 500, 400, { instability: 0.04 }), fitted(0)))).toEqual(['FACE_UNCERTAIN']);
    expect(checkFit(photo, discFace(500, 500, 400, { instability: 0.01, asymmetry: 0.08 }), fitted(0))).toEqual([]);
  });
  it('warns when the detector is less sure than of a face in plain sight', () => {
    expect(codes(checkFit(photo, discFace(500, 500, 400, { score: 0.8 }), fitted(0)))).toEqual(['FACE_UNCERTAIN']);
  });
  it('takes fills of one colour between outlines for a drawing', () => {
    const drawing = paint((x, y) => (x % 16 < 3 || y % 16 < 3 ? [20, 20, 20] : [230, 180, 160]));
    expect(codes(checkFit(photo, discFace(500, 500, 136, { raster: drawing }), fitted(0)))).toContain('FACE_NOT_A_PHOTO');
  });
  it('takes a grey face in a colourful picture for a statue, and one in a grey picture for an old photo', () => {
    const isFace = (x: number, y: number): boolean => Math.hypot(x - 500, y - 500) < 250;
    const statue = paint((x, y) => (isFace(x, y) ? [150 + grain(x, y), 150 + grain(x, y), 147 + grain(x, y)] : [60, 90, 200]));
    expect(codes(checkFit(photo, discFace(500, 500, 400, { raster: statue }), fitted(0)))).toEqual(['FACE_NOT_A_PHOTO']);
    const old = paint((x, y) => [150 + grain(x, y), 148 + grain(x, y), 144 + grain(x, y)]);
    expect(codes(checkFit(photo, discFace(500, 500, 400, { raster: old }), fitted(0)))).toEqual(['PHOTO_GREY']);
    expect(checkFit({ ...photo, isGrey: true }, discFace(500, 500, 400, { raster: old }), fitted(0))).toEqual([]);
  });
  it('accepts a frontal face without a word', () => {
    expect(checkFit(photo, discFace(500, 500, 400), fitted(-12))).toEqual([]);
  });
  it('calls a profile a profile although its landmarks are unsteady', () => {
    expect(() => checkFit(photo, discFace(500, 500, 400, { instability: 0.2 }), fitted(72))).toThrow(
      expect.objectContaining({ code: 'FW_FACE_PROFILE' }),
    );
  });
  it.each([-1, 1])('warns of a turned head and refuses a profile, to either side (%d)', (side) => {
    expect(codes(checkFit(photo, discFace(500, 500, 400), fitted(side * 45)))).toEqual(['FACE_TURNED_AWAY']);
    expect(() => checkFit(photo, discFace(500, 500, 400), fitted(side * (FACE_BOUNDS.maxYawDeg + 1)))).toThrow(
      expect.objectContaining({ code: 'FW_FACE_PROFILE' }),
    );
  });
  it('does not call a sideways look an expression', () => {
    expect(checkFit(photo, discFace(500, 500, 400), fitted(0, 1, [0, 0, 1, 1]))).toEqual([]);
  });
  it('names the strongest expression when it is extreme, and a fit that misses', () => {
    expect(checkFit(photo, discFace(500, 500, 400), fitted(0, 1, [0.2, 0.95]))).toMatchObject([
      { code: 'FACE_EXPRESSION_STRONG', params: { name: 'mouthSmile_L' } },
    ]);
    expect(codes(checkFit(photo, discFace(500, 500, 400), fitted(0, 7)))).toEqual(['FIT_RESIDUAL_HIGH']);
  });
});
