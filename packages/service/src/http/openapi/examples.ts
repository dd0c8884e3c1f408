import type { ErrorCode, ErrorParams } from '@facewright/protocol';
import type { Json } from './operation.ts';

const ID = 'r4f9a6f0d6f2b1c3e8a7d5b90';
const OPTIONS = { model: 'head', textureSize: 1024, formats: ['glb', 'preview', 'json'], compact: false, face: 'only', keepPhoto: false };
const SHA256 = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const LINKS = { self: `v1/reconstructions/${ID}`, events: `v1/reconstructions/${ID}/events`, cancel: `v1/reconstructions/${ID}/cancel` };

/** A reconstruction that waits. */
export const QUEUED_EXAMPLE = {
  id: ID,
  state: 'queued',
  options: OPTIONS,
  photo: { bytes: 2_097_152, sha256: SHA256, kept: false },
  attempt: 0,
  createdAt: '2026-03-01T12:00:00.000Z',
  deadlineAt: '2026-03-01T12:02:00.000Z',
  queue: { position: 3, etaS: 0.4 },
  links: LINKS,
} as const satisfies Json;

/** One that is done. */
export const SUCCEEDED_EXAMPLE = {
  id: ID,
  state: 'succeeded',
  options: OPTIONS,
  photo: { bytes: 2_097_152, sha256: SHA256, kept: false },
  attempt: 1,
  createdAt: '2026-03-01T12:00:00.000Z',
  startedAt: '2026-03-01T12:00:00.010Z',
  finishedAt: '2026-03-01T12:00:00.150Z',
  deadlineAt: '2026-03-01T12:02:00.000Z',
  expiresAt: '2026-03-02T12:00:00.150Z',
  result: {
    model: { id: 'head', version: '1' },
    provider: 'cpu',
    face: { index: 1, count: 1 },
    photo: { widthPx: 1536, heightPx: 2048, format: 'jpeg' },
    pose: { yawDeg: -4.2, pitchDeg: 1.5, rollDeg: 0.3 },
    quality: { confidence: 0.93, residualRatio: 0.014, eyeDistancePx: 312, observedRatio: 0.71 },
    blendshapes: [{ name: 'mouthSmileLeft', weight: 0.42 }],
    timingsMs: { decode: 21, detect: 9, landmarks: 12, fit: 18, texture: 45, export: 25 },
    warnings: [],
    files: [
      {
        name: 'face.glb',
        bytes: 3_145_728,
        contentType: 'model/gltf-binary',
        sha256: SHA256,
        url: `v1/reconstructions/${ID}/files/face.glb?tenant=acme&expires=1772370000&signature=4Yk0`,
        linkExpiresAt: '2026-03-01T13:00:00.000Z',
      },
    ],
  },
  links: LINKS,
} as const satisfies Json;

export const LIST_EXAMPLE = { reconstructions: [SUCCEEDED_EXAMPLE, QUEUED_EXAMPLE], next: 'MTc3MjM2.Zm9v' } as const satisfies Json;

export const ACCOUNT_EXAMPLE = {
  tenant: 'acme',
  singleUser: false,
  limits: { ratePerMinute: 600, concurrent: 64, queued: 200, storageBytes: 10_737_418_240, photoBytes: 26_214_400, batchPhotos: 200 },
  usage: { queued: 3, processing: 2, storageBytes: 52_428_800 },
  resultTtlS: 86_400,
  models: ['head', 'canonical'],
  formats: ['glb', 'obj', 'maps', 'preview', 'json'],
  version: '0.1.0',
} as const satisfies Json;

export const HEALTH_EXAMPLE = {
  status: 'ready',
  version: '0.1.0',
  checks: { queue: { ok: true }, storage: { ok: true } },
} as const satisfies Json;

export const EVENTS_EXAMPLE = [
  `event: snapshot\ndata: {"id":"${ID}","state":"queued", …}`,
  'event: queued\ndata: {"position":3,"etaS":0.4}',
  'event: progress\ndata: {"stage":"fit","index":3,"total":6,"ratio":0.5}',
  'event: landmarks\ndata: {"widthPx":1536,"heightPx":2048,"points":[[701.5,840.2], …]}',
  `event: end\ndata: {"id":"${ID}","state":"succeeded", …}`,
  '',
].join('\n\n');

const faces = [
  { index: 1, box: { x: 120, y: 80, width: 300, height: 300 }, score: 0.98 },
  { index: 2, box: { x: 700, y: 95, width: 280, height: 280 }, score: 0.97 },
];

/** Parameters that the examples of problems are made of; codes without are never answered by a route. */
export const PROBLEM_PARAMS: { readonly [C in ErrorCode]?: ErrorParams<C> } = {
  FW_ARG_INVALID: { name: 'textureSize', expected: 'a power of two', actual: 1000 },
  FW_PHOTO_EMPTY: {},
  FW_PHOTO_NOT_IMAGE: { found: 'a PDF document' },
  FW_PHOTO_TRUNCATED: { reason: 'premature end of JPEG' },
  FW_PHOTO_TOO_SMALL: { width: 32, height: 24, minPx: 40 },
  FW_PHOTO_TOO_MANY_BYTES: { bytes: 30_000_000, maxBytes: 26_214_400 },
  FW_PHOTO_TOO_MANY_PIXELS: { width: 20_000, height: 20_000, maxPixels: 120_000_000 },
  FW_PHOTO_DECODE_TIMEOUT: { limitMs: 10_000 },
  FW_FACE_NOT_FOUND: { candidates: 1, bestScore: 0.21, minScore: 0.5 },
  FW_FACE_TOO_SMALL: { widthPx: 30, minPx: 48 },
  FW_FACE_CUT: { visibleRatio: 0.6, minRatio: 0.85 },
  FW_FACE_PROFILE: { yawDeg: 71, maxDeg: 55 },
  FW_FACE_SEVERAL: { faces },
  FW_FACE_INDEX: { index: 3, count: 1 },
  FW_FACE_NOT_HUMAN: { reason: 'the eyes are not where a face has them' },
  FW_FIT_FAILED: { reason: 'residual 0.2' },
  FW_MODEL_UNKNOWN: { model: 'body', known: ['head', 'canonical'] },
  FW_CANCELED: { stage: 'fit' },
  FW_REQUEST_INVALID: { problems: [{ field: 'textureSize', problem: 'Too small: expected number to be >=512' }] },
  FW_REQUEST_TIMEOUT: { limitMs: 60_000 },
  FW_AUTH_REQUIRED: {},
  FW_AUTH_INVALID: {},
  FW_ORIGIN_REFUSED: { header: 'Origin' },
  FW_NOT_FOUND: { what: 'reconstruction' },
  FW_ID_CONFLICT: { id: 'portrait-17' },
  FW_STATE_CONFLICT: { state: 'succeeded', wanted: 'canceling' },
  FW_BODY_TOO_LARGE: { maxBytes: 26_214_400 },
  FW_BATCH_TOO_MANY: { count: 201, max: 200 },
  FW_ARCHIVE_INVALID: { reason: 'an entry unpacks to more than its limit' },
  FW_MEDIA_UNSUPPORTED: { found: 'text/plain', expected: 'multipart/form-data with a file "photo", or the image itself' },
  FW_RANGE_INVALID: { totalBytes: 3_145_728 },
  FW_RATE_LIMITED: { retryAfterS: 2 },
  FW_QUEUE_FULL: { queued: 256, retryAfterS: 41 },
  FW_TENANT_QUEUE_FULL: { queued: 200, max: 200, retryAfterS: 32 },
  FW_STORAGE_QUOTA: { usedBytes: 10_737_000_000, maxBytes: 10_737_418_240 },
  FW_STORAGE_FULL: {},
  FW_STORAGE_UNAVAILABLE: { reason: 'connection refused' },
  FW_QUEUE_UNAVAILABLE: { reason: 'connection refused' },
  FW_STARTING: {},
  FW_DRAINING: {},
  FW_LINK_INVALID: {},
  FW_JOB_DEADLINE: { limitMs: 120_000 },
  FW_WORKER_LOST: { attempts: 2 },
  FW_WEBHOOK_REFUSED: { reason: 'it leads to a private network' },
  FW_INTERNAL: { what: 'unexpected error' },
};
