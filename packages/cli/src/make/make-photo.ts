import { createHash } from 'node:crypto';
import { basename, extname } from 'node:path';
import { FacewrightError, isFacewrightError, type Warning } from '@facewright/protocol';
import type { Engine, EngineModule, OnProgress, PoseAngles, Reconstruction } from '../engine-port.ts';
import { computeFingerprint, isFinished, REPORT_NAME } from '../output/finished-result.ts';
import { mapWriteError } from '../output/map-write-error.ts';
import { putBackResult } from '../output/put-back-result.ts';
import { checkTarget, writeFolder } from '../output/write-folder.ts';
import { readVersion } from '../version.ts';
import type { MakeJob, MakeOptions } from './make-options.ts';
import { readPhoto } from './read-photo.ts';

/** One face of a finished photo. Plain JSON. */
export interface MadeFace {
  readonly face: number;
  /** Folder inside the result; '' where the photo gave one face. */
  readonly folder: string;
  readonly pose: PoseAngles;
  readonly confidence: number;
  readonly observedRatio: number;
  readonly focal: { readonly px: number; readonly source: string };
  readonly model: { readonly id: string; readonly version: string };
  readonly warnings: readonly Warning[];
  /** Wall time of each stage, milliseconds. */
  readonly timings: Readonly<Partial<Record<string, number>>>;
}

/** What became of one photo. Plain JSON. */
export interface MadePhoto {
  readonly state: 'made' | 'skipped';
  readonly target: string;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  readonly faces: readonly MadeFace[];
  /** With `--face all`: faces that could not be made. */
  readonly refused: readonly RefusedFace[];
  readonly provider: string | null;
}

export interface RefusedFace {
  readonly face: number;
  readonly code: string;
  readonly message: string;
}

/** What finished results are recognised by, written into report.json. The photo's name is not in here: it may say who it shows. */
export interface RunRecord {
  readonly photoSha256: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly fingerprint: string;
}

/** Detector score that a face needs, for the message of an engine that gives a photo back without any face. As the engine's own bound. */
const MIN_SCORE = 0.7;

/** Makes the record of a run from the photo's bytes and the options that change the result. */
export function createRunRecord(job: MakeJob, bytes: Uint8Array, options: MakeOptions): RunRecord {
  const photoSha256 = createHash('sha256').update(bytes).digest('hex');
  const recorded = {
    model: options.engine.model ?? 'head',
    textureSize: options.engine.textureSize,
    formats: [...options.formats].sort(),
    compact: options.compact,
    face: options.face,
    focalPx: options.focalPx,
    focal35mm: options.focal35mm,
    provider: options.engine.provider ?? 'cpu',
  };
  const shown = JSON.parse(JSON.stringify(recorded)) as Record<string, unknown>;
  // The ending is part of it: a wrong one gives a warning.
  const extension = extname(job.photo).toLowerCase();
  const fingerprint = computeFingerprint({ version: readVersion(), photo: photoSha256, extension, options: shown });
  return { photoSha256, options: shown, fingerprint };
}

/**
 * The finished result of this photo with these options if it is there already, else null. Needs no engine.
 *
 * @throws FW_PHOTO_UNREADABLE, FW_PHOTO_TOO_MANY_BYTES
 */
export async function findFinished(job: MakeJob, options: MakeOptions): Promise<MadePhoto | null> {
  const bytes = await readPhoto(job.photo, options.engine.limits?.maxBytes);
  await putBackResult(job.target).catch((error: unknown) => {
    throw mapWriteError(error, job.target);
  });
  const report = await isFinished(job.target, createRunRecord(job, bytes, options).fingerprint);
  if (report === null) return null;
  return {
    state: 'skipped',
    target: job.target,
    files: [...report.files.map(({ name, bytes: size }) => ({ name, bytes: size }))],
    faces: [],
    refused: report.refused ?? [],
    provider: null,
  };
}

/**
 * One photo in, one folder of files out: read → reconstruct → encode → write, whole or not at all.
 *
 * @throws every FW_PHOTO_…, FW_FACE_…, FW_FIT_…, FW_OUTPUT_… code, what `createEngine` throws, FW_CANCELED
 */
export async function makePhoto(
  job: MakeJob,
  options: MakeOptions,
  dependencies: { readonly engineModule: () => Promise<EngineModule>; readonly engine: () => Promise<Engine> },
  events: { readonly signal?: AbortSignal | undefined; readonly onProgress?: OnProgress | undefined } = {},
): Promise<MadePhoto> {
  // Cheap refusals first, before anything is loaded.
  await checkTarget(job.target, options);
  const bytes = await readPhoto(job.photo, options.engine.limits?.maxBytes);
  const record = createRunRecord(job, bytes, options);

  const loading = dependencies.engine();
  loading.catch(() => undefined); // awaited below
  const { encodeFiles, preparePhoto, STAGES } = await dependencies.engineModule();
  // Decoded while networks and models load, and once however many faces are made of it.
  const { limits } = options.engine;
  const photo = preparePhoto(bytes, { fileName: basename(job.photo), ...(limits === undefined ? {} : { limits }) });
  const engine = await loading;
  const { signal, onProgress } = events;
  const call = {
    fileName: basename(job.photo),
    ...(options.focalPx === undefined ? {} : { focalPx: options.focalPx }),
    ...(options.focal35mm === undefined ? {} : { focal35mm: options.focal35mm }),
    ...(signal === undefined ? {} : { signal }),
  };

  const files = new Map<string, Uint8Array>();
  const faces: MadeFace[] = [];
  const refused: RefusedFace[] = [];
  const encode = async (reconstruction: Reconstruction, folder: string): Promise<void> => {
    const position = { stage: 'export', index: STAGES.indexOf('export'), total: STAGES.length } as const;
    onProgress?.({ ...position, done: false });
    const start = performance.now();
    const encoded = await encodeFiles(reconstruction, { formats: options.formats, compact: options.compact });
    const ms = performance.now() - start;
    for (const [name, data] of encoded) files.set(folder === '' ? name : `${folder}/${name}`, data);
    faces.push(describeFace(reconstruction, folder, ms));
    onProgress?.({ ...position, done: true, ms });
  };
  const reportProgress = onProgress === undefined ? {} : { onProgress };
  if (options.face !== 'all') {
    const reconstruction = await engine.reconstruct(photo, { ...call, ...reportProgress, face: options.face });
    await encode(reconstruction, '');
    files.set(REPORT_NAME, addToReport(files.get(REPORT_NAME), record));
  } else {
    // How many faces there are is learnt on the way: asking first would decode the photo and find them once more.
    let faceCount = Number.POSITIVE_INFINITY;
    let firstError: FacewrightError | undefined;
    for (let index = 1; index <= faceCount; index++) {
      try {
        const reconstruction = await engine.reconstruct(photo, { ...call, ...reportProgress, face: index });
        faceCount = reconstruction.faceCount;
        await encode(reconstruction, `face-${index}`);
      } catch (error) {
        // There is no face of this number: all have been tried.
        if (isFacewrightError(error, 'FW_FACE_INDEX')) break;
        if (!isRefusal(error)) throw error;
        firstError ??= error;
        refused.push({ face: index, code: error.code, message: error.message });
        // The count comes with a face that could be made; without one it must be asked for.
        if (faceCount === Number.POSITIVE_INFINITY) faceCount = (await engine.findFaces(bytes, call)).faces.length;
      }
    }
    // With nothing made, the photo fails for the reason of its largest face.
    if (faces.length === 0)
      throw firstError ?? new FacewrightError('FW_FACE_NOT_FOUND', { candidates: 0, bestScore: 0, minScore: MIN_SCORE });
    files.set(REPORT_NAME, formatFacesReport(files, faces, refused, record));
  }
  await writeFolder(job.target, files, {
    force: options.force,
    cwd: options.cwd,
    ...(signal === undefined ? {} : { signal }),
  });
  return {
    state: 'made',
    target: job.target,
    files: [...files].map(([name, data]) => ({ name, bytes: data.byteLength })),
    faces,
    refused,
    provider: engine.provider,
  };
}

/** True for what is wrong with one face rather than with the photo, the installation or the disk. */
function isRefusal(error: unknown): error is FacewrightError {
  return isFacewrightError(error) && /^FW_(FACE|FIT)_/.test(error.code) && error.code !== 'FW_FACE_NOT_FOUND';
}

function describeFace(reconstruction: Reconstruction, folder: string, exportMs: number): MadeFace {
  const { face, maps, warnings, timings, faceIndex } = reconstruction;
  const { yawDeg, pitchDeg, rollDeg } = face.pose;
  return {
    face: faceIndex,
    folder,
    pose: { yawDeg, pitchDeg, rollDeg },
    confidence: face.confidence,
    observedRatio: maps.observedRatio,
    focal: { px: face.intrinsics.focalPx, source: face.intrinsics.source },
    model: { id: face.model.id, version: face.model.version },
    warnings,
    timings: { ...timings, export: exportMs },
  };
}

/** The engine's report.json with the record of the run added. */
function addToReport(bytes: Uint8Array | undefined, run: RunRecord): Uint8Array {
  if (bytes === undefined) throw new FacewrightError('FW_INTERNAL', { what: `the engine made no ${REPORT_NAME}` });
  return formatJson({ ...(JSON.parse(Buffer.from(bytes).toString('utf8')) as Record<string, unknown>), run });
}

/** report.json of a photo with `--face all`; each face has its own as well. */
function formatFacesReport(
  files: ReadonlyMap<string, Uint8Array>,
  faces: readonly MadeFace[],
  refused: readonly RefusedFace[],
  run: RunRecord,
): Uint8Array {
  return formatJson({
    schema: 'facewright/faces@1',
    facewright: readVersion(),
    faces: faces.map(({ face, folder, confidence, pose }) => ({ face, folder, confidence, pose })),
    refused,
    files: [...files].map(([name, data]) => ({ name, bytes: data.byteLength, sha256: createHash('sha256').update(data).digest('hex') })),
    run,
  });
}

function formatJson(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}
