export type { PhotoBody } from './build-body.ts';
export { ConnectionError } from './connection-error.ts';
export {
  type BatchPhoto,
  type Client,
  type ClientOptions,
  type CreateBatchOptions,
  type CreateOptions,
  createClient,
  type EventOptions,
  type RequestOptions,
  type UploadOptions,
  type WaitOptions,
} from './create-client.ts';
export type { UploadProgress } from './send-request.ts';
export { ServiceError } from './service-error.ts';
