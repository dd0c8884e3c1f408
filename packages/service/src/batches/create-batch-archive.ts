import type { Readable } from 'node:stream';
import { FacewrightError } from '@facewright/protocol';
import { ZipFile } from 'yazl';
import { publicError } from '../http/problem.ts';
import type { StoredFile } from '../jobs/job.ts';
import type { ObjectStorage } from '../storage/object-storage.ts';
import type { BatchRecord } from './batch-record.ts';
import { createFolderNames } from './photo-names.ts';
import type { BatchStatus, PhotoStatus } from './read-batch-status.ts';

/** Owner reads and writes, everybody reads. */
const FILE_MODE = 0o100644;
/** Packed: text. Everything else is packed already or would cost more time of the API than it saves. */
const TEXT = /\.(?:obj|mtl|json|csv|txt)$/i;

/**
 * One zip of everything of a batch that succeeded, in a folder per photo, with a report as JSON and as table. A stream: one file is
 * open at a time and nothing is held in memory. Where a file cannot be read the stream fails, so that no one takes a part for the whole.
 */
export function createBatchArchive(storage: ObjectStorage, record: BatchRecord, status: BatchStatus): Readable {
  const zip = new ZipFile();
  const output = zip.outputStream as Readable;
  const fail = (e: unknown): void => void output.destroy(e instanceof Error ? e : new Error('the archive cannot be made'));
  zip.on('error', fail);
  /** The file that is being packed. */
  let open: Readable | undefined;
  output.once('close', () => open?.destroy());
  const pack = (file: StoredFile, path: string, mtime: Date): void => {
    const options = { mtime, mode: FILE_MODE, size: file.bytes, compress: TEXT.test(file.name) };
    zip.addReadStreamLazy(path, options, (done) => {
      storage.get(file.key).then((found) => {
        if (found === null) return fail(new FacewrightError('FW_NOT_FOUND', { what: 'file' }));
        open = found.stream.on('error', fail);
        if (output.destroyed) return void open.destroy();
        done(null, open);
      }, fail);
    });
  };

  const folders = createFolderNames(status.photos.map((photo) => photo.name));
  const rows = status.photos.map((photo, i) => describe(photo, folders[i]!));
  const mtime = new Date(record.createdAt);
  const text = { mtime, mode: FILE_MODE, compress: true };
  zip.addBuffer(Buffer.from(formatJsonReport(record, status, rows)), 'report.json', text);
  zip.addBuffer(Buffer.from(formatCsvReport(rows)), 'report.csv', text);
  for (const [i, { job }] of status.photos.entries()) {
    if (job?.outcome == null) continue;
    for (const file of job.outcome.files) pack(file, `${folders[i]}/${file.name}`, new Date(job.finishedAt ?? record.createdAt));
  }
  zip.end();
  return output;
}

interface ReportRow {
  readonly name: string;
  /** In the archive; null where there is nothing of this photo. */
  readonly folder: string | null;
  readonly state: string;
  readonly reconstruction: string | null;
  readonly code: string | null;
  readonly message: string | null;
  readonly hint: string | null;
  readonly warnings: readonly string[];
}

function describe({ name, state, job, jobId, error }: PhotoStatus, folder: string): ReportRow {
  const told = error === null ? null : publicError(error);
  return {
    name,
    folder: job?.outcome == null ? null : folder,
    state,
    reconstruction: jobId,
    code: told?.code ?? null,
    message: told?.message ?? null,
    hint: told?.hint ?? null,
    warnings: job?.outcome?.warnings.map((warning) => warning.code) ?? [],
  };
}

function formatJsonReport(record: BatchRecord, status: BatchStatus, rows: readonly ReportRow[]): string {
  const report = {
    batch: record.id,
    createdAt: new Date(record.createdAt).toISOString(),
    state: status.state,
    options: record.options,
    photos: rows,
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

const COLUMNS = ['name', 'folder', 'state', 'reconstruction', 'code', 'message', 'hint', 'warnings'] as const;

/** RFC 4180 with a byte order mark, so that spreadsheets read names as UTF-8. */
function formatCsvReport(rows: readonly ReportRow[]): string {
  const lines = rows.map((row) => COLUMNS.map((column) => formatCell(row[column])).join(','));
  return `\uFEFF${[COLUMNS.join(','), ...lines].join('\r\n')}\r\n`;
}

function formatCell(value: string | null | readonly string[]): string {
  const text = value === null ? '' : typeof value === 'string' ? value : value.join(' ');
  // A spreadsheet would run a name that begins like a formula.
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n']/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
