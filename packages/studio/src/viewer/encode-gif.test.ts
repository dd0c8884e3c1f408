import fc from 'fast-check';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { choosePalette, createGifEncoder } from './encode-gif.ts';

/** Frames as another program reads them: RGBA, one after the other. */
async function decode(gif: Uint8Array): Promise<{ frames: Buffer[]; delays: number[]; loop: number }> {
  const image = sharp(gif, { animated: true });
  const { pages = 1, delay = [], loop = -1 } = await image.metadata();
  const { data } = await image.ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  const size = data.length / pages;
  return { frames: Array.from({ length: pages }, (_, i) => data.subarray(i * size, (i + 1) * size)), delays: delay, loop };
}

const picture = (width: number, height: number, color: (x: number, y: number) => readonly [number, number, number]) => {
  const pixels = new Uint8ClampedArray(4 * width * height);
  for (let y = 0, p = 0; y < height; y++) for (let x = 0; x < width; x++, p += 4) pixels.set([...color(x, y), 255], p);
  return pixels;
};
const meanDistance = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]! - b[i]!);
  return sum / a.length;
};

it('gives back every frame exactly where the palette has all colours', async () => {
  const colors = [
    [0, 0, 0],
    [255, 255, 255],
    [200, 100, 40],
    [12, 220, 96],
  ] as const;
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 90 }),
      fc.integer({ min: 1, max: 70 }),
      fc.array(fc.integer({ min: 0, max: 1 << 20 }), { minLength: 1, maxLength: 4 }),
      async (width, height, seeds) => {
        // Runs of one colour and noise: both ends of what the compression meets.
        const frames = seeds.map((seed) =>
          picture(
            width,
            height,
            (x, y) => colors[seed % 2 === 0 ? ((x + y + seed) >> 4) & 3 : ((x * 7919 + y * 104_729 + seed) >> 3) & 3]!,
          ),
        );
        const encoder = createGifEncoder({ width, height, delayMs: 60, palette: Uint8Array.from(colors.flat()), dither: 0 });
        for (const frame of frames) encoder.addFrame(frame);
        const { frames: seen, loop } = await decode(encoder.finish());
        expect(seen.length).toBe(frames.length);
        for (const [i, frame] of frames.entries()) expect(seen[i]!.equals(Buffer.from(frame.buffer))).toBe(true);
        if (frames.length > 1) expect(loop).toBe(0);
      },
    ),
    { numRuns: 40 },
  );
});

it('fills its table of codes and begins anew', async () => {
  const palette = Uint8Array.from({ length: 3 * 255 }, (_, i) => Math.floor(i / 3));
  let state = 1;
  const noise = picture(300, 200, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const grey = (state >>> 24) % 64;
    // Four apart: colours that the tables tell apart.
    return [4 * grey, 4 * grey, 4 * grey];
  });
  const encoder = createGifEncoder({ width: 300, height: 200, delayMs: 60, palette, dither: 0 });
  encoder.addFrame(noise);
  const { frames } = await decode(encoder.finish());
  // One step of grey at most: the nearest is looked up in cells of four.
  expect(meanDistance(frames[0]!, noise)).toBeLessThanOrEqual(3);
});

it('chooses colours that come near a smooth picture, nearer with strewing as it is seen from afar', async () => {
  const [width, height] = [128, 96];
  const skin = picture(width, height, (x, y) => [120 + x, 70 + x * 0.7 + y * 0.3, 60 + y * 0.8]);
  const palette = choosePalette([skin], 24);
  expect(palette.length).toBe(72);
  const blurredError = async (dither: number) => {
    const encoder = createGifEncoder({ width, height, delayMs: 60, palette, dither });
    encoder.addFrame(skin);
    const blur = (pixels: Uint8Array | Uint8ClampedArray) =>
      sharp(Buffer.from(pixels), { raw: { width, height, channels: 4 } })
        .blur(3)
        .raw()
        .toBuffer();
    const [a, b] = await Promise.all([blur((await decode(encoder.finish())).frames[0]!), blur(skin)]);
    return meanDistance(a, b);
  };
  expect(await blurredError(24)).toBeLessThan(0.8 * (await blurredError(0)));
});

it('writes little where little changes', () => {
  const base = picture(200, 200, (x, y) => [x, y, 128]);
  const moved = base.slice();
  moved.set([255, 0, 0, 255], 4 * (100 * 200 + 100));
  const palette = choosePalette([base]);
  const sizeOf = (frames: readonly Uint8ClampedArray[]) => {
    const encoder = createGifEncoder({ width: 200, height: 200, delayMs: 60, palette, dither: 8 });
    for (const frame of frames) encoder.addFrame(frame);
    return encoder.finish().length;
  };
  expect(sizeOf([base, moved, moved]) - sizeOf([base])).toBeLessThan(100);
});
