import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Written into every result: what it was made of, with which options, and which files belong to it. */
export const REPORT_NAME = 'report.json';

/** The part of report.json that the command line reads again. docs/command-line.md has the whole. */
export interface ResultReport {
  /** Version of the program that made it. */
  readonly facewright: string;
  /** `fingerprint`: hash of photo, options and versions; equal means that making it again would give the same. */
  readonly run: { readonly fingerprint: string };
  /** Every file of the result but report.json, by its path inside the result folder. */
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[];
  /** Faces that were asked for with `--face all` but refused. */
  readonly refused?: readonly { readonly face: number; readonly code: string; readonly message: string }[];
}

/**
 * Hash that names a result: photo bytes, options, version. Object keys are sorted, so their order does not matter.
 *
 * @param parts - JSON values only; `undefined` counts as absent
 */
export function computeFingerprint(parts: Readonly<Record<string, unknown>>): string {
  const sorted = JSON.stringify(parts, (_key, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  return createHash('sha256').update(sorted).digest('hex');
}

/** The report of the result in `folder`, or null where there is none that this program wrote. */
export async function readReport(folder: string): Promise<ResultReport | null> {
  try {
    const report: unknown = JSON.parse(await readFile(join(folder, REPORT_NAME), 'utf8'));
    return isReport(report) ? report : null;
  } catch {
    return null;
  }
}

/** True when `folder` holds the result with this fingerprint and all of its files are there in full size. */
export async function isFinished(folder: string, fingerprint: string): Promise<ResultReport | null> {
  const report = await readReport(folder);
  if (report === null || report.run.fingerprint !== fingerprint) return null;
  for (const file of report.files) {
    const found = await stat(join(folder, file.name)).catch(() => null);
    if (found === null || !found.isFile() || found.size !== file.bytes) return null;
  }
  return report;
}

/** Files of the result that `folder` holds, report.json among them, by their paths inside it; none where it holds none. */
export async function listOwnFiles(folder: string): Promise<ReadonlySet<string>> {
  const report = await readReport(folder);
  return new Set(report === null ? [] : [REPORT_NAME, ...report.files.map((file) => file.name)]);
}

/** Files and folders in `folder` that do not belong to the result that it holds, sorted; all of them where it holds none. */
export async function listForeignEntries(folder: string): Promise<string[]> {
  const entries = await readdir(folder);
  if (entries.length === 0) return [];
  const own = await listOwnFiles(folder);
  const foreign: string[] = [];
  const walk = async (inside: string): Promise<void> => {
    for (const entry of await readdir(join(folder, inside), { withFileTypes: true })) {
      const name = inside === '' ? entry.name : `${inside}/${entry.name}`;
      if (own.has(name)) continue;
      // A folder is ours when some file of ours lies below it and nothing else does.
      if (entry.isDirectory() && [...own].some((o) => o.startsWith(`${name}/`))) await walk(name);
      else if (!name.startsWith('.facewright-')) foreign.push(name);
    }
  };
  await walk('');
  return foreign.sort();
}

function isReport(value: unknown): value is ResultReport {
  if (value === null || typeof value !== 'object') return false;
  const r = value as Partial<ResultReport>;
  return (
    typeof r.facewright === 'string' &&
    typeof r.run?.fingerprint === 'string' &&
    Array.isArray(r.files) &&
    // Names come from a file that anybody may have edited: only paths that stay inside the folder count.
    r.files.every(
      (f) => typeof f?.name === 'string' && typeof f.bytes === 'number' && !f.name.startsWith('/') && !f.name.split(/[\\/]/).includes('..'),
    )
  );
}
