import { FacewrightError, type JobOptions } from '@facewright/protocol';
import { jobOptionsSchema } from '@facewright/protocol/api';
import { z } from 'zod';
import { errorFromIssues, invalidRequest } from './error-from-request.ts';

/** What a create request says besides the photo. */
export interface RequestFields {
  readonly options: JobOptions;
  readonly webhookUrl: string | null;
}

const NUMBERS: ReadonlySet<string> = new Set(['textureSize', 'focal35mm', 'deadlineS']);
const FLAGS: ReadonlySet<string> = new Set(['compact', 'keepPhoto']);
const webhookSchema = z.url({ protocol: /^https?$/ }).max(2000);

/**
 * Options from the text fields of a form or query.
 *
 * @throws FW_REQUEST_INVALID naming every field that is unknown or wrong, FW_MODEL_UNKNOWN
 */
export function parseJobOptions(fields: Readonly<Record<string, string>>, models: readonly string[]): RequestFields {
  const { webhook, ...rest }: Readonly<Record<string, string | undefined>> = fields;
  const parsed = jobOptionsSchema.safeParse(
    Object.fromEntries(Object.entries(rest).map(([name, text]) => [name, readField(name, text ?? '')])),
  );
  if (!parsed.success) throw errorFromIssues(parsed.error.issues, 'options');
  const options = { ...parsed.data, formats: [...new Set(parsed.data.formats)] };
  if (!models.includes(options.model)) throw new FacewrightError('FW_MODEL_UNKNOWN', { model: options.model, known: models });
  if (webhook !== undefined && !webhookSchema.safeParse(webhook).success) throw invalidRequest('webhook', 'is not an http(s) address');
  return { options, webhookUrl: webhook ?? null };
}

/** Text that is not of its type stays text, and the schema says what it should have been. */
function readField(name: string, text: string): unknown {
  if (NUMBERS.has(name)) return readNumber(text);
  if (FLAGS.has(name)) return ({ true: true, '1': true, false: false, '0': false } as Record<string, boolean>)[text] ?? text;
  if (name === 'formats') return text.split(',').map((format) => format.trim());
  if (name === 'face') return /^\d{1,3}$/.test(text) ? Number(text) : text;
  return text;
}

function readNumber(text: string): unknown {
  return /^-?\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : text;
}
