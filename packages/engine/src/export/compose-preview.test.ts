import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { createSyntheticFace, createSyntheticMaps } from '../../test/synthetic-face.ts';
import type { PhotoView } from '../photo/photo.ts';
import { composePreview } from './compose-preview.ts';

const HEIGHT = 120;

/** A blue photo of 800 x 600 with a red dot where the model's origin is seen, as a view at half size of its right three quarters. */
function createView(face = createSyntheticFace()): PhotoView {
  const width = 300;
  const height = 300;
  const rgb = new Uint8Array(3 * width * height);
  const { intrinsics, pose } = face;
  const x = (intrinsics.centerX + (intrinsics.focalPx * pose.translation[0]!) / pose.translation[2]! - 200) / 2;
  const y = (intrinsics.centerY + (intrinsics.focalPx * pose.translation[1]!) / pose.translation[2]!) / 2;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      rgb.set(Math.hypot(column + 0.5 - x, row + 0.5 - y) < 9 ? [255, 0, 0] : [0, 0, 200], 3 * (row * width + column));
    }
  }
  return { raster: { width, height, rgb }, x: 200, y: 0, scaleX: 2, scaleY: 2 };
}

async function compose(face = createSyntheticFace(), view = createView(face)) {
  const png = await composePreview({ face, maps: createSyntheticMaps(), view }, { height: HEIGHT });
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  const cells: { left: number; width: number }[] = [];
  // Gaps are the columns that are white from top to bottom.
  const isGap = (x: number) =>
    Array.from({ length: info.height }, (_, y) => data[3 * (y * info.width + x)]! + data[3 * (y * info.width + x) + 2]!).every(
      (s) => s === 510,
    );
  for (let x = 0; x < info.width; x++) {
    if (isGap(x)) continue;
    const last = cells.at(-1);
    if (last !== undefined && last.left + last.width === x) last.width++;
    else cells.push({ left: x, width: 1 });
  }
  return { png, data, width: info.width, height: info.height, channels: info.channels, cells };
}

describe('composePreview', () => {
  it('is a row of photo, front, three-quarter and side', async () => {
    const { height, channels, cells } = await compose();
    expect([height, channels]).toEqual([HEIGHT, 3]);
    expect(cells.map((cell) => cell.width)).toEqual([89, 89, 101, 113]);
  });

  it('cuts the photo at the scale of the front picture, the eyes at the same height', async () => {
    const { data, width, cells } = await compose();
    let count = 0;
    let sumX = 0;
    let sumY = 0;
    for (let y = 0; y < HEIGHT; y++) {
      for (let x = 0; x < cells[0]!.width; x++) {
        const at = 3 * (y * width + x);
        if (data[at]! < 128) continue;
        count++;
        sumX += x + 0.5;
        sumY += y + 0.5;
      }
    }
    // The dot marks the origin between the eyes; the crop is placed in whole pixels of the view, here some two fifths of a pixel.
    expect(Math.abs(sumX / count - cells[0]!.width / 2)).toBeLessThan(0.6);
    // The synthetic face reaches from 93 above to 93 below its origin before it is framed: the eyes are near the middle.
    expect(Math.abs(sumY / count - HEIGHT / 2)).toBeLessThan(0.1 * HEIGHT);
  });

  it('shows the side that the photo shows better', async () => {
    const right = await compose(createSyntheticFace(undefined, 20));
    const left = await compose(createSyntheticFace(undefined, -20));
    // Turned to the right of the picture, the face's front edge is right of the middle of its picture; and the other way round.
    const brightSide = ({ data, width, cells }: Awaited<ReturnType<typeof compose>>) => {
      const { left: x0, width: w } = cells[2]!;
      let sum = 0;
      for (let x = 0; x < w; x++)
        sum +=
          (x - w / 2) *
          (data[3 * (Math.floor(HEIGHT / 2) * width + x0 + x) + 2]! - data[3 * (Math.floor(HEIGHT / 2) * width + x0 + w - 1 - x) + 2]!);
      return Math.sign(sum);
    };
    expect(brightSide(right)).toBe(-brightSide(left));
  });

  it('is the same every time', async () => {
    expect(Buffer.compare((await compose()).png, (await compose()).png)).toBe(0);
  });

  it('shows as much of the photo as there is when the face fills it', async () => {
    const face = createSyntheticFace();
    const tiny = { raster: { width: 10, height: 8, rgb: new Uint8Array(240).fill(90) }, x: 390, y: 290, scaleX: 2, scaleY: 2 };
    const { data } = await compose(face, tiny);
    expect(data[0]).toBe(90);
  });
});
