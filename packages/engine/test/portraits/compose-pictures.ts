import type { Raster } from '../../src/photo/raster.ts';
import type { Portrait, PortraitTruth } from './create-portrait.ts';
import { noise3, smoothstep } from './noise.ts';

/** Two pictures of the same height side by side. */
export function placeSideBySide(left: Raster, right: Raster): Raster {
  if (left.height !== right.height) throw new Error('The pictures differ in height');
  const width = left.width + right.width;
  const rgb = new Uint8Array(3 * width * left.height);
  for (let y = 0; y < left.height; y++) {
    rgb.set(left.rgb.subarray(3 * y * left.width, 3 * (y + 1) * left.width), 3 * y * width);
    rgb.set(right.rgb.subarray(3 * y * right.width, 3 * (y + 1) * right.width), 3 * (y * width + left.width));
  }
  return { width, height: left.height, rgb };
}

/** A picture turned clockwise by quarter turns. */
export function turnPicture(raster: Raster, quarterTurns: number): Raster {
  let turned = raster;
  for (let k = 0; k < ((quarterTurns % 4) + 4) % 4; k++) {
    const { width, height, rgb } = turned;
    const out = new Uint8Array(rgb.length);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const from = 3 * (y * width + x);
        const to = 3 * (x * height + (height - 1 - y));
        out[to] = rgb[from]!;
        out[to + 1] = rgb[from + 1]!;
        out[to + 2] = rgb[from + 2]!;
      }
    }
    turned = { width: height, height: width, rgb: out };
  }
  return turned;
}

/** A small picture in the middle of a large even one, `scale` times as wide. */
export function padPicture(raster: Raster, scale: number): Raster {
  const width = Math.round(raster.width * scale);
  const height = Math.round(raster.height * scale);
  const rgb = new Uint8Array(3 * width * height).fill(128);
  const x0 = (width - raster.width) >> 1;
  const y0 = (height - raster.height) >> 1;
  for (let y = 0; y < raster.height; y++) {
    rgb.set(raster.rgb.subarray(3 * y * raster.width, 3 * (y + 1) * raster.width), 3 * ((y + y0) * width + x0));
  }
  return { width, height, rgb };
}

/** A drawing after a photo: flat bands of colour, ink lines where tones change, white paper. */
export function drawAfter({ width, height, rgb }: Raster): Raster {
  const tone = blurTone(rgb, width, height);
  const out = new Uint8Array(rgb.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const p = y * width + x;
      const left = tone[y * width + Math.max(0, x - 1)]!;
      const right = tone[y * width + Math.min(width - 1, x + 1)]!;
      const above = tone[Math.max(0, y - 1) * width + x]!;
      const below = tone[Math.min(height - 1, y + 1) * width + x]!;
      const edge = Math.hypot(right - left, below - above);
      const ink = smoothstep(7, 20, edge + 1.5 * noise3(x * 0.3, y * 0.3, 0, 401));
      // Three flat tones, hue kept, washed out toward the paper.
      const t = tone[p]!;
      const band = t < 45 ? 0.42 : t < 85 ? 0.7 : 1.02;
      for (let c = 0; c < 3; c++) {
        const hue = rgb[3 * p + c]! / (t + 1);
        const flat = Math.min(255, band * 185 * (0.55 + 0.45 * hue) + 22);
        out[3 * p + c] = flat * (1 - ink) + 25 * ink;
      }
    }
  }
  return { width, height, rgb: out };
}

/** Luma after two box blurs of 3 px. */
function blurTone(rgb: Uint8Array, width: number, height: number): Float32Array {
  let tone = new Float32Array(width * height);
  for (let p = 0; p < tone.length; p++) tone[p] = 0.299 * rgb[3 * p]! + 0.587 * rgb[3 * p + 1]! + 0.114 * rgb[3 * p + 2]!;
  for (let pass = 0; pass < 2; pass++) {
    const next = new Float32Array(tone.length);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let sum = 0;
        for (let dy = -1; dy <= 1; dy++) {
          const row = Math.max(0, Math.min(height - 1, y + dy)) * width;
          for (let dx = -1; dx <= 1; dx++) sum += tone[row + Math.max(0, Math.min(width - 1, x + dx))]!;
        }
        next[y * width + x] = sum / 9;
      }
    }
    tone = next;
  }
  return tone;
}

/** A hand before nose, mouth and chin: four fingers across, skin-coloured, with shaded sides. */
export function coverMouth({ raster, truth }: Portrait): Raster {
  const { width, height } = raster;
  const rgb = Uint8Array.from(raster.rgb);
  const nose = landmarkAt(truth, 4);
  const chin = landmarkAt(truth, 152);
  const right = landmarkAt(truth, 234);
  const left = landmarkAt(truth, 454);
  const faceWidth = Math.hypot(left[0] - right[0], left[1] - right[1]);
  const downX = (chin[0] - nose[0]) / Math.hypot(chin[0] - nose[0], chin[1] - nose[1]);
  const downY = (chin[1] - nose[1]) / Math.hypot(chin[0] - nose[0], chin[1] - nose[1]);
  const finger = faceWidth * 0.17;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const dx = x + 0.5 - nose[0];
      const dy = y + 0.5 - nose[1];
      const along = dx * downY - dy * downX;
      const down = dx * downX + dy * downY + finger * 0.55;
      const k = Math.floor(down / finger);
      if (k < 0 || k > 3) continue;
      const across = (down / finger - k) * 2 - 1;
      // Finger tips on the left, at different lengths; the hand goes out of the picture to the right.
      const tip = -faceWidth * (0.62 - [0.1, 0.02, 0.05, 0.16][k]!) + finger * 0.5 * (1 - Math.sqrt(1 - across * across));
      if (along < tip) continue;
      const round = Math.sqrt(1 - across * across);
      const light = (0.55 + 0.45 * round - 0.12 * across) * (1 + 0.03 * noise3(x * 0.15, y * 0.15, k, 421));
      const p = 3 * (y * width + x);
      rgb[p] = Math.min(255, 214 * light);
      rgb[p + 1] = Math.min(255, 160 * light);
      rgb[p + 2] = Math.min(255, 132 * light);
    }
  }
  return { width, height, rgb };
}

/** Where a landmark of the network's 478 is in the picture, pixels. */
export function landmarkAt(truth: PortraitTruth, number: number): [number, number] {
  const l = truth.landmark.indexOf(number);
  if (l < 0) throw new Error(`The model has no landmark ${number}`);
  return [truth.landmarkPoints[2 * l]!, truth.landmarkPoints[2 * l + 1]!];
}
