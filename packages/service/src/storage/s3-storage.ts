import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import type { HeadObjectCommandOutput, S3Client } from '@aws-sdk/client-s3';
import { FacewrightError } from '@facewright/protocol';
import { checkContentType, checkKey } from './check-key.ts';
import type { ListedObject, ObjectStorage, StoredObject } from './object-storage.ts';
import { resolveRange } from './resolve-range.ts';
import { createScratchFolder } from './scratch-folder.ts';
import { spoolToFile } from './spool-to-file.ts';
import { storageErrorFromFs } from './storage-error.ts';
import { isMissingInS3, storageErrorFromS3 } from './storage-error-from-s3.ts';
import { UsageIndex } from './usage-index.ts';

export interface S3StorageOptions {
  readonly bucket: string;
  /** Address of an S3-compatible store; without it that of AWS. */
  readonly endpoint?: string | undefined;
  readonly region: string;
  /** Of all keys in the bucket. */
  readonly prefix?: string;
  /** Without them: the usual places of the AWS libraries (environment, files, roles of the machine). */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
  /** Bucket in the path, not in the host name. */
  readonly pathStyle: boolean;
  /** Folder of this machine for uploads on their way and for photos that workers read; each process has one in it. */
  readonly scratchDir: string;
  /** The most that a request without a body may take, ms; one with a body may take longer by its size. */
  readonly requestTimeoutMs?: number;
  /** How old `usedBytes` may be for what other processes did, ms. */
  readonly usageRefreshMs?: number;
  /** Objects of one page of a listing; for tests. */
  readonly pageObjects?: number;
  readonly now?: () => number;
}

const MIB = 2 ** 20;
const DEFAULT_REQUEST_TIMEOUT_MS = 20_000;
const CONNECTION_TIMEOUT_MS = 3_000;
/** Silence on a connection in the middle of an object. A reader that is slow itself gets its 64 KiB at least this often. */
const SOCKET_TIMEOUT_MS = 60_000;
/** Slowest way to a store that is worth waiting for, bytes per millisecond. */
const SLOWEST_BYTES_PER_MS = 256;
/** A listing costs money and time at a store. */
const DEFAULT_USAGE_REFRESH_MS = 30_000;
/** Bytes that come as a whole and are no more are sent from memory. */
const MAX_MEMORY_BYTES = MIB;
const ATTEMPTS = 3;
const RETRY_PAUSE_MS = 200;
/** The most that one DeleteObjects request may name. */
const PAGE_OBJECTS = 1_000;
const SOCKETS = 64;
/** How long a successful test write stands for the next ones, ms: probes come every few seconds. */
const CHECK_VALID_MS = 60_000;
/** Not a key that `checkKey` lets through, so it can never be somebody's object. */
const CHECK_KEY = '@check';

/**
 * Objects in a bucket of S3 or a store that speaks its protocol.
 *
 * An upload first becomes a file of this machine and only then goes to the store: a client that goes away, a body that is too long,
 * a source that fails never reaches it; length and hash are known before the first byte is sent, so that the store checks them; and a
 * failed request can be sent again. One request per object (stores take 5 GiB; the largest photo that can be configured has 1 GiB):
 * there are no parts that a crash could leave behind unseen. The store itself makes an object appear whole or not at all.
 *
 * The libraries are loaded here and not before: a service without S3 does not pay for them.
 *
 * @throws FW_STORAGE_FULL, FW_STORAGE_UNAVAILABLE when the scratch folder cannot be made
 */
export async function createS3Storage(options: S3StorageOptions): Promise<ObjectStorage> {
  const { bucket } = options;
  const now = options.now ?? Date.now;
  const requestTimeoutMs = options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS;
  const rootPrefix = (options.prefix ?? '').replace(/\/*$/, '').replace(/^(.+)$/, '$1/');
  const aws = await import('@aws-sdk/client-s3');
  const client: S3Client = new aws.S3Client({
    region: options.region,
    forcePathStyle: options.pathStyle,
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    maxAttempts: ATTEMPTS,
    // The SDK writes some warnings to the console where it is given no log.
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
    // Newer SDKs add CRC trailers to every upload; stores that are not AWS refuse them or store the chunk framing as content. The
    // body is covered by its signed SHA-256 anyway.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      socketTimeout: SOCKET_TIMEOUT_MS,
      httpAgent: { keepAlive: true, maxSockets: SOCKETS },
      httpsAgent: { keepAlive: true, maxSockets: SOCKETS },
    },
  });
  const usage = new UsageIndex({ list, refreshMs: options.usageRefreshMs ?? DEFAULT_USAGE_REFRESH_MS, now });
  let checkedAt = Number.NEGATIVE_INFINITY;

  const place = (key: string): { readonly Bucket: string; readonly Key: string } => ({ Bucket: bucket, Key: rootPrefix + key });

  /** Runs a request with a time limit and the caller's signal. */
  async function request<T>(work: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal, bytes = 0): Promise<T> {
    if (signal?.aborted) throw new FacewrightError('FW_CANCELED', { stage: 'storage' });
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), requestTimeoutMs + bytes / SLOWEST_BYTES_PER_MS);
    try {
      return await work(signal === undefined ? limit.signal : AbortSignal.any([limit.signal, signal]));
    } catch (e) {
      if (signal?.aborted) throw new FacewrightError('FW_CANCELED', { stage: 'storage' }, { cause: e });
      throw isMissingInS3(e) ? e : storageErrorFromS3(e);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a whole body; `open` gives it anew for every attempt. */
  async function putWhole(
    key: string,
    open: () => Readable | Uint8Array,
    meta: { readonly contentType: string; readonly bytes: number; readonly sha256: string },
    signal?: AbortSignal,
  ): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const body = open();
      const command = new aws.PutObjectCommand({
        ...place(key),
        Body: body,
        ContentLength: meta.bytes,
        ContentType: meta.contentType,
        Metadata: { sha256: meta.sha256 },
      });
      // Signs the content too, which the SDK does not do for streams: the store refuses a body that was changed on the way.
      command.middlewareStack.add(
        (next) => (args) => {
          (args.request as { headers: Record<string, string> }).headers['x-amz-content-sha256'] = meta.sha256;
          return next(args);
        },
        { step: 'build', name: 'signContent' },
      );
      try {
        await request((abortSignal) => client.send(command, { abortSignal }), signal, meta.bytes);
        return;
      } catch (e) {
        // The SDK itself sends only bodies again that it holds in memory.
        const status = (e as FacewrightError & { cause?: { $metadata?: { httpStatusCode?: number } } }).cause?.$metadata?.httpStatusCode;
        const isWorthwhile = !(body instanceof Uint8Array) && (status === undefined || status >= 500 || status === 429);
        if (!isWorthwhile || signal?.aborted || attempt === ATTEMPTS) throw storageErrorFromS3(e);
        await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS * 2 ** attempt * (0.5 + Math.random() / 2)));
      } finally {
        if (!(body instanceof Uint8Array)) body.destroy();
      }
    }
  }

  async function putFile(
    key: string,
    path: string,
    meta: { readonly contentType: string; readonly bytes: number; readonly sha256: string },
    signal?: AbortSignal,
  ): Promise<StoredObject> {
    await putWhole(key, () => (meta.bytes === 0 ? new Uint8Array(0) : createReadStream(path)), meta, signal);
    usage.record(key, meta.bytes);
    return { key, ...meta, modifiedAt: now() };
  }

  async function* list(prefix: string): AsyncIterable<ListedObject> {
    if (prefix !== '') checkKey(prefix, 'prefix');
    let token: string | undefined;
    do {
      const page = await request((abortSignal) =>
        client.send(
          new aws.ListObjectsV2Command({
            Bucket: bucket,
            Prefix: prefix === '' ? rootPrefix : `${rootPrefix}${prefix}/`,
            MaxKeys: options.pageObjects ?? PAGE_OBJECTS,
            ContinuationToken: token,
          }),
          { abortSignal },
        ),
      ).catch((e: unknown) => {
        throw storageErrorFromS3(e);
      });
      for (const { Key, Size, LastModified } of page.Contents ?? []) {
        const key = Key?.slice(rootPrefix.length) ?? '';
        if (isKey(key)) yield { key, bytes: Size ?? 0, modifiedAt: LastModified?.getTime() ?? 0 };
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async function head(key: string): Promise<StoredObject | null> {
    try {
      return describe(key, await request((abortSignal) => client.send(new aws.HeadObjectCommand(place(key)), { abortSignal })));
    } catch (e) {
      if (isMissingInS3(e)) return null;
      throw e;
    }
  }

  async function get(
    key: string,
    get: { readonly range?: { readonly start: number; readonly end: number }; readonly signal?: AbortSignal } = {},
  ): Promise<{ readonly object: StoredObject; readonly stream: Readable } | null> {
    checkKey(key);
    const { range, signal } = get;
    // Not every store refuses what is no range, so it is not asked.
    const isRange =
      range === undefined ||
      (Number.isSafeInteger(range.start) && Number.isSafeInteger(range.end) && range.start >= 0 && range.start <= range.end);
    let outOfRange = !isRange;
    if (isRange) {
      try {
        const answer = await request(
          (abortSignal) =>
            client.send(
              new aws.GetObjectCommand({ ...place(key), ...(range === undefined ? {} : { Range: `bytes=${range.start}-${range.end}` }) }),
              {
                abortSignal,
              },
            ),
          signal,
        );
        const total = range === undefined ? answer.ContentLength : Number(/\/(\d+)$/.exec(answer.ContentRange ?? '')?.[1]);
        const stream = answer.Body as Readable;
        if (range === undefined || Number.isSafeInteger(total)) {
          const object = describe(key, { ...answer, ContentLength: total });
          return { object, stream: signal === undefined ? stream : addAbortSignal(signal, stream) };
        }
        // An answer without a range: an empty object at some stores.
        stream.on('error', () => {}).destroy();
        outOfRange = true;
      } catch (e) {
        if (isMissingInS3(e)) return null;
        if (!isOutOfRange(e)) throw e;
        outOfRange = true;
      }
    }
    const object = outOfRange ? await head(key) : null;
    if (object === null) return null;
    resolveRange(range, object.bytes);
    throw new FacewrightError('FW_RANGE_INVALID', { totalBytes: object.bytes });
  }

  async function deleteKeys(keys: readonly string[]): Promise<void> {
    const answer = await request((abortSignal) =>
      client.send(
        new aws.DeleteObjectsCommand({ Bucket: bucket, Delete: { Quiet: true, Objects: keys.map((key) => ({ Key: rootPrefix + key })) } }),
        { abortSignal },
      ),
    ).catch((e: unknown) => {
      throw storageErrorFromS3(e);
    });
    const failed = answer.Errors?.find((error) => error.Code !== 'NoSuchKey');
    if (failed !== undefined) throw storageErrorFromS3({ name: failed.Code, $metadata: { httpStatusCode: 200 } });
  }

  const scratch = await createScratchFolder({ root: options.scratchDir, now }).catch((e: unknown) => {
    throw storageErrorFromFs(e);
  });
  const scratchDir = scratch.dir;

  return {
    scratchDir,
    list,
    get,

    async put(key, source, put) {
      try {
        checkContentType(put.contentType);
        checkKey(key);
      } catch (e) {
        if (!(source instanceof Uint8Array)) source.on('error', () => {}).destroy();
        throw e;
      }
      if (source instanceof Uint8Array && source.byteLength <= MAX_MEMORY_BYTES) {
        if (put.signal?.aborted) throw new FacewrightError('FW_CANCELED', { stage: 'upload' });
        if (put.maxBytes !== undefined && source.byteLength > put.maxBytes) {
          throw new FacewrightError('FW_BODY_TOO_LARGE', { maxBytes: put.maxBytes });
        }
        const meta = { contentType: put.contentType, bytes: source.byteLength, sha256: createHash('sha256').update(source).digest('hex') };
        await putWhole(key, () => source, meta, put.signal);
        usage.record(key, meta.bytes);
        return { key, ...meta, modifiedAt: now() };
      }
      const path = join(scratchDir, `put-${randomName()}`);
      const spooled = await spoolToFile(source, path, {
        maxBytes: put.maxBytes,
        signal: put.signal,
        writeTimeoutMs: requestTimeoutMs,
        sync: false,
      });
      try {
        return await putFile(key, path, { contentType: put.contentType, ...spooled }, put.signal);
      } finally {
        await unlink(path).catch(() => {});
      }
    },

    async adopt(key, path, meta) {
      checkContentType(meta.contentType);
      checkKey(key);
      const file = await lstat(path).catch((e: unknown) => {
        throw storageErrorFromFs(e);
      });
      // A link could stand for any file of the machine.
      if (!file.isFile()) throw new FacewrightError('FW_INTERNAL', { what: 'what was to be stored is not a file' });
      if (file.size !== meta.bytes) throw new FacewrightError('FW_INTERNAL', { what: 'a file to be stored has another size than told' });
      const stored = await putFile(key, path, { contentType: meta.contentType, bytes: meta.bytes, sha256: meta.sha256 });
      await unlink(path).catch(() => {});
      return stored;
    },

    async stat(key) {
      checkKey(key);
      return await head(key);
    },

    async toLocalFile(key, signal) {
      const found = await get(key, signal === undefined ? {} : { signal });
      if (found === null) return null;
      const path = join(scratchDir, `copy-${randomName()}`);
      let spooled: { readonly bytes: number; readonly sha256: string };
      try {
        spooled = await spoolToFile(found.stream, path, { signal, writeTimeoutMs: requestTimeoutMs, sync: false });
      } catch (e) {
        throw storageErrorFromS3(e);
      }
      const release = (): Promise<void> => unlink(path).catch(() => {});
      if (spooled.bytes !== found.object.bytes || (found.object.sha256 !== '' && spooled.sha256 !== found.object.sha256)) {
        await release();
        throw new FacewrightError('FW_STORAGE_UNAVAILABLE', { reason: 'an object arrived damaged' });
      }
      return { path, release };
    },

    async delete(key) {
      checkKey(key);
      try {
        await request((abortSignal) => client.send(new aws.DeleteObjectCommand(place(key)), { abortSignal }));
      } catch (e) {
        if (!isMissingInS3(e)) throw e;
      }
      usage.record(key, null);
    },

    async deleteAll(prefix) {
      checkKey(prefix, 'prefix');
      let bytes = 0;
      let page: string[] = [];
      for await (const object of list(prefix)) {
        bytes += object.bytes;
        page.push(object.key);
        if (page.length < PAGE_OBJECTS) continue;
        await deleteKeys(page);
        page = [];
      }
      if (page.length > 0) await deleteKeys(page);
      usage.recordRemoval(prefix);
      return bytes;
    },

    async usedBytes(prefix) {
      checkKey(prefix, 'prefix');
      return await usage.usedBytes(prefix);
    },

    async check() {
      if (now() - checkedAt < CHECK_VALID_MS) {
        await request((abortSignal) => client.send(new aws.HeadBucketCommand({ Bucket: bucket }), { abortSignal })).catch((e: unknown) => {
          checkedAt = Number.NEGATIVE_INFINITY;
          throw storageErrorFromS3(isMissingInS3(e) ? { name: 'NoSuchBucket' } : e);
        });
        return;
      }
      const body = Buffer.from('written to see that writing works\n');
      const meta = { contentType: 'text/plain', bytes: body.byteLength, sha256: createHash('sha256').update(body).digest('hex') };
      await putWhole(CHECK_KEY, () => body, meta);
      checkedAt = now();
    },

    async close() {
      await scratch.close();
      client.destroy();
    },
  };
}

const randomName = (): string => randomBytes(12).toString('hex');

const isKey = (key: string): boolean => {
  try {
    checkKey(key);
    return true;
  } catch {
    return false;
  }
};

/** The store refused a range: an error that `request` made one of the table, whose cause says so. */
const isOutOfRange = (e: unknown): boolean => {
  const cause = (e as Error).cause as { name?: string; $metadata?: { httpStatusCode?: number } } | undefined;
  return cause?.name === 'InvalidRange' || cause?.$metadata?.httpStatusCode === 416;
};

const describe = (
  key: string,
  answer: Pick<HeadObjectCommandOutput, 'LastModified' | 'Metadata' | 'ContentType'> & { readonly ContentLength?: number | undefined },
): StoredObject => ({
  key,
  bytes: answer.ContentLength ?? 0,
  sha256: answer.Metadata?.sha256 ?? '',
  contentType: answer.ContentType ?? 'application/octet-stream',
  modifiedAt: answer.LastModified?.getTime() ?? 0,
});
