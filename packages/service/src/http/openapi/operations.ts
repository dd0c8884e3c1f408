import { jobOptionsSchema } from '@facewright/protocol/api';
import { z } from 'zod';
import { ACCOUNT_EXAMPLE, EVENTS_EXAMPLE, HEALTH_EXAMPLE, LIST_EXAMPLE, QUEUED_EXAMPLE, SUCCEEDED_EXAMPLE } from './examples.ts';
import {
  JOB_ERRORS,
  type Json,
  type Operation,
  type Parameter,
  STORE_ERRORS,
  type SuccessResponse,
  schemaRef,
  UPLOAD_ERRORS,
} from './operation.ts';

const idParameter: Parameter = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'Id of the reconstruction',
  schema: { type: 'string' },
  example: QUEUED_EXAMPLE.id,
};
const preferParameter: Parameter = {
  name: 'Prefer',
  in: 'header',
  description: '`wait=N`: wait at most N seconds for the result. `respond-async`: do not wait. Answered by Preference-Applied.',
  schema: { type: 'string' },
  example: 'wait=10',
};
const idempotencyParameter: Parameter = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'A second request with the same key, photo and options gets the same reconstruction; with another photo, 409.',
  schema: { type: 'string', maxLength: 255 },
  example: 'order-1842-front',
};

/** Of lists with pages. */
export const listParameters: readonly Parameter[] = [
  { name: 'limit', in: 'query', description: 'How many', schema: { type: 'integer', minimum: 1, maximum: 100, default: 20 } },
  { name: 'after', in: 'query', description: '`next` of the page before', schema: { type: 'string' } },
];

type ObjectSchema = { readonly properties: Readonly<Record<string, Json>> };
export const optionProperties = (z.toJSONSchema(jobOptionsSchema, { io: 'input' }) as unknown as ObjectSchema).properties;
export const webhookSchema: Json = { type: 'string', format: 'uri', description: 'Address that is called when the work has ended' };

/** Job options as parameters of an address. */
export const optionParameters: readonly Parameter[] = Object.entries({ ...optionProperties, webhook: webhookSchema }).map(
  ([name, schema]) => ({
    name,
    in: 'query',
    description: String((schema as { description?: string }).description ?? name),
    schema: name === 'formats' ? { type: 'string', description: 'Separated by commas', default: 'glb,preview,json' } : schema,
  }),
);

export const binary: Json = { type: 'string', contentMediaType: 'application/octet-stream' };
/** Bodies that carry a photo. */
const photoBody = {
  description: 'A form with the photo as its file `photo` and options as fields; or the image itself with options in the query.',
  required: true,
  content: {
    'multipart/form-data': {
      schema: {
        type: 'object',
        required: ['photo'],
        additionalProperties: false,
        properties: { photo: binary, ...optionProperties, webhook: webhookSchema },
      },
    },
    'image/*': { schema: binary },
    'application/octet-stream': { schema: binary },
  },
} as const;

const json = (schema: string, example: Json): NonNullable<SuccessResponse['content']> => ({
  'application/json': { schema: schemaRef(schema), example },
});
const createHeaders = {
  Location: 'Path of the reconstruction',
  'Preference-Applied': 'The preferences that were followed',
  RateLimit: 'What is left of the rate (draft-ietf-httpapi-ratelimit-headers)',
};
const done: SuccessResponse = { description: 'Done', content: json('Reconstruction', SUCCEEDED_EXAMPLE), headers: createHeaders };
const pending: SuccessResponse = {
  description: 'Accepted; not done yet. It will not be lost.',
  content: json('Reconstruction', QUEUED_EXAMPLE),
  headers: { ...createHeaders, 'Retry-After': 'Seconds until it is probably done' },
};
const repeated: SuccessResponse = { ...done, description: 'Done before: the same request again' };

export const linkParameters: readonly Parameter[] = ['tenant', 'expires', 'signature'].map((name) => ({
  name,
  in: 'query',
  description: 'Part of a signed link',
  schema: { type: 'string' },
}));
const fileParameters: readonly Parameter[] = [
  idParameter,
  { name: 'name', in: 'path', required: true, description: 'Name of the file', schema: { type: 'string' }, example: 'face.glb' },
  { name: 'download', in: 'query', description: '1: browsers save it', schema: { enum: ['0', '1'], default: '0' } },
  ...linkParameters,
  { name: 'Range', in: 'header', description: 'A part of it; one range', schema: { type: 'string' }, example: 'bytes=0-1023' },
  { name: 'If-None-Match', in: 'header', description: 'ETags that the caller has', schema: { type: 'string' } },
  { name: 'If-Range', in: 'header', description: 'Range only where the ETag is still this', schema: { type: 'string' } },
];
const fileHeaders = {
  ETag: 'SHA-256 of the file, quoted',
  'Accept-Ranges': 'bytes',
  'Content-Disposition': 'inline, or attachment with download=1',
};
const fileContent = { '*/*': { schema: binary } };
const fileResponses = (body: boolean): Operation['responses'] => ({
  200: { description: 'The file', headers: fileHeaders, ...(body ? { content: fileContent } : {}) },
  ...(body
    ? { 206: { description: 'A part of it', headers: { ...fileHeaders, 'Content-Range': 'Which part' }, content: fileContent } }
    : {}),
  304: { description: 'The caller has it', headers: fileHeaders },
});

const health = (path: string, id: string, summary: string): Operation[] =>
  (['get', 'head'] as const).map((method) => ({
    method,
    path,
    id: method === 'get' ? id : `${id}Head`,
    tag: 'Health',
    summary,
    access: 'none',
    responses: Object.fromEntries<SuccessResponse>(
      [200, ...(path === '/livez' ? [] : [503])].map((status) => [
        status,
        { description: status === 200 ? 'Yes' : 'No', ...(method === 'get' ? { content: json('Health', HEALTH_EXAMPLE) } : {}) },
      ]),
    ),
    errors: [],
  }));

/** HEAD of a route with GET: the same without a body. */
export const withHead = (operation: Operation): Operation[] => [
  operation,
  {
    ...operation,
    method: 'head',
    id: `${operation.id}Head`,
    responses: Object.fromEntries(Object.entries(operation.responses).map(([status, { content: _, ...rest }]) => [status, rest])),
  },
];

/** Every route of reconstructions, account and health. */
export const OPERATIONS: readonly Operation[] = [
  {
    method: 'post',
    path: '/v1/reconstructions',
    id: 'createReconstruction',
    tag: 'Reconstructions',
    summary: 'Make a face of a photo',
    description:
      'Waits for the result (30 s unless `Prefer` or the operator says otherwise), then answers 201 with it, or 202 where it takes longer. A photo that cannot be made a face is answered with the status of its error; the problem names the reconstruction.',
    access: 'key',
    parameters: [preferParameter, idempotencyParameter, ...optionParameters],
    body: photoBody,
    responses: { 200: repeated, 201: done, 202: pending },
    errors: [...UPLOAD_ERRORS, ...JOB_ERRORS, ...STORE_ERRORS],
  },
  {
    method: 'put',
    path: '/v1/reconstructions/{id}',
    id: 'putReconstruction',
    tag: 'Reconstructions',
    summary: 'Make a face of a photo under an id of your choice',
    description: 'Idempotent: the same id with the same photo and options is the same reconstruction; with others, 409.',
    access: 'key',
    parameters: [{ ...idParameter, schema: schemaRef('Id') }, preferParameter, ...optionParameters],
    body: photoBody,
    responses: { 200: repeated, 201: done, 202: pending },
    errors: [...UPLOAD_ERRORS, ...JOB_ERRORS, ...STORE_ERRORS],
  },
  ...withHead({
    method: 'get',
    path: '/v1/reconstructions',
    id: 'listReconstructions',
    tag: 'Reconstructions',
    summary: 'Your reconstructions, newest first',
    access: 'key',
    parameters: listParameters,
    responses: { 200: { description: 'A page', content: json('ReconstructionList', LIST_EXAMPLE) } },
    errors: STORE_ERRORS,
  }),
  ...withHead({
    method: 'get',
    path: '/v1/reconstructions/{id}',
    id: 'getReconstruction',
    tag: 'Reconstructions',
    summary: 'State and result',
    access: 'key',
    parameters: [idParameter],
    responses: { 200: { description: 'The reconstruction', content: json('Reconstruction', SUCCEEDED_EXAMPLE) } },
    errors: ['FW_NOT_FOUND', ...STORE_ERRORS],
  }),
  ...withHead({
    method: 'get',
    path: '/v1/reconstructions/{id}/events',
    id: 'followReconstruction',
    tag: 'Reconstructions',
    summary: 'What happens, as server-sent events',
    description:
      'First `snapshot` (Reconstruction), then `queued` (QueuedEvent), `progress` (Progress) and `landmarks` (Landmarks) as they come, last `end` (Reconstruction); then the stream ends. Comments keep the connection alive. Connect again after a loss: the new snapshot tells all.',
    access: 'key',
    parameters: [idParameter],
    responses: {
      200: { description: 'Events', content: { 'text/event-stream': { schema: { type: 'string' }, example: EVENTS_EXAMPLE } } },
    },
    errors: ['FW_NOT_FOUND', 'FW_RATE_LIMITED', ...STORE_ERRORS],
  }),
  {
    method: 'post',
    path: '/v1/reconstructions/{id}/cancel',
    id: 'cancelReconstruction',
    tag: 'Reconstructions',
    summary: 'Stop it, waiting or running',
    access: 'key',
    parameters: [idParameter],
    responses: {
      200: { description: 'It is canceled', content: json('Reconstruction', { ...QUEUED_EXAMPLE, state: 'canceled', queue: undefined }) },
    },
    errors: ['FW_NOT_FOUND', 'FW_STATE_CONFLICT', ...STORE_ERRORS],
  },
  {
    method: 'delete',
    path: '/v1/reconstructions/{id}',
    id: 'deleteReconstruction',
    tag: 'Reconstructions',
    summary: 'Forget it and all its files, in whatever state it is',
    access: 'key',
    parameters: [idParameter],
    responses: { 204: { description: 'It is gone' } },
    errors: ['FW_NOT_FOUND', ...STORE_ERRORS],
  },
  {
    method: 'get',
    path: '/v1/reconstructions/{id}/files/{name}',
    id: 'getFile',
    tag: 'Reconstructions',
    summary: 'A file of the result, by signed link or key',
    access: 'link',
    parameters: fileParameters,
    responses: fileResponses(true),
    errors: ['FW_NOT_FOUND', 'FW_RANGE_INVALID', ...STORE_ERRORS],
  },
  {
    method: 'head',
    path: '/v1/reconstructions/{id}/files/{name}',
    id: 'getFileHead',
    tag: 'Reconstructions',
    summary: 'What is known of a file',
    access: 'link',
    parameters: fileParameters,
    responses: fileResponses(false),
    errors: ['FW_NOT_FOUND', ...STORE_ERRORS],
  },
  ...withHead({
    method: 'get',
    path: '/v1/account',
    id: 'getAccount',
    tag: 'Account',
    summary: 'Who asks, what is allowed, what is used',
    access: 'key',
    responses: { 200: { description: 'The account', content: json('Account', ACCOUNT_EXAMPLE) } },
    errors: STORE_ERRORS,
  }),
  ...health('/startupz', 'getStartup', 'Has it started?'),
  ...health('/readyz', 'getReadiness', 'Does it take work?'),
  ...health('/health', 'getHealth', 'Does it take work? (the same as /readyz)'),
  ...health('/livez', 'getLiveness', 'Does the process answer?'),
];
