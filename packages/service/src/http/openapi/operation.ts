import type { ErrorCode } from '@facewright/protocol';
import type { RouteAccess } from '../app-context.ts';

/** JSON as far as an OpenAPI document needs it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly description: string;
  readonly required?: boolean;
  readonly schema: Json;
  readonly example?: Json;
}

/** Something that can be sent or answered: a named schema of the protocol, or a schema in place. */
export interface Content {
  readonly schema: Json;
  readonly example?: Json;
}

export interface SuccessResponse {
  readonly description: string;
  /** By media type; none for an answer without a body. */
  readonly content?: Readonly<Record<string, Content>>;
  /** Name → description. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** One method of one route, as `/openapi.json` and the documentation page describe it, and as tests check its answers. */
export interface Operation {
  readonly method: 'get' | 'head' | 'post' | 'put' | 'delete';
  /** With `{name}` for parameters. */
  readonly path: string;
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly access: RouteAccess;
  readonly parameters?: readonly Parameter[];
  readonly body?: { readonly description: string; readonly required?: boolean; readonly content: Readonly<Record<string, Content>> };
  /** By status. */
  readonly responses: Readonly<Record<number, SuccessResponse>>;
  /** Codes that it may answer with besides {@link COMMON_ERRORS} and those of its access. */
  readonly errors: readonly ErrorCode[];
}

/** Reference to a schema of the document. */
export const schemaRef = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

/** What every route may answer with. */
export const COMMON_ERRORS: readonly ErrorCode[] = ['FW_REQUEST_INVALID', 'FW_REQUEST_TIMEOUT', 'FW_ORIGIN_REFUSED', 'FW_INTERNAL'];
/** What routes that ask queue or storage may answer with. */
export const STORE_ERRORS: readonly ErrorCode[] = ['FW_QUEUE_UNAVAILABLE', 'FW_STORAGE_UNAVAILABLE', 'FW_STORAGE_FULL'];
/** What everything that takes photos may refuse before there is a job. */
export const UPLOAD_ERRORS: readonly ErrorCode[] = [
  'FW_STARTING',
  'FW_DRAINING',
  'FW_RATE_LIMITED',
  'FW_QUEUE_FULL',
  'FW_TENANT_QUEUE_FULL',
  'FW_STORAGE_QUOTA',
  'FW_BODY_TOO_LARGE',
  'FW_MEDIA_UNSUPPORTED',
  'FW_MODEL_UNKNOWN',
  'FW_WEBHOOK_REFUSED',
  'FW_PHOTO_EMPTY',
  'FW_PHOTO_NOT_IMAGE',
  'FW_ID_CONFLICT',
];
/** What a job may fail with; a request that waits for it is answered so. */
export const JOB_ERRORS: readonly ErrorCode[] = [
  'FW_PHOTO_TRUNCATED',
  'FW_PHOTO_TOO_SMALL',
  'FW_PHOTO_TOO_MANY_BYTES',
  'FW_PHOTO_TOO_MANY_PIXELS',
  'FW_PHOTO_DECODE_TIMEOUT',
  'FW_FACE_NOT_FOUND',
  'FW_FACE_TOO_SMALL',
  'FW_FACE_CUT',
  'FW_FACE_PROFILE',
  'FW_FACE_SEVERAL',
  'FW_FACE_INDEX',
  'FW_FACE_NOT_HUMAN',
  'FW_FIT_FAILED',
  'FW_ARG_INVALID',
  'FW_CANCELED',
  'FW_NOT_FOUND',
  'FW_JOB_DEADLINE',
  'FW_WORKER_LOST',
];
