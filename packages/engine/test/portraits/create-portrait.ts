import sharp from 'sharp';
import { rotationFromAngles } from '../../src/camera/pose-angles.ts';
import { project } from '../../src/camera/project.ts';
import type { FaceModel } from '../../src/models/face-model.ts';
import type { Raster } from '../../src/photo/raster.ts';
import { describeAnatomy, placeEye } from './anatomy.ts';
import type { PortraitSpec } from './portraits.ts';
import { developPortrait, renderPortrait } from './render-portrait.ts';

/** Diagonal of the 36 x 24 mm frame that 35 mm equivalents speak of. */
const FILM_DIAGONAL_MM = Math.hypot(36, 24);

/** What a portrait was made from: the truth that a reconstruction is compared with. */
export interface PortraitTruth {
  readonly width: number;
  readonly height: number;
  readonly focalPx: number;
  readonly centerX: number;
  readonly centerY: number;
  /** cameraFromModel, shape (3,3) row-major, and millimetres, as in `Pose`. */
  readonly rotation: Float64Array;
  readonly translation: Float64Array;
  readonly yawDeg: number;
  readonly pitchDeg: number;
  readonly rollDeg: number;
  readonly identity: readonly number[];
  readonly expression: readonly number[];
  /** Shape (V,3), millimetres, model frame. */
  readonly positions: Float32Array;
  /** Shape (L): numbers among the network's 478, as `model.landmarks.landmark`. */
  readonly landmark: Uint16Array;
  /** Shape (L,2), pixels: where they are in the picture. */
  readonly landmarkPoints: Float64Array;
}

export interface Portrait {
  readonly raster: Raster;
  readonly truth: PortraitTruth;
}

export interface PortraitQuality {
  /** Samples per pixel and side. @default 2 */
  readonly samples?: number;
  /** Share of the hairs and light samples. @default by the size of the picture */
  readonly detail?: number;
}

/** Renders a portrait and tells the truth about it. Same spec, same bytes. */
export async function createPortrait(model: FaceModel, spec: PortraitSpec, quality: PortraitQuality = {}): Promise<Portrait> {
  const { width, height } = spec;
  const expression = model.expressionNames.map((name) => spec.expression[name] ?? 0);
  for (const name of Object.keys(spec.expression)) {
    if (!model.expressionNames.includes(name)) throw new Error(`The model has no expression ${name}`);
  }
  const rotation = rotationFromAngles(spec.yawDeg, spec.pitchDeg, spec.rollDeg);
  const focalPx = (spec.focal35Mm * Math.hypot(width, height)) / FILM_DIAGONAL_MM;
  const centerX = width / 2;
  const centerY = height / 2;
  const translation = new Float64Array([
    ((spec.eyesAt[0] * width - centerX) * spec.distanceMm) / focalPx,
    ((spec.eyesAt[1] * height - centerY) * spec.distanceMm) / focalPx,
    spec.distanceMm,
  ]);
  if (spec.gaze === 'camera') aimEyes(model, spec.identity, expression, rotation, translation);
  const positions = model.evaluate(spec.identity, expression);
  const image = renderPortrait({
    model,
    positions,
    look: spec.look,
    material: spec.material,
    studio: spec.studio,
    camera: { focalPx, centerX, centerY, rotation, translation },
    width,
    height,
    samples: quality.samples ?? 2,
    detail: quality.detail ?? Math.max(0.08, Math.min(1, (focalPx / spec.distanceMm / 4.5) ** 1.5)),
    seed: spec.seed,
  });
  let rgb = developPortrait(image, spec.grain, spec.seed);
  if (spec.blurPx >= 0.3) {
    rgb = new Uint8Array(
      await sharp(rgb, { raw: { width, height, channels: 3 } })
        .blur(spec.blurPx)
        .raw()
        .toBuffer(),
    );
  }
  const basis = model.landmarks;
  const points = new Float64Array(3 * basis.count);
  for (let l = 0; l < basis.count; l++) {
    for (let k = 0; k < 3; k++) {
      const v = model.triangles[3 * basis.triangle[l]! + k]!;
      for (let c = 0; c < 3; c++) points[3 * l + c] += basis.barycentric[3 * l + k]! * positions[3 * v + c]!;
    }
  }
  const pose = { rotation, translation, yawDeg: spec.yawDeg, pitchDeg: spec.pitchDeg, rollDeg: spec.rollDeg };
  const landmarkPoints = project(points, pose, { focalPx, centerX, centerY, source: 'option' }, new Float64Array(2 * basis.count));
  return {
    raster: { width, height, rgb },
    truth: {
      width,
      height,
      focalPx,
      centerX,
      centerY,
      ...pose,
      identity: spec.identity,
      expression,
      positions,
      landmark: basis.landmark,
      landmarkPoints,
    },
  };
}

/** Sets the amounts of the gaze and eyeLook expressions so that both eyes look at the camera. */
function aimEyes(
  model: FaceModel,
  identity: readonly number[],
  expression: number[],
  rotation: Float64Array,
  translation: Float64Array,
): void {
  const { eyes } = describeAnatomy(model);
  // Camera in the model frame: -R^T t.
  const camera = [0, 1, 2].map(
    (k) => -(rotation[k]! * translation[0]! + rotation[3 + k]! * translation[1]! + rotation[6 + k]! * translation[2]!),
  );
  const neutral = model.evaluate(identity, []);
  for (const [side, eye] of eyes.entries()) {
    const suffix = side === 0 ? 'R' : 'L';
    const yawOf = (a: readonly number[]): number => Math.atan2(a[0]!, a[2]!);
    const pitchOf = (a: readonly number[]): number => Math.atan2(a[1]!, Math.hypot(a[0]!, a[2]!));
    const placed = placeEye(model, eye, neutral);
    const mean = placed.axis;
    const wanted = camera.map((c, k) => c - placed.center[k]!);
    const toward = (angle: number, of: (a: readonly number[]) => number, positive: string, negative: string): void => {
      const direction = `${angle > 0 ? positive : negative}_${suffix}`;
      const turn = model.expressionNames.indexOf(`gaze${direction}`);
      const one = new Array<number>(expression.length).fill(0);
      one[turn] = 1;
      const reach = of(placeEye(model, eye, model.evaluate(identity, one)).axis) - of(mean);
      expression[turn] = Math.max(0, Math.min(1, angle / reach));
      // The lids follow the ball, not quite as far.
      expression[model.expressionNames.indexOf(`eyeLook${direction}`)] = 0.7 * expression[turn]!;
    };
    toward(yawOf(wanted) - yawOf(mean), yawOf, side === 0 ? 'In' : 'Out', side === 0 ? 'Out' : 'In');
    toward(pitchOf(wanted) - pitchOf(mean), pitchOf, 'Up', 'Down');
  }
}

/**
 * A portrait as a camera would store it.
 *
 * @param focal35Mm - written to EXIF when given
 */
export async function encodeJpeg(
  raster: Raster,
  options: { readonly quality?: number; readonly focal35Mm?: number } = {},
): Promise<Buffer> {
  const { width, height, rgb } = raster;
  let image = sharp(rgb, { raw: { width, height, channels: 3 } });
  if (options.focal35Mm !== undefined) {
    image = image.withExif({
      IFD0: { Make: 'Facewright', Model: 'Synthetic portrait' },
      IFD2: { FocalLength: `${options.focal35Mm}/1`, FocalLengthIn35mmFilm: String(options.focal35Mm) },
    });
  }
  return await image.jpeg({ quality: options.quality ?? 90, chromaSubsampling: '4:2:0', mozjpeg: false }).toBuffer();
}
