/**
 * @module Schemas of the JSON that comes out with a face: landmarks.json, camera.json, report.json and the `extras` of the GLB.
 *
 * `schema` names the format and its version; a field that changes its meaning raises the version, a new optional field does not.
 * docs/output-formats.md explains them, docs/schemas/ has them as JSON Schema. Frames and units: docs/frames-and-units.md.
 */

import { z } from 'zod';

const finite = z.number();
const vector3 = z.tuple([finite, finite, finite]);
const matrix3 = z.array(finite).length(9).describe('3 x 3, row-major');
const matrix4 = z.array(finite).length(16).describe('4 x 4, row-major');

const imageSize = z
  .strictObject({ widthPx: z.int().positive(), heightPx: z.int().positive() })
  .describe(
    'Size of the full-size photo, turned upright by its EXIF orientation. All image coordinates are in its frame: x right, y down.',
  );

const poseAngles = z
  .strictObject({ yawDeg: finite, pitchDeg: finite, rollDeg: finite })
  .describe(
    'Degrees; 0, 0, 0 looks into the camera. Positive yaw turns the face to the right side of the picture, positive pitch looks up, positive roll leans clockwise.',
  );

const intrinsics = z.strictObject({
  focalPx: z.number().positive().describe('Focal length, pixels of the full-size photo'),
  centerXPx: finite.describe('Principal point, pixels from the left edge'),
  centerYPx: finite.describe('Principal point, pixels from the top edge'),
  source: z.enum(['option', 'exif', 'default']).describe('Where the focal length comes from: asked for, found in the photo, or assumed'),
});

const modelReference = z.strictObject({ id: z.string(), version: z.string() });

const modelWithLicence = modelReference.extend({
  licence: z.strictObject({ spdx: z.string(), source: z.string(), notice: z.string() }),
});

/** camera.json: where the camera stood and how it sees. */
export const cameraOutputSchema = z
  .strictObject({
    schema: z.literal('facewright/camera@1'),
    image: imageSize,
    intrinsics,
    pose: poseAngles,
    cameraFromModel: matrix4.describe(
      'Rigid transform from the model frame (x to the person’s left, y up, z out of the face, millimetres, origin between the eyes) to the camera frame (x right, y down, z forward, millimetres). Row-major.',
    ),
    imageFromCamera: matrix3.describe('Pinhole projection: [x w, y w, w] = M * pointCamera, then divide by w; pixels. Row-major.'),
    gltf: z
      .strictObject({
        yfovRad: z.number().positive().describe('Vertical field of view for a glTF perspective camera'),
        aspectRatio: z.number().positive().describe('Width over height'),
        nodeMatrix: z
          .array(finite)
          .length(16)
          .describe('Matrix of the camera’s node as glTF writes it: column-major, metres, in the frame of face.glb'),
      })
      .describe('The same camera for a glTF viewer (exact where the principal point is the middle of the photo)'),
  })
  .describe('facewright camera.json');

/** landmarks.json: what the network measured in the photo, and where that is on the mesh. */
export const landmarksOutputSchema = z
  .strictObject({
    schema: z.literal('facewright/landmarks@1'),
    image: imageSize,
    presence: z.number().min(0).max(1).describe('The network’s belief that this is a face'),
    eyeDistancePx: z.number().positive().describe('Distance of the outer eye corners; what residuals are compared with'),
    points: z
      .array(vector3)
      .length(478)
      .describe(
        'x, y in pixels of the photo; z in pixels of the same scale, negative toward the camera. 0..467 face mesh (MediaPipe numbering), 468..472 right iris, 473..477 left iris (the person’s)',
      ),
    residualsPx: z
      .array(z.number().nonnegative().nullable())
      .length(478)
      .describe('Distance between the landmark and the fitted model in the photo; null where the model has no such point'),
    model: modelReference.extend({
      points: z
        .array(
          z.strictObject({
            landmark: z.int().min(0).max(477),
            triangle: z.int().nonnegative().describe('Triangle of the model (not of the GLB, whose vertices are split)'),
            barycentric: vector3,
            positionMm: vector3.describe('Model frame, with the expression of the photo'),
          }),
        )
        .describe('Where the landmarks lie on the fitted surface'),
    }),
  })
  .describe('facewright landmarks.json');

/** report.json: what was made of what, by what, how well, and how long it took. */
export const reportOutputSchema = z
  .strictObject({
    schema: z.literal('facewright/report@1'),
    facewright: z.string().describe('Version of the program'),
    provider: z.string().describe('Execution provider that ran the networks'),
    model: modelWithLicence,
    photo: z
      .strictObject({ widthPx: z.int().positive(), heightPx: z.int().positive(), format: z.string(), bytes: z.int().nonnegative() })
      .describe('The photo, without its name'),
    face: z.strictObject({
      index: z.int().positive().describe('Counted from 1, largest first'),
      count: z.int().positive().describe('Faces in the photo'),
    }),
    pose: poseAngles,
    intrinsics,
    quality: z.strictObject({
      confidence: z.number().min(0).max(1),
      presence: z.number().min(0).max(1),
      eyeDistancePx: z.number().positive(),
      residualRmsPx: z.number().nonnegative(),
      residualRmsRatio: z.number().nonnegative().describe('residualRmsPx over eyeDistancePx'),
      observedRatio: z.number().min(0).max(1).describe('Share of the face texels that the photo shows; the rest was completed'),
    }),
    expression: z
      .record(z.string(), z.number().min(0).max(1))
      .describe('ARKit weights of the photo’s own expression, in the order of the morph targets'),
    texture: z.array(z.strictObject({ name: z.string(), widthPx: z.int().positive(), heightPx: z.int().positive() })),
    warnings: z.array(z.strictObject({ code: z.string(), message: z.string(), hint: z.string() })),
    timingsMs: z.record(z.string(), z.number().nonnegative()).describe('Wall time by stage; the only part that differs from run to run'),
    files: z.array(
      z.strictObject({
        name: z.string().regex(/^[^/\\]+$/, 'a name without a folder'),
        bytes: z.int().nonnegative(),
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
      }),
    ),
    run: z
      .strictObject({
        photoSha256: z.string().regex(/^[0-9a-f]{64}$/),
        options: z.record(z.string(), z.unknown()).describe('What was asked for, as far as it changes the result'),
        fingerprint: z
          .string()
          .regex(/^[0-9a-f]{64}$/)
          .describe('Hash of photo, options and version: a batch skips a photo whose result has it'),
      })
      .optional()
      .describe('Added by the command line: by this it knows a finished result again'),
  })
  .describe('facewright report.json');

/** `asset.extras.facewright` of the GLB. */
export const glbExtrasSchema = z
  .strictObject({
    schema: z.literal('facewright/glb@1'),
    version: z.string().describe('Version of the program'),
    model: modelWithLicence,
    camera: cameraOutputSchema.omit({ schema: true }),
    expression: z
      .record(z.string(), z.number().min(0).max(1))
      .describe('ARKit weights of the photo’s own expression: set them to see the face as photographed'),
    morphThresholdMm: z.number().nonnegative().describe('Vertices that a morph target moves by no more than this were left out of it'),
  })
  .describe('facewright asset.extras of a GLB');

export type CameraOutput = z.infer<typeof cameraOutputSchema>;
export type LandmarksOutput = z.infer<typeof landmarksOutputSchema>;
export type ReportOutput = z.infer<typeof reportOutputSchema>;
export type GlbExtras = z.infer<typeof glbExtrasSchema>;
