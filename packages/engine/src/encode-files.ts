import { FacewrightError } from '@facewright/protocol';
import { checkFaceFinite } from './export/check-face-finite.ts';
import { composePreview } from './export/compose-preview.ts';
import { createGlbEncoder, type GlbEncoder } from './export/create-glb-encoder.ts';
import { createObjEncoder, type ObjEncoder } from './export/create-obj-encoder.ts';
import { createPngOnce } from './export/create-png-once.ts';
import { describeCamera } from './export/describe-camera.ts';
import { describeLandmarks } from './export/describe-landmarks.ts';
import { describeReport } from './export/describe-report.ts';
import { encodeMaps } from './export/encode-maps.ts';
import { formatJson } from './export/format-json.ts';
import type { GlbTables } from './export/glb-tables.ts';
import type { OutputFile } from './export/output-file.ts';
import type { FaceModel } from './models/face-model.ts';
import type { Reconstruction } from './reconstruction.ts';
import { ENGINE_VERSION } from './version.ts';

/** What can be written of a face. `json` is landmarks.json and camera.json; report.json always comes with everything. */
export const OUTPUT_FORMATS = ['glb', 'obj', 'maps', 'preview', 'json'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

export interface EncodeOptions {
  /** @default ['glb'] */
  readonly formats?: readonly OutputFormat[];
  /** GLB with meshopt compression, quantised vertices and WebP textures: about a quarter of the size. @default false */
  readonly compact?: boolean;
}

/**
 * Encoders hold the parts of a file that are the same for every person. They hang on the model that they are for and go
 * with it.
 */
const encodersByModel = new WeakMap<FaceModel, { readonly glb: GlbEncoder; readonly obj: ObjEncoder }>();

/**
 * Writes a reconstruction as files in memory: name (without a folder) → bytes. Same reconstruction and options, same
 * bytes, but for the timings in report.json.
 *
 * @returns `face.glb`; `face.obj`, `face.mtl`; `albedo.png` and the other textures; `preview.png`; `landmarks.json`, `camera.json`;
 *   always `report.json`
 * @throws FW_ARG_INVALID for an unknown format; FW_FIT_FAILED for a number that is not finite
 */
export async function encodeFiles(reconstruction: Reconstruction, options: EncodeOptions = {}): Promise<Map<string, Uint8Array>> {
  const formats = new Set<OutputFormat>(options.formats ?? ['glb']);
  for (const format of formats) {
    if (!OUTPUT_FORMATS.includes(format)) {
      throw new FacewrightError('FW_ARG_INVALID', { name: 'formats', expected: `some of ${OUTPUT_FORMATS.join(', ')}`, actual: format });
    }
  }
  const { face, maps, landmarks, photo, view } = reconstruction;
  checkFaceFinite(face);
  const encoders = encodersOf(face.model);
  const version = ENGINE_VERSION;
  const pngOf = createPngOnce();
  const compact = options.compact ?? false;
  // Begun together: pictures are compressed on other threads while the preview is drawn on this one. Compressing is begun first.
  const works: Promise<OutputFile[]>[] = [];
  // Not called right here: what throws at once must not leave the others' failures without a listener.
  const begin = (make: () => OutputFile[] | Promise<OutputFile[]>): void => {
    works.push((async () => make())());
  };
  if (formats.has('glb')) {
    begin(async () => [{ name: 'face.glb', bytes: await encoders.glb.encode(reconstruction, { version, compact, pngOf }) }]);
  }
  // The material file names the textures, so they come with it.
  if (formats.has('maps') || formats.has('obj')) begin(() => encodeMaps(maps, pngOf));
  if (formats.has('preview')) begin(async () => [{ name: 'preview.png', bytes: await composePreview({ face, maps, view }) }]);
  if (formats.has('obj')) begin(() => encoders.obj.encode(reconstruction, { version }));
  if (formats.has('json')) {
    begin(() => [
      { name: 'landmarks.json', bytes: formatJson(describeLandmarks(face, landmarks, photo)) },
      { name: 'camera.json', bytes: formatJson(describeCamera(face.intrinsics, face.pose, photo)) },
    ]);
  }
  const files = (await Promise.all(works)).flat();
  files.push({ name: 'report.json', bytes: formatJson(describeReport(reconstruction, files, { version })) });
  return new Map(files.map((f) => [f.name, f.bytes]));
}

/** Gives the encoders of a model tables that were read: the first face then takes no longer than the others. */
export function prepareEncoders(model: FaceModel, glb: GlbTables): void {
  if (!encodersByModel.has(model)) encodersByModel.set(model, { glb: createGlbEncoder(model, glb), obj: createObjEncoder(model) });
}

function encodersOf(model: FaceModel): { readonly glb: GlbEncoder; readonly obj: ObjEncoder } {
  let encoders = encodersByModel.get(model);
  if (encoders === undefined) {
    encoders = { glb: createGlbEncoder(model), obj: createObjEncoder(model) };
    encodersByModel.set(model, encoders);
  }
  return encoders;
}
