import { ERRORS, type ErrorCode, FacewrightError, type Problem } from '@facewright/protocol';
import {
  accountSchema,
  BATCH_EVENT_SCHEMAS,
  batchListSchema,
  batchSchema,
  EVENT_SCHEMAS,
  healthSchema,
  idSchema,
  jobLandmarksSchema,
  jobOptionsSchema,
  problemSchema,
  progressSchema,
  reconstructionListSchema,
  reconstructionSchema,
} from '@facewright/protocol/api';
import { z } from 'zod';
import { formatProblem, publicError } from '../problem.ts';
import { PROBLEM_PARAMS } from './examples.ts';
import { COMMON_ERRORS, type Json, type Operation, type SuccessResponse, schemaRef } from './operation.ts';

export interface DocumentOptions {
  readonly operations: readonly Operation[];
  readonly version: string;
  /** Path in front of every route, for `servers`. */
  readonly prefix: string;
  /**
   * Answers may have no fields that the document does not name. Off where it is published: a reader must bear what a later version
   * adds. Tests check with it on.
   */
  readonly strict?: boolean;
}

/** The named schemas of the document. */
const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  Id: idSchema,
  JobOptions: jobOptionsSchema,
  Reconstruction: reconstructionSchema,
  ReconstructionList: reconstructionListSchema,
  QueuedEvent: EVENT_SCHEMAS.queued,
  Progress: progressSchema,
  Landmarks: jobLandmarksSchema,
  Batch: batchSchema,
  BatchList: batchListSchema,
  BatchProgress: BATCH_EVENT_SCHEMAS.progress,
  Account: accountSchema,
  Health: healthSchema,
  Problem: problemSchema,
};

/** The OpenAPI 3.1 document of the API, from the schemas of the protocol and the list of operations. */
export function buildDocument({ operations, version, prefix, strict = false }: DocumentOptions): { readonly [key: string]: Json } {
  const paths: Record<string, Record<string, Json>> = {};
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: describeOperation(operation) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Facewright',
      version,
      summary: 'One portrait photo in, a game-ready 3D face out.',
      description:
        'Errors are problem+json (RFC 9457) with a `code` of one table. A face is biometric data: photos are deleted when their job ends, results when they expire.',
    },
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    servers: [{ url: prefix === '' ? '/' : prefix }],
    paths,
    components: {
      schemas: describeSchemas(strict),
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'An API key, fw_… (none is needed where the service runs for a single user)' },
        link: { type: 'apiKey', in: 'query', name: 'signature', description: 'A signed link to one file, as a result has it' },
      },
    },
  };
}

/** All codes that an operation may answer with. */
export function errorsOf(operation: Operation): readonly ErrorCode[] {
  const access: readonly ErrorCode[] =
    operation.access === 'none'
      ? []
      : ['FW_AUTH_REQUIRED', 'FW_AUTH_INVALID', ...(operation.access === 'link' ? (['FW_LINK_INVALID'] as const) : [])];
  // Of any body, also where none is wanted.
  const body: readonly ErrorCode[] = /get|head/.test(operation.method) ? [] : ['FW_MEDIA_UNSUPPORTED', 'FW_BODY_TOO_LARGE'];
  const all = [...COMMON_ERRORS, ...body, ...access, ...operation.errors];
  return [...new Set(all)].sort((a, b) => ERRORS[a].http - ERRORS[b].http);
}

function describeOperation(operation: Operation): Json {
  const { id, tag, summary, description, access, parameters, body } = operation;
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    security: access === 'none' ? [] : [{ key: [] }, ...(access === 'link' ? [{ link: [] }] : [])],
    ...(parameters === undefined ? {} : { parameters: parameters as unknown as Json }),
    ...(body === undefined ? {} : { requestBody: body as unknown as Json }),
    responses: {
      ...Object.fromEntries(Object.entries(operation.responses).map(([status, response]) => [status, describeSuccess(response)])),
      ...describeErrors(operation),
    },
  };
}

function describeSuccess({ description, content, headers }: SuccessResponse): Json {
  return {
    description,
    ...(headers === undefined
      ? {}
      : {
          headers: Object.fromEntries(
            Object.entries(headers).map(([name, text]) => [name, { description: text, schema: { type: 'string' } }]),
          ),
        }),
    ...(content === undefined ? {} : { content: content as unknown as Json }),
  };
}

function describeErrors(operation: Operation): { readonly [status: string]: Json } {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of errorsOf(operation)) byStatus.set(ERRORS[code].http, [...(byStatus.get(ERRORS[code].http) ?? []), code]);
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      String(status),
      {
        description: codes.join(', '),
        ...(operation.method === 'head'
          ? {}
          : {
              content: {
                'application/problem+json': {
                  schema: { allOf: [schemaRef('Problem'), { properties: { code: { enum: codes } } }] },
                  examples: Object.fromEntries(codes.map((code) => [code, { value: exampleProblem(code) as unknown as Json }])),
                },
              },
            }),
      },
    ]),
  );
}

/** A problem as it is answered. */
function exampleProblem(code: ErrorCode): Problem {
  const error = publicError(new FacewrightError(code, (PROBLEM_PARAMS[code] ?? {}) as never));
  return formatProblem(error, { requestId: '5f2b8c1d9e3a4f60', docsUrl: '/docs' });
}

function describeSchemas(strict: boolean): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(SCHEMAS)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { target: 'draft-2020-12', uri: (id) => `#/components/schemas/${id}` });
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, clean(schema as Json, strict)]));
}

/** Without the identifiers of separate documents, and open for later versions unless strict. */
function clean(value: Json | undefined, strict: boolean): Json {
  if (Array.isArray(value)) return value.map((item: Json) => clean(item, strict));
  if (value === null || value === undefined || typeof value !== 'object') return value ?? null;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, item]) => key !== '$id' && key !== '$schema' && (strict || key !== 'additionalProperties' || item !== false))
      .map(([key, item]) => [key, clean(item as Json, strict)]),
  );
}
