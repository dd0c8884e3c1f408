/**
 * @module Every setting of the service, once: flags (`--max-queued 100`), environment (`FACEWRIGHT_MAX_QUEUED=100`) and the file of
 * `--config` (JSON, `{"maxQueued": 100}`) have the same names and are checked by this schema. `PORT` stands for
 * `FACEWRIGHT_PORT` where that is not set. `facewright config` prints the values and where each comes from; secrets are redacted.
 */

import { z } from 'zod';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const text = z.string().min(1).max(4096);
const secret = (schema: z.ZodString) => schema.meta({ secret: true });
const count = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const flag = z.union([z.boolean(), z.stringbool()]);

export const configSchema = z.strictObject({
  host: text.default('127.0.0.1').describe('Address to listen on. Anything but loopback needs keys.'),
  port: count(0, 65_535).default(8080).describe('Port of the API; 0 takes a free one.'),
  adminHost: text.default('127.0.0.1').describe('Address of /metrics.'),
  adminPort: count(0, 65_535).default(9090).describe('Port of /metrics and the health routes for probes; 0 takes a free one.'),
  basePath: z
    .string()
    .regex(/^(\/[A-Za-z0-9._~-]+)*$/)
    .default('')
    .describe('Path prefix that a proxy leaves in front of every route, e.g. /facewright.'),
  publicUrl: z.url().optional().describe('What users type, where it differs from what arrives (absolute links for Gradio clients).'),
  trustProxy: flag.default(false).describe('Believe X-Forwarded-For and X-Forwarded-Proto (only behind a proxy of your own).'),
  corsOrigins: z
    .union([z.array(text), text.transform((t) => t.split(','))])
    .default([])
    .describe('Origins that browsers may call from; none by default.'),

  dataDir: text.default('facewright-data').describe('Folder for results, journal and keys (also an RWX volume).'),
  redisUrl: secret(text).optional().describe('redis:// or rediss:// address: jobs are kept there instead of in the journal.'),
  redisPrefix: text.default('facewright').describe('Prefix of all keys in Redis.'),
  s3Bucket: text.optional().describe('Bucket for photos and results instead of the data folder.'),
  s3Endpoint: z.url().optional().describe('Address of an S3-compatible store; default is that of AWS.'),
  s3Region: text.default('us-east-1').describe('Region of the bucket.'),
  s3Prefix: z.string().default('').describe('Prefix of all keys in the bucket.'),
  s3AccessKeyId: secret(text).optional().describe('Default: the usual places of the AWS libraries.'),
  s3SecretAccessKey: secret(text).optional().describe('With s3AccessKeyId.'),
  s3PathStyle: flag.default(true).describe('Bucket in the path, not in the host name (most S3-compatible stores).'),

  keysFile: text
    .optional()
    .describe('File of API keys (hashes). Default: keys.json in the data folder. Without keys: one user, loopback only.'),
  linkSecret: secret(z.string().min(32))
    .optional()
    .describe('Signs links to files; instances that share a queue need the same. Default: made once, kept in the data folder.'),
  linkTtlS: count(10, 604_800).default(3600).describe('Seconds that a signed link works.'),

  workers: count(1, 256).optional().describe('Worker processes. Default: number of cores.'),
  provider: z.enum(['cpu', 'auto', 'webgpu', 'cuda']).default('cpu').describe('What runs the networks.'),
  cacheDir: text.optional().describe('Folder of converted networks. Default: the user’s cache folder.'),
  jobDeadlineS: count(1, 3600).default(120).describe('Seconds from acceptance after which a job fails.'),
  taskTimeoutS: count(1, 3600).default(60).describe('Seconds of work on one photo after which its worker is replaced.'),
  workerMemoryMb: count(200, 65_536).default(1024).describe('A worker that holds more resident memory after a job is replaced.'),

  maxPhotoBytes: count(1024, GIB)
    .default(25 * MIB)
    .describe('Bytes of one photo.'),
  maxPhotoPixels: count(4096, 10 ** 9)
    .default(120_000_000)
    .describe('Pixels of one photo.'),
  uploadTimeoutS: count(1, 3600).default(60).describe('Seconds that a request may take to arrive.'),
  maxConnections: count(1, 100_000).default(1024).describe('Open connections.'),
  maxQueued: count(1, 1_000_000).default(256).describe('Waiting jobs of all tenants; more are answered with 429.'),
  waitS: count(0, 600).default(30).describe('Seconds that a create request waits for its result where it does not say.'),
  maxWaitS: count(0, 600).default(120).describe('The most that a request may ask to wait.'),
  resultTtlS: count(1, 31_536_000).default(86_400).describe('Seconds that results are kept.'),
  batchMaxPhotos: count(1, 10_000).default(200).describe('Photos of one batch.'),
  batchMaxBytes: count(1024, 100 * GIB)
    .default(512 * MIB)
    .describe('Bytes of one batch, packed and unpacked.'),

  tenantRatePerMinute: count(1, 10 ** 6)
    .default(600)
    .describe('Requests per minute that cost work, for a tenant whose key does not say.'),
  tenantMaxPending: count(1, 10 ** 6)
    .default(200)
    .describe('Waiting and running jobs of a tenant.'),
  tenantMaxProcessing: count(1, 10 ** 4)
    .default(64)
    .describe('Running jobs of a tenant.'),
  tenantStorageBytes: count(MIB, 2 ** 50)
    .default(10 * GIB)
    .describe('Storage of a tenant.'),

  webhookSecret: secret(z.string().min(16)).optional().describe('Signs webhooks. Default: made once, kept in the data folder.'),
  webhookAllowPrivate: flag.default(false).describe('Allow webhooks to private and loopback addresses and to plain http.'),
  webhookAttempts: count(1, 20).default(6).describe('Deliveries that are tried.'),

  gradio: flag.default(true).describe('Serve the routes that Gradio clients need.'),
  studio: flag.default(true).describe('Serve the page at /.'),
  drainGraceS: count(0, 3600).default(25).describe('Seconds after SIGTERM for running work to end.'),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info').describe('JSON lines on stdout.'),
  otlpEndpoint: z.url().optional().describe('OpenTelemetry collector (OTLP over HTTP); no traces are sent without it.'),
});

/** Checked settings of one process. */
export type Config = z.output<typeof configSchema>;
