/**
 * @module Writes the portraits that are compared with MediaPipe's landmarks beside the shipped example: turned.jpg and
 * cut.jpg. Run: npx tsx --conditions @facewright/source packages/engine/test/reference/make-portraits.ts (half a minute),
 * then make their goldens anew (see PROVENANCE.md).
 */
import { writeFile } from 'node:fs/promises';
import { loadFaceModel } from '../../src/models/load-face-model.ts';
import { createPortrait, encodeJpeg } from '../portraits/create-portrait.ts';
import { PORTRAITS, type PortraitSpec } from '../portraits/portraits.ts';

const SPECS: Readonly<Record<string, PortraitSpec>> = {
  turned: { ...PORTRAITS.turnedLeftDown, rollDeg: 24 },
  // The whole face is in the picture, but not the margin that the landmark network sees about it.
  cut: { ...PORTRAITS.smile, rollDeg: -14, eyesAt: [0.21, 0.17] },
};

const model = await loadFaceModel('head');
for (const [name, spec] of Object.entries(SPECS)) {
  const { raster } = await createPortrait(model, spec);
  await writeFile(new URL(`${name}.jpg`, import.meta.url), await encodeJpeg(raster, { quality: 85 }));
}
