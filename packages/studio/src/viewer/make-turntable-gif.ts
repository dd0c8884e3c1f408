import { choosePalette, createGifEncoder, MAX_COLORS } from './encode-gif.ts';
import type { FaceScene } from './face-scene.ts';

/** Large enough for a message or a document, small enough for a few megabytes. */
const SIDE_PX = 480;
const FRAMES = 60;
/** 3.6 s for a turn. Browsers slow frames below 20 ms down. */
const DELAY_MS = 60;
/** Angles that the palette is chosen from: the colours of the others are among theirs. */
const PALETTE_FRAMES = 6;
/** Hides the steps in the soft shade of skin and is not yet seen as grain (judged by eye). */
const DITHER = 8;

/**
 * One whole turn of the face as a GIF, the middle of the picture cut out as a square.
 *
 * Frame by frame and not as it happens: it is as smooth on a slow machine as on a quick one.
 */
export async function makeTurntableGif(
  scene: FaceScene,
  canvas: HTMLCanvasElement,
  backdrop: string,
  onProgress: (ratio: number) => void,
): Promise<Blob> {
  const small = document.createElement('canvas');
  small.width = small.height = SIDE_PX;
  const context = small.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('This browser gives no canvas');
  context.imageSmoothingQuality = 'high';
  const start = scene.getOrbit();
  const read = (ratio: number): Uint8ClampedArray => {
    scene.drawNow({ ...start, azimuthRad: start.azimuthRad + 2 * Math.PI * ratio });
    const side = Math.min(canvas.width, canvas.height);
    context.drawImage(canvas, (canvas.width - side) / 2, (canvas.height - side) / 2, side, side, 0, 0, SIDE_PX, SIDE_PX);
    return context.getImageData(0, 0, SIDE_PX, SIDE_PX).data;
  };
  scene.setBackdrop(backdrop);
  try {
    const samples: Uint8ClampedArray[] = [];
    for (let i = 0; i < PALETTE_FRAMES; i++) {
      samples.push(read(i / PALETTE_FRAMES));
      await pause();
    }
    // The background has a colour of its own, so that it stays even; the corner of a picture shows it.
    const palette = new Uint8Array(3 * MAX_COLORS);
    palette.set(choosePalette(samples, MAX_COLORS - 1));
    palette.set(samples[0]!.subarray(0, 3), 3 * (MAX_COLORS - 1));
    const encoder = createGifEncoder({ width: SIDE_PX, height: SIDE_PX, delayMs: DELAY_MS, palette, dither: DITHER });
    for (let i = 0; i < FRAMES; i++) {
      encoder.addFrame(read(i / FRAMES));
      onProgress((i + 1) / FRAMES);
      await pause();
    }
    return new Blob([encoder.finish()], { type: 'image/gif' });
  } finally {
    scene.setBackdrop(null);
    scene.setOrbit(start);
  }
}

/** Lets the page show how far it is. */
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
