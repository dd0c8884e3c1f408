/**
 * @module Wire types of the HTTP API, version 1: what requests carry and what answers look like.
 *
 * The schemas are the source of `/openapi.json`, of the client's types and of the service's checks. Times are ISO 8601 in UTC.
 * Objects of requests are strict (an unknown key is an error); readers of answers must accept keys that a later version adds.
 */

import { z } from 'zod';

/** What may be made of a face; report.json always comes with it. */
export const API_FORMATS = ['glb', 'obj', 'maps', 'preview', 'json'] as const;
export const JOB_STATES = ['queued', 'processing', 'succeeded', 'failed', 'canceled'] as const;
/** Stages of a reconstruction, in their order. */
export const API_STAGES = ['decode', 'detect', 'landmarks', 'fit', 'texture', 'export'] as const;

/** Ids that a client may choose (PUT): letters, digits, `-` and `_`, at most 64, so that they are safe in paths and keys. */
export const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
export const idSchema = z.string().regex(ID_PATTERN).describe('Letters, digits, "-" and "_"; 1 to 64 characters');

const isoTime = z.iso.datetime().describe('UTC');
const finite = z.number();

/** What a request may ask for. Fields of the form or of the query; numbers and booleans as text there. */
export const jobOptionsSchema = z
  .strictObject({
    model: z
      .string()
      .min(1)
      .max(64)
      .default('head')
      .describe('Face model: head (full head, 52 blendshapes) or canonical (468-vertex mesh)'),
    textureSize: z.int().min(512).max(4096).default(1024).describe('Side of the skin texture, texels'),
    formats: z
      .array(z.enum(API_FORMATS))
      .min(1)
      .default(['glb', 'preview', 'json'])
      .describe('What is made. In forms and queries: separated by commas.'),
    compact: z.boolean().default(false).describe('GLB with meshopt compression and WebP textures'),
    face: z
      .union([z.enum(['only', 'largest']), z.int().min(1).max(100)])
      .default('only')
      .describe('Which face where there are several; a number counts from the largest'),
    focal35mm: z
      .number()
      .min(5)
      .max(2000)
      .optional()
      .describe('Focal length as full-frame equivalent, mm; default from EXIF, else assumed'),
    keepPhoto: z
      .boolean()
      .default(false)
      .describe(
        'Keep the photo with the result, as a file of it, until it expires; else, and where there is no result, it is deleted when the job ends',
      ),
    deadlineS: z
      .int()
      .min(1)
      .max(3600)
      .optional()
      .describe('Seconds from acceptance after which the job fails; default set by the operator'),
  })
  .describe('Options of a reconstruction');
export type JobOptions = z.output<typeof jobOptionsSchema>;
export type JobOptionsInput = z.input<typeof jobOptionsSchema>;

export const jobStateSchema = z.enum(JOB_STATES);
export type JobState = z.infer<typeof jobStateSchema>;

export const progressSchema = z
  .object({
    stage: z.enum(API_STAGES),
    index: z.int().min(0).describe('Number of the stage, from 0'),
    total: z.int().min(1),
    ratio: z.number().min(0).max(1).describe('Share of the whole work that is done'),
  })
  .describe('Where a reconstruction is');
export type JobProgress = z.infer<typeof progressSchema>;

/** Landmarks as soon as they are known. */
export const jobLandmarksSchema = z
  .object({
    widthPx: z.int().positive(),
    heightPx: z.int().positive(),
    points: z
      .array(z.tuple([finite, finite]))
      .length(478)
      .describe('x right, y down, pixels of the full-size upright photo; MediaPipe numbering'),
  })
  .describe('The 478 landmarks in the photo');
export type JobLandmarks = z.infer<typeof jobLandmarksSchema>;

export const fileSchema = z
  .object({
    name: z.string(),
    bytes: z.int().nonnegative(),
    contentType: z.string(),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    url: z
      .string()
      .describe('Signed link without a leading slash, relative to the address of the service; works without a key until linkExpiresAt'),
    linkExpiresAt: isoTime,
  })
  .describe('A file of a result');
export type ResultFile = z.infer<typeof fileSchema>;

/** `application/problem+json` (RFC 9457) with our fields. */
export const problemSchema = z
  .object({
    type: z.string().describe('Link to the explanation of the code'),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().describe('Code of the error table'),
    hint: z.string(),
    requestId: z.string(),
    params: z.unknown().optional().describe('What the message was made of'),
    retryAfterS: z.int().positive().optional(),
    reconstruction: z.string().optional().describe('Id of the job, where one failed'),
  })
  .describe('A problem');
export type Problem = z.infer<typeof problemSchema>;

export const wireErrorSchema = z
  .object({ code: z.string(), message: z.string(), hint: z.string(), params: z.unknown().optional() })
  .describe('An error of the one table');

export const wireWarningSchema = z
  .object({
    code: z.string(),
    message: z.string(),
    hint: z.string(),
    params: z.unknown().optional().describe('What the message was made of'),
  })
  .describe('The result is usable, but…');

export const resultSchema = z
  .object({
    model: z.object({ id: z.string(), version: z.string() }),
    provider: z.string().describe('What ran the networks'),
    face: z.object({ index: z.int().min(1), count: z.int().min(1) }),
    photo: z.object({ widthPx: z.int().positive(), heightPx: z.int().positive(), format: z.string() }),
    pose: z.object({ yawDeg: finite, pitchDeg: finite, rollDeg: finite }),
    quality: z.object({
      confidence: z.number().min(0).max(1),
      residualRatio: z.number().nonnegative().describe('RMS landmark residual over the eye distance'),
      eyeDistancePx: z.number().positive(),
      observedRatio: z.number().min(0).max(1).describe('Share of the face texture that the photo shows'),
    }),
    blendshapes: z.array(z.object({ name: z.string(), weight: finite })).describe('ARKit weights of the photo’s own expression'),
    timingsMs: z.record(z.string(), z.number().nonnegative()).describe('Wall time by stage'),
    warnings: z.array(wireWarningSchema),
    files: z.array(fileSchema),
  })
  .describe('What came out');
export type JobResult = z.infer<typeof resultSchema>;

export const reconstructionSchema = z
  .object({
    id: idSchema,
    state: jobStateSchema,
    options: jobOptionsSchema,
    photo: z.object({ bytes: z.int().nonnegative(), sha256: z.string(), kept: z.boolean() }),
    batch: z.string().optional(),
    attempt: z.int().min(0).describe('How often it was started'),
    createdAt: isoTime,
    startedAt: isoTime.optional(),
    finishedAt: isoTime.optional(),
    deadlineAt: isoTime,
    expiresAt: isoTime.optional().describe('When the result is deleted'),
    queue: z
      .object({
        position: z.int().min(0).describe('Jobs that start before this one'),
        etaS: z.number().nonnegative().describe('Expected seconds until it starts'),
      })
      .optional(),
    progress: progressSchema.optional(),
    result: resultSchema.optional(),
    error: wireErrorSchema.optional(),
    links: z.object({ self: z.string(), events: z.string(), cancel: z.string() }),
  })
  .describe('A reconstruction: one photo on its way to a face');
export type ReconstructionView = z.infer<typeof reconstructionSchema>;

export const reconstructionListSchema = z
  .object({ reconstructions: z.array(reconstructionSchema), next: z.string().optional().describe('Cursor of the next page') })
  .describe('Newest first');
export type ReconstructionList = z.infer<typeof reconstructionListSchema>;

/** Server-sent events of a reconstruction: name → data. `snapshot` comes first on every connection, `end` last. */
export const EVENT_SCHEMAS = {
  snapshot: reconstructionSchema,
  queued: z.object({ position: z.int().min(0), etaS: z.number().nonnegative() }),
  progress: progressSchema,
  landmarks: jobLandmarksSchema,
  end: reconstructionSchema,
} as const;
export type ReconstructionEvent = {
  [K in keyof typeof EVENT_SCHEMAS]: { event: K; data: z.infer<(typeof EVENT_SCHEMAS)[K]> };
}[keyof typeof EVENT_SCHEMAS];

const batchCountsSchema = z.object({
  total: z.int(),
  queued: z.int(),
  processing: z.int(),
  succeeded: z.int(),
  failed: z.int(),
  canceled: z.int(),
});
const batchPhotoSchema = z.object({
  name: z.string().describe('File name as sent, without folders'),
  reconstruction: idSchema.optional(),
  state: jobStateSchema,
  error: wireErrorSchema.optional(),
});
export const batchSchema = z
  .object({
    id: idSchema,
    state: z.enum(['processing', 'done', 'canceled']),
    createdAt: isoTime,
    expiresAt: isoTime.optional(),
    counts: batchCountsSchema,
    photos: z.array(batchPhotoSchema),
    archive: z
      .object({ url: z.string(), linkExpiresAt: isoTime })
      .optional()
      .describe('One zip of everything that succeeded, with a report; there when the batch is done'),
    links: z.object({ self: z.string(), events: z.string(), cancel: z.string() }),
  })
  .describe('Many photos, one status');
export type BatchView = z.infer<typeof batchSchema>;

const batchSummarySchema = z.object({
  id: idSchema,
  createdAt: isoTime,
  total: z.int().describe('Photos, whatever became of them; the batch itself tells that'),
  links: z.object({ self: z.string() }),
});
export type BatchSummary = z.infer<typeof batchSummarySchema>;
export const batchListSchema = z
  .object({ batches: z.array(batchSummarySchema), next: z.string().optional().describe('Cursor of the next page') })
  .describe('Newest first');
export type BatchList = z.infer<typeof batchListSchema>;

/** Server-sent events of a batch: name → data. `snapshot` comes first on every connection, `end` last. */
export const BATCH_EVENT_SCHEMAS = {
  snapshot: batchSchema,
  progress: z.object({ counts: batchCountsSchema, photos: z.array(batchPhotoSchema).describe('Those that changed') }),
  end: batchSchema,
} as const;
export type BatchEvent = {
  [K in keyof typeof BATCH_EVENT_SCHEMAS]: { event: K; data: z.infer<(typeof BATCH_EVENT_SCHEMAS)[K]> };
}[keyof typeof BATCH_EVENT_SCHEMAS];

export const accountSchema = z
  .object({
    tenant: z.string(),
    singleUser: z.boolean().describe('No keys are needed here'),
    limits: z.object({
      ratePerMinute: z.number().positive(),
      concurrent: z.int().positive(),
      queued: z.int().positive(),
      storageBytes: z.int().positive(),
      photoBytes: z.int().positive(),
      batchPhotos: z.int().positive(),
    }),
    usage: z.object({ queued: z.int().nonnegative(), processing: z.int().nonnegative(), storageBytes: z.int().nonnegative() }),
    resultTtlS: z.int().positive(),
    models: z.array(z.string()),
    formats: z.array(z.enum(API_FORMATS)),
    version: z.string(),
  })
  .describe('Who asks, what is allowed, what is used');
export type AccountView = z.infer<typeof accountSchema>;

export const healthSchema = z
  .object({
    status: z.enum(['starting', 'ready', 'draining', 'unhealthy']),
    version: z.string(),
    checks: z.record(z.string(), z.object({ ok: z.boolean(), reason: z.string().optional() })),
  })
  .describe('Health of this instance');
export type HealthView = z.infer<typeof healthSchema>;
