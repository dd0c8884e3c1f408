// node index.mjs [photo] [result.glb]
import { readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createEngine, encodeFiles } from '@facewright/engine';

const [photo = fileURLToPath(new URL('../portrait.jpg', import.meta.url)), target = 'face.glb'] = process.argv.slice(2);

// Once per process: loads the networks and the face model.
const engine = await createEngine();
try {
  // As often as wanted, also several at once.
  const face = await engine.reconstruct(await readFile(photo), {
    fileName: basename(photo),
    signal: AbortSignal.timeout(60_000),
    onProgress: ({ stage, index, total, done }) => {
      if (!done) console.error(`${index + 1}/${total} ${stage}`);
    },
  });
  for (const { message, hint } of face.warnings) console.error(`${message}. ${hint}`);
  const files = await encodeFiles(face, { formats: ['glb'] });
  await writeFile(target, /** @type {Uint8Array} */ (files.get('face.glb')));

  const { yawDeg, pitchDeg, rollDeg } = face.face.pose;
  console.log(`${target}: ${face.face.model.vertexCount} vertices, ${face.face.model.blendshapes.length} blendshapes`);
  console.log(`The head is turned by ${yawDeg.toFixed(0)}, raised by ${pitchDeg.toFixed(0)} and leans by ${rollDeg.toFixed(0)} degrees.`);
} catch (e) {
  // What the photo cannot give has a code, and a hint for the person who sent it; anything else is a fault.
  const { code, message, hint } = /** @type {{ code?: string, message: string, hint?: string }} */ (e);
  if (hint === undefined) throw e;
  console.error(`${code}: ${message}\n${hint}`);
  process.exitCode = 1;
} finally {
  await engine.close();
}
