import { createHash } from 'node:crypto';
import { createWarning, type ReportOutput, type Warning } from '@facewright/protocol';
import type { FittedFace } from '../fit/fitted-face.ts';
import type { FaceLandmarks } from '../nets/face-networks.ts';
import type { FaceMaps } from '../texture/face-maps.ts';
import { describeCamera } from './describe-camera.ts';
import { nameTextures } from './name-textures.ts';
import type { OutputFile } from './output-file.ts';
import { roundTo } from './round-to.ts';

/** What a report is made of. A `Reconstruction` has all of it. */
export interface ReportInput {
  readonly face: FittedFace;
  readonly maps: FaceMaps;
  readonly landmarks: FaceLandmarks;
  readonly blendshapes: readonly { readonly name: string; readonly weight: number }[];
  readonly warnings: readonly Warning[];
  /** Wall milliseconds by stage. */
  readonly timings: Readonly<Record<string, number>>;
  readonly photo: { readonly width: number; readonly height: number; readonly format: string; readonly bytes: number };
  readonly faceIndex: number;
  readonly faceCount: number;
  readonly provider: string;
}

/**
 * Describes how a face was made and how good it is, as report.json has it (schema: `reportOutputSchema`).
 *
 * It names no person, no photo and no folder: not even where a warning does. All but `timingsMs` is the same for the same input.
 *
 * @param files - the other files that come out, for their sizes and hashes
 */
export function describeReport(input: ReportInput, files: readonly OutputFile[], options: { readonly version: string }): ReportOutput {
  const { face, maps, landmarks, photo } = input;
  const { model } = face;
  const { intrinsics, pose } = describeCamera(face.intrinsics, face.pose, photo);
  return {
    schema: 'facewright/report@1',
    facewright: options.version,
    provider: input.provider,
    model: {
      id: model.id,
      version: model.version,
      licence: { spdx: model.licence.spdx, source: model.licence.source, notice: model.licence.notice },
    },
    photo: { widthPx: photo.width, heightPx: photo.height, format: photo.format, bytes: photo.bytes },
    face: { index: input.faceIndex, count: input.faceCount },
    pose,
    intrinsics,
    quality: {
      confidence: roundTo(face.confidence, 4),
      presence: roundTo(landmarks.presence, 4),
      eyeDistancePx: roundTo(face.eyeDistancePx, 3),
      residualRmsPx: roundTo(face.residualRmsPx, 4),
      residualRmsRatio: roundTo(face.residualRmsPx / face.eyeDistancePx, 6),
      observedRatio: roundTo(maps.observedRatio, 4),
    },
    expression: Object.fromEntries(input.blendshapes.map(({ name, weight }) => [name, roundTo(weight, 4)])),
    texture: Array.from(nameTextures(maps), ([map, name]) => ({
      name: name.slice(0, -'.png'.length),
      widthPx: map.width,
      heightPx: map.height,
    })),
    warnings: input.warnings.map(withoutPaths),
    timingsMs: Object.fromEntries(Object.entries(input.timings).map(([stage, ms]) => [stage, roundTo(ms, 2)])),
    files: files.map(({ name, bytes }) => ({ name, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') })),
  };
}

/** The only warning of the table that names a folder is told without it. */
function withoutPaths(warning: Warning): { code: string; message: string; hint: string } {
  const { code, message, hint } =
    warning.code === 'CACHE_NOT_WRITABLE'
      ? createWarning('CACHE_NOT_WRITABLE', { path: 'of the networks', reason: 'see the log' })
      : warning;
  return { code, message, hint };
}
