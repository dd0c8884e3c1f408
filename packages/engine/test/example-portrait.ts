import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import type { Raster } from '../src/photo/raster.ts';

/** What examples/portrait.truth.json tells, at the size of the raster. */
export interface ExampleTruth {
  readonly width: number;
  readonly height: number;
  readonly focalPx: number;
  readonly yawDeg: number;
  readonly pitchDeg: number;
  readonly rollDeg: number;
  /** Numbers among the network's 478. */
  readonly landmark: Uint16Array;
  /** Shape (L,2), pixels. */
  readonly landmarkPoints: Float64Array;
}

interface TruthFile {
  readonly width: number;
  readonly focalPx: number;
  readonly pose: { readonly yawDeg: number; readonly pitchDeg: number; readonly rollDeg: number };
  readonly landmarks: readonly (readonly [number: number, x: number, y: number])[];
}

const path = (name: string): string => fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url));

/** The portrait that the project ships, as the file is. */
export async function readExample(): Promise<Uint8Array> {
  return new Uint8Array(await readFile(path('portrait.jpg')));
}

/** The shipped portrait reduced to `width` pixels, and the truth about it at that size. Costs no rendering. */
export async function readExampleRaster(width: number): Promise<{ readonly raster: Raster; readonly truth: ExampleTruth }> {
  const file = JSON.parse(await readFile(path('portrait.truth.json'), 'utf8')) as TruthFile;
  const { data, info } = await sharp(path('portrait.jpg')).resize(width).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const scale = width / file.width;
  const { yawDeg, pitchDeg, rollDeg } = file.pose;
  return {
    raster: { width: info.width, height: info.height, rgb: new Uint8Array(data) },
    truth: {
      width: info.width,
      height: info.height,
      focalPx: scale * file.focalPx,
      yawDeg,
      pitchDeg,
      rollDeg,
      landmark: Uint16Array.from(file.landmarks, ([number]) => number),
      landmarkPoints: Float64Array.from(file.landmarks.flatMap(([, x, y]) => [scale * x, scale * y])),
    },
  };
}
