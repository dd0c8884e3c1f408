import type { PreparedPhoto } from '@facewright/engine';
/**
 * An engine that needs no networks: the "photo" is a text that says what is to happen. For tests of the command line alone.
 *
 *   faces=2     that many faces, of falling size (default 1; with 0, number 1 is refused as FW_FACE_INDEX)
 *   fail=CODE   refused with this code: FW_FACE_NOT_FOUND, FW_INTERNAL ("boom"), ...
 *   refuse=2    face 2 is refused with FW_FACE_TOO_SMALL
 *   wait=200    takes that many milliseconds (stops early when aborted)
 *   big=5000000 the GLB has that many bytes
 *   warn        comes with a warning
 *   nofocal     names no focal length, as most photos from the web
 */

import { createWarning, FacewrightError } from '@facewright/protocol';
import type { Engine, EngineModule, EngineOptions, FoundFaces, Reconstruction } from '../src/engine-port.ts';

export interface FakeEngineModule extends EngineModule {
  /** What was called, in order. */
  readonly calls: string[];
  readonly createdWith: EngineOptions[];
}

export function createFakeEngine(): FakeEngineModule {
  const calls: string[] = [];
  const createdWith: EngineOptions[] = [];
  return {
    calls,
    createdWith,
    FACE_MODEL_IDS: ['head', 'canonical'],
    // Seven, to tell numbers that come from here from numbers that somebody knows by heart.
    STAGES: ['decode', 'detect', 'landmarks', 'fit', 'texture', 'texture', 'export'],
    NETWORK_ASSETS: {
      'face-detector': { file: 'a', sha256: 'aa' },
      'face-landmarks': { file: 'b', sha256: 'bb' },
      'canonical-mesh': { file: 'c', sha256: 'cc' },
    },
    readNetworkAsset: async () => new Uint8Array(1),
    listFaceModels: async () =>
      ['head', 'canonical'].map((id) => ({
        id,
        version: '1.0.0',
        licence: { spdx: 'MIT', source: `the source of ${id}` },
        vertices: 100,
        triangles: 200,
        identities: 10,
        blendshapes: 52,
        path: '/models/head.bin',
        bytes: 1000,
      })),
    verifyFaceModel: async () => [
      { name: 'neutral', ok: true, detail: '' },
      { name: 'uvs', ok: true, detail: '' },
    ],
    // The fake reads its instructions from the bytes: they are the prepared photo.
    preparePhoto: (bytes) => bytes as unknown as PreparedPhoto,
    async createEngine(options = {}) {
      calls.push('createEngine');
      createdWith.push(options);
      if (options.model !== undefined && options.model !== 'head') {
        throw new FacewrightError('FW_MODEL_UNKNOWN', { model: options.model, known: ['head'] });
      }
      return fakeEngine(calls);
    },
    async encodeFiles(reconstruction, { formats, compact }) {
      const { size } = reconstruction as Reconstruction & { size: number };
      const files = new Map<string, Uint8Array>();
      if (formats.includes('glb')) files.set('face.glb', Buffer.alloc(size, compact === true ? 'c' : 'g'));
      if (formats.includes('obj')) files.set('face.obj', Buffer.from('obj'));
      if (formats.includes('maps')) files.set('albedo.png', Buffer.from('png'));
      if (formats.includes('preview')) files.set('preview.png', Buffer.from('preview'));
      const list = [...files].map(([name, data]) => ({ name, bytes: data.byteLength, sha256: '0'.repeat(64) }));
      files.set('report.json', Buffer.from(JSON.stringify({ schema: 'facewright/report@1', facewright: '0', files: list })));
      return files;
    },
  };
}

function fakeEngine(calls: string[]): Engine {
  const instruction = (photo: Uint8Array, name: string): string | undefined => {
    const found = new RegExp(`\\b${name}(?:=(\\S+))?`).exec(Buffer.from(photo).toString());
    return found === null ? undefined : (found[1] ?? '');
  };
  const pose = {
    yawDeg: 1,
    pitchDeg: 2,
    rollDeg: 3,
    rotation: Float64Array.of(1, 0, 0, 0, -1, 0, 0, 0, -1),
    translation: Float64Array.of(0, 0, 500),
  };
  const faceOf = (photo: Uint8Array, index: number): FoundFaces['faces'][number] => ({
    index,
    box: { x: 10 * index, y: 10, width: 60 / index, height: 60 / index },
    score: 0.9,
    landmarks: {
      points: new Float64Array(3 * 478).fill(20),
      presence: 1,
      region: { centerX: 20, centerY: 20, sizePx: 60, rotationRad: 0 },
    },
    widthPx: 50 / index,
    pose,
    confidence: 0.8,
    residualRmsPx: 1,
    eyeDistancePx: 30,
    warnings: instruction(photo, 'nofocal') === undefined ? [] : [createWarning('CAMERA_FOCAL_ASSUMED', { focalRatio: 1.5 })],
    refusal: instruction(photo, 'refuse') === String(index) ? { code: 'FW_FACE_TOO_SMALL', message: 'small', hint: 'closer' } : null,
  });
  return {
    provider: 'cpu',
    warnings: [],
    networks: { onnxruntime: '0', cache: 'off', cacheDir: null },
    async reconstruct(source, options = {}) {
      const photo = source as Uint8Array;
      calls.push(`reconstruct ${options.face} ${options.fileName}`);
      const { signal, onProgress } = options;
      onProgress?.({ stage: 'decode', index: 0, total: 6, done: false });
      await waitMs(Number(instruction(photo, 'wait') ?? 0), signal);
      if (signal?.aborted) throw new FacewrightError('FW_CANCELED', { stage: 'decode' });
      failAsAsked(instruction(photo, 'fail'));
      const faceCount = Number(instruction(photo, 'faces') ?? 1);
      const faces = Array.from({ length: faceCount }, (_, i) => faceOf(photo, i + 1));
      if (faceCount > 1 && (options.face ?? 'only') === 'only') throw new FacewrightError('FW_FACE_SEVERAL', { faces });
      const faceIndex = typeof options.face === 'number' ? options.face : 1;
      if (faceIndex > faceCount) throw new FacewrightError('FW_FACE_INDEX', { index: faceIndex, count: faceCount });
      if (faces[faceIndex - 1]!.refusal !== null) throw new FacewrightError('FW_FACE_TOO_SMALL', { widthPx: 20, minPx: 40 });
      const made: Reconstruction & { size: number } = {
        face: { pose, confidence: 0.8, intrinsics: { focalPx: 1000, source: 'default' }, model: { id: 'head', version: '1.0.0' } },
        maps: { observedRatio: 0.5 },
        warnings: [
          ...(instruction(photo, 'warn') === undefined ? [] : [createWarning('PHOTO_GREY', {})]),
          ...(instruction(photo, 'nofocal') === undefined ? [] : [createWarning('CAMERA_FOCAL_ASSUMED', { focalRatio: 1.5 })]),
        ],
        timings: { decode: 1 },
        faceIndex,
        faceCount,
        provider: 'cpu',
        size: Number(instruction(photo, 'big') ?? 100),
      };
      return made;
    },
    async findFaces(photo) {
      calls.push('findFaces');
      failAsAsked(instruction(photo, 'fail'));
      const count = Number(instruction(photo, 'faces') ?? 1);
      return {
        photo: { width: 200, height: 100, format: 'png', exifFocalPx: null },
        faces: Array.from({ length: count }, (_, i) => faceOf(photo, i + 1)),
        view: { raster: { width: 200, height: 100, rgb: new Uint8Array(200 * 100 * 3).fill(90) }, x: 0, y: 0, scaleX: 1, scaleY: 1 },
        warnings: [],
      };
    },
    async close() {
      calls.push('close');
    },
  };
}

function failAsAsked(code: string | undefined): void {
  if (code === undefined) return;
  if (code === 'FW_INTERNAL') throw new TypeError('boom');
  if (code === 'FW_NETWORK_CORRUPT') throw new FacewrightError(code, { name: 'face-detector', reason: 'its checksum differs' });
  if (code === 'FW_ARG_INVALID') throw new FacewrightError(code, { name: 'region', expected: 'a part of the photo', actual: 'none' });
  throw new FacewrightError('FW_FACE_NOT_FOUND', { candidates: 0, bestScore: 0, minScore: 0.5 });
}

function waitMs(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (ms === 0 || signal?.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
