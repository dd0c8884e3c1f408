import type { WireError } from '@facewright/protocol';
import { jobOptionsSchema } from '@facewright/protocol/api';
import { z } from 'zod';

const wireErrorSchema = z.object({ code: z.string(), message: z.string(), params: z.unknown() }) as unknown as z.ZodType<WireError>;

const batchPhotoSchema = z.object({
  /** As sent, without folders. */
  name: z.string(),
  bytes: z.int(),
  /** Of its reconstruction; null where it was refused before it became one. */
  jobId: z.string().nullable(),
  /** Where it waits until there is room in the queue; null where it was refused. */
  key: z.string().nullable(),
  error: wireErrorSchema.nullable(),
});

/** A batch as it was accepted. Written once and never changed; what became of its photos is told by their jobs. */
const batchRecordSchema = z.object({
  version: z.literal(1),
  tenant: z.string(),
  id: z.string(),
  /** Unix ms. */
  createdAt: z.number(),
  /** Of everything that a repeated request must have in common. Lower-case hex. */
  fingerprint: z.string(),
  requestId: z.string(),
  traceparent: z.string().nullable(),
  options: jobOptionsSchema,
  webhookUrl: z.string().nullable(),
  photos: z.array(batchPhotoSchema),
});

export type BatchRecord = z.output<typeof batchRecordSchema>;
export type BatchPhoto = z.output<typeof batchPhotoSchema>;

/** @throws what zod throws, where a stored record is damaged */
export const parseBatchRecord = (text: string): BatchRecord => batchRecordSchema.parse(JSON.parse(text));
export const parseWireError = (text: string): WireError => wireErrorSchema.parse(JSON.parse(text));
