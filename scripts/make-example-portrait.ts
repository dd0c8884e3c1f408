/**
 * @module Writes the example portrait that the project ships: examples/portrait.jpg and the truth about it,
 * examples/portrait.truth.json. Run: npx tsx scripts/make-example-portrait.ts (about a minute).
 */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { loadFaceModel } from '../packages/engine/src/models/load-face-model.ts';
import { createPortrait, encodeJpeg } from '../packages/engine/test/portraits/create-portrait.ts';
import { PORTRAITS } from '../packages/engine/test/portraits/portraits.ts';

const spec = PORTRAITS.example;
const model = await loadFaceModel('head');
const { raster, truth } = await createPortrait(model, spec, { samples: 3, detail: 1 });
const jpeg = await encodeJpeg(raster, { focal35Mm: spec.focal35Mm });
const round = (v: number): number => Math.round(v * 1e4) / 1e4;
const record = {
  about: 'What examples/portrait.jpg was rendered from. Pixels of the photo, millimetres, degrees; frames as in docs/frames-and-units.md.',
  generator: 'scripts/make-example-portrait.ts',
  model: `${model.id} ${model.version}`,
  width: truth.width,
  height: truth.height,
  focalPx: round(truth.focalPx),
  principalPoint: [truth.centerX, truth.centerY],
  pose: {
    yawDeg: truth.yawDeg,
    pitchDeg: truth.pitchDeg,
    rollDeg: truth.rollDeg,
    rotation: Array.from(truth.rotation, round),
    translation: Array.from(truth.translation, round),
  },
  identity: truth.identity,
  // With what turns the eyes to the camera.
  expression: Object.fromEntries(
    model.expressionNames.map((name, k) => [name, round(truth.expression[k]!)]).filter(([, amount]) => amount !== 0),
  ),
  landmarks: Array.from(truth.landmark, (landmark, l) => [
    landmark,
    round(truth.landmarkPoints[2 * l]!),
    round(truth.landmarkPoints[2 * l + 1]!),
  ]),
};
await writeFile(fileURLToPath(new URL('../examples/portrait.jpg', import.meta.url)), jpeg);
await writeFile(fileURLToPath(new URL('../examples/portrait.truth.json', import.meta.url)), `${JSON.stringify(record)}\n`);
