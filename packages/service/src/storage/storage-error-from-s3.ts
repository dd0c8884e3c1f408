import { FacewrightError, isFacewrightError } from '@facewright/protocol';

/** What the errors of the AWS SDK have in common, as far as it is used here. */
interface S3Error {
  readonly name?: string;
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Reasons by the error's code. Fixed texts: messages of stores name buckets, hosts and request ids. */
const REASONS: Readonly<Record<string, string>> = {
  NoSuchBucket: 'the bucket does not exist',
  AccessDenied: 'the store denies access: reading, writing, deleting and listing must be allowed',
  Forbidden: 'the store denies access: reading, writing, deleting and listing must be allowed',
  AllAccessDisabled: 'the store denies access',
  InvalidAccessKeyId: 'the store does not know the access key',
  SignatureDoesNotMatch: 'the store does not accept the secret access key',
  ExpiredToken: 'the credentials of the store have expired',
  TokenRefreshRequired: 'the credentials of the store have expired',
  CredentialsProviderError: 'there are no credentials for the store',
  PermanentRedirect: 'the bucket lies in another region',
  AuthorizationHeaderMalformed: 'the bucket lies in another region',
  RequestTimeTooSkewed: 'the clocks of service and store differ',
  SlowDown: 'the store is too busy',
  ServiceUnavailable: 'the store is too busy',
  ECONNREFUSED: 'the store cannot be reached',
  ECONNRESET: 'the store closed the connection',
  EPIPE: 'the store closed the connection',
  ENOTFOUND: 'the name of the store cannot be resolved',
  EAI_AGAIN: 'the name of the store cannot be resolved',
  TimeoutError: 'the store did not answer in time',
  AbortError: 'the store did not answer in time',
  RequestTimeout: 'the store did not answer in time',
};

/** Codes with which S3-compatible stores say that there is no room; 507 says it too. */
const FULL = new Set([
  'XMinioStorageFull',
  'InsufficientStorage',
  'InsufficientCapacity',
  'QuotaExceeded',
  'XMinioAdminBucketQuotaExceeded',
  'NoSpaceLeftOnDevice',
]);
const HTTP_INSUFFICIENT_STORAGE = 507;

/** What the store (or the way to it) said, as an error of the table. Errors of the table pass unchanged. */
export function storageErrorFromS3(e: unknown): FacewrightError {
  if (isFacewrightError(e)) return e;
  const error = e as S3Error;
  const cause = slimCause(error);
  // The SDK calls broken connections TimeoutError too; the code says more.
  const codes = [error.code, error.name].filter((code) => code !== undefined);
  if (codes.some((code) => FULL.has(code)) || error.$metadata?.httpStatusCode === HTTP_INSUFFICIENT_STORAGE) {
    return new FacewrightError('FW_STORAGE_FULL', {}, { cause });
  }
  const known = codes.map((code) => REASONS[code]).find((reason) => reason !== undefined);
  const status = error.$metadata?.httpStatusCode;
  const reason =
    known ??
    (status === 403 ? REASONS.AccessDenied : undefined) ??
    (status === undefined ? 'the store cannot be reached' : `the store answered ${status}`);
  return new FacewrightError('FW_STORAGE_UNAVAILABLE', { reason: reason as string }, { cause });
}

/** The object (or bucket, which a HEAD does not tell apart) is not there. */
export function isMissingInS3(e: unknown): boolean {
  const error = e as S3Error;
  return (
    error.name === 'NoSuchKey' || error.name === 'NotFound' || (error.$metadata?.httpStatusCode === 404 && error.name !== 'NoSuchBucket')
  );
}

/** What a log may know: errors of the SDK hold the whole exchange, with hosts, keys of objects and signatures. */
function slimCause({ name, code, $metadata }: S3Error): Error {
  const status = $metadata?.httpStatusCode;
  return Object.assign(new Error([name, code, status].filter((part) => part !== undefined).join(' ')), {
    ...(name === undefined ? {} : { name }),
    ...(code === undefined ? {} : { code }),
    ...(status === undefined ? {} : { $metadata: { httpStatusCode: status } }),
  });
}
