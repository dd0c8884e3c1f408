import {
  type Json,
  type Operation,
  type Parameter,
  STORE_ERRORS,
  type SuccessResponse,
  schemaRef,
  UPLOAD_ERRORS,
} from '../http/openapi/operation.ts';
import {
  binary,
  linkParameters,
  listParameters,
  optionParameters,
  optionProperties,
  webhookSchema,
  withHead,
} from '../http/openapi/operations.ts';

const ID = 'b4f9a6f0d6f2b1c3e8a7d5b90';
const EXAMPLE = {
  id: ID,
  state: 'done',
  createdAt: '2026-03-01T12:00:00.000Z',
  expiresAt: '2026-03-02T12:00:01.150Z',
  counts: { total: 2, queued: 0, processing: 0, succeeded: 1, failed: 1, canceled: 0 },
  photos: [
    { name: 'anna.jpg', reconstruction: `${ID}-1`, state: 'succeeded' },
    {
      name: 'notes.txt',
      state: 'failed',
      error: {
        code: 'FW_PHOTO_NOT_IMAGE',
        message: 'This is not an image Facewright can read (found: text)',
        hint: 'Use JPEG, PNG, WebP, AVIF, TIFF or GIF; the content decides, not the file name.',
        params: { found: 'text' },
      },
    },
  ],
  archive: { url: `v1/batches/${ID}/archive?tenant=acme&expires=1772370000&signature=4Yk0`, linkExpiresAt: '2026-03-01T13:00:00.000Z' },
  links: { self: `v1/batches/${ID}`, events: `v1/batches/${ID}/events`, cancel: `v1/batches/${ID}/cancel` },
} as const satisfies Json;

const idParameter: Parameter = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'Id of the batch',
  schema: { type: 'string' },
  example: ID,
};
const batch = (description: string, headers: Readonly<Record<string, string>> = {}): SuccessResponse => ({
  description,
  headers,
  content: { 'application/json': { schema: schemaRef('Batch'), example: EXAMPLE } },
});
const LIST_EXAMPLE = {
  batches: [{ id: ID, createdAt: '2026-03-01T12:00:00.000Z', total: 2, links: { self: `v1/batches/${ID}` } }],
  next: 'YmF0Y2ggMTc3MjM2NjQwMDAwMCBiNGY5.sVbW0PfWl2Yh3y0r',
} as const satisfies Json;
const EVENTS_EXAMPLE = [
  `event: snapshot\ndata: {"id":"${ID}","state":"processing", …}`,
  'event: progress\ndata: {"counts":{"total":2,"queued":0, …},"photos":[{"name":"anna.jpg","state":"succeeded", …}]}',
  `event: end\ndata: {"id":"${ID}","state":"done", …}`,
  '',
].join('\n\n');
const createHeaders = { Location: 'Path of the batch' };
const archive = { 'application/zip': { schema: binary } };

/** Every route of batches. */
export const BATCH_OPERATIONS: readonly Operation[] = [
  {
    method: 'post',
    path: '/v1/batches',
    id: 'createBatch',
    tag: 'Batches',
    summary: 'Make faces of many photos',
    description:
      'Answers when all photos have arrived; a batch may be larger than the queue, its photos are fed in as there is room. A photo that is refused is told in the batch and does not stop the others. In a zip, folders, dot files and what systems add are passed over; encryption, links, nested archives and archives that unpack to too much refuse the whole.',
    access: 'key',
    parameters: [
      {
        name: 'Idempotency-Key',
        in: 'header',
        description: 'A second request with the same key, photos and options gets the same batch; with others, 409.',
        schema: { type: 'string', maxLength: 255 },
        example: 'order-1842',
      },
      ...optionParameters,
    ],
    body: {
      description:
        'A form with files `photo` or a zip as its file `archive`, and options as fields; or the zip itself with options in the query.',
      required: true,
      content: {
        'multipart/form-data': {
          schema: {
            type: 'object',
            additionalProperties: false,
            properties: { photo: { type: 'array', items: binary }, archive: binary, ...optionProperties, webhook: webhookSchema },
          },
        },
        'application/zip': { schema: binary },
      },
    },
    responses: { 200: batch('The same request again', createHeaders), 202: batch('Accepted. It will not be lost.', createHeaders) },
    errors: [...UPLOAD_ERRORS, 'FW_BATCH_TOO_MANY', 'FW_ARCHIVE_INVALID', 'FW_STATE_CONFLICT', ...STORE_ERRORS],
  },
  ...withHead({
    method: 'get',
    path: '/v1/batches',
    id: 'listBatches',
    tag: 'Batches',
    summary: 'Your batches, newest first',
    access: 'key',
    parameters: listParameters,
    responses: {
      200: { description: 'A page', content: { 'application/json': { schema: schemaRef('BatchList'), example: LIST_EXAMPLE } } },
    },
    errors: STORE_ERRORS,
  }),
  ...withHead({
    method: 'get',
    path: '/v1/batches/{id}/events',
    id: 'followBatch',
    tag: 'Batches',
    summary: 'What happens to its photos, as server-sent events',
    description:
      'First `snapshot` (Batch), then `progress` (BatchProgress) whenever photos change, last `end` (Batch) when none waits or runs any more; then the stream ends. Comments keep the connection alive. Connect again after a loss: the new snapshot tells all.',
    access: 'key',
    parameters: [idParameter],
    responses: {
      200: { description: 'Events', content: { 'text/event-stream': { schema: { type: 'string' }, example: EVENTS_EXAMPLE } } },
    },
    errors: ['FW_NOT_FOUND', 'FW_RATE_LIMITED', ...STORE_ERRORS],
  }),
  ...withHead({
    method: 'get',
    path: '/v1/batches/{id}',
    id: 'getBatch',
    tag: 'Batches',
    summary: 'State of all its photos',
    access: 'key',
    parameters: [idParameter],
    responses: { 200: batch('The batch') },
    errors: ['FW_NOT_FOUND', ...STORE_ERRORS],
  }),
  {
    method: 'post',
    path: '/v1/batches/{id}/cancel',
    id: 'cancelBatch',
    tag: 'Batches',
    summary: 'Stop what waits and runs; what is done stays',
    access: 'key',
    parameters: [idParameter],
    responses: { 200: batch('It is canceled') },
    errors: ['FW_NOT_FOUND', 'FW_STATE_CONFLICT', ...STORE_ERRORS],
  },
  {
    method: 'delete',
    path: '/v1/batches/{id}',
    id: 'deleteBatch',
    tag: 'Batches',
    summary: 'Forget it, its reconstructions and all their files, in whatever state it is',
    access: 'key',
    parameters: [idParameter],
    responses: { 204: { description: 'It is gone' } },
    errors: ['FW_NOT_FOUND', ...STORE_ERRORS],
  },
  ...withHead({
    method: 'get',
    path: '/v1/batches/{id}/archive',
    id: 'getBatchArchive',
    tag: 'Batches',
    summary: 'One zip of everything that succeeded, by signed link or key',
    description: 'A folder for each photo, report.json and report.csv. There as soon as nothing of the batch waits or runs.',
    access: 'link',
    parameters: [idParameter, ...linkParameters],
    responses: { 200: { description: 'The zip', content: archive } },
    errors: ['FW_NOT_FOUND', ...STORE_ERRORS],
  }),
];
