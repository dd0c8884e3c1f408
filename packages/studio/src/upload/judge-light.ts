/** What the light in the oval of the mirror is like. */
export type LightVerdict = 'dark' | 'bright' | 'uneven' | 'good';

const WIDTH = 64;
const HEIGHT = 48;
/** Mean of sRGB values, 0..255, below which skin drowns in noise, and above which it is burnt out. */
const DARK = 60;
const BRIGHT = 215;
/** One half of the face brighter than the other by this factor: half of the texture would be shadow. */
const UNEVEN = 1.8;

/** Judges the pixels of a small picture, RGBA, row-major: the mean of both halves of the middle, where the face is. */
export function judgePixels(pixels: ArrayLike<number>, width: number, height: number): LightVerdict {
  const sums = [0, 0];
  const counts = [0, 0];
  for (let y = Math.floor(height * 0.2); y < height * 0.8; y++) {
    for (let x = Math.floor(width * 0.34); x < width * 0.66; x++) {
      const side = x < width / 2 ? 0 : 1;
      const i = 4 * (y * width + x);
      sums[side]! += (pixels[i]! + 2 * pixels[i + 1]! + pixels[i + 2]!) / 4;
      counts[side]!++;
    }
  }
  const left = sums[0]! / Math.max(1, counts[0]!);
  const right = sums[1]! / Math.max(1, counts[1]!);
  const mean = (left + right) / 2;
  if (mean < DARK) return 'dark';
  if (mean > BRIGHT) return 'bright';
  return Math.max(left, right) > UNEVEN * Math.min(left, right) ? 'uneven' : 'good';
}

/** Judges what a video shows now; null before it shows anything. */
export function judgeLight(video: HTMLVideoElement): LightVerdict | null {
  if (video.videoWidth === 0) return null;
  const canvas = document.createElement('canvas');
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) return null;
  context.drawImage(video, 0, 0, WIDTH, HEIGHT);
  return judgePixels(context.getImageData(0, 0, WIDTH, HEIGHT).data, WIDTH, HEIGHT);
}
