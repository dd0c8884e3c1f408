/** @module The part of the engine that the command line uses. Tests put a fake in its place; the real one is loaded only when a command needs it. */

import type {
  EngineOptions,
  FaceModelSummary,
  FoundFaces,
  ModelCheck,
  OnProgress,
  OutputFormat,
  PreparedPhoto,
  Stage,
} from '@facewright/engine';
import type { Warning } from '@facewright/protocol';

export type { EngineOptions, FaceModelSummary, FoundFaces, ModelCheck, OnProgress, OutputFormat } from '@facewright/engine';

export interface CallOptions {
  readonly focalPx?: number;
  readonly focal35mm?: number;
  readonly signal?: AbortSignal;
  readonly fileName?: string;
}

export interface PoseAngles {
  readonly yawDeg: number;
  readonly pitchDeg: number;
  readonly rollDeg: number;
}

export interface Reconstruction {
  readonly face: {
    readonly pose: PoseAngles;
    readonly confidence: number;
    readonly intrinsics: { readonly focalPx: number; readonly source: string };
    readonly model: { readonly id: string; readonly version: string };
  };
  readonly maps: { readonly observedRatio: number };
  readonly warnings: readonly Warning[];
  readonly timings: Readonly<Partial<Record<string, number>>>;
  readonly faceIndex: number;
  readonly faceCount: number;
  readonly provider: string;
}

export interface Engine {
  readonly provider: string;
  readonly warnings: readonly Warning[];
  readonly networks: { readonly onnxruntime: string; readonly cache: 'hit' | 'made' | 'off'; readonly cacheDir: string | null };
  reconstruct(
    photo: Uint8Array | PreparedPhoto,
    options?: CallOptions & {
      readonly face?: 'only' | 'largest' | number;
      readonly textureSize?: number;
      readonly onProgress?: OnProgress;
    },
  ): Promise<Reconstruction>;
  findFaces(photo: Uint8Array, options?: CallOptions): Promise<FoundFaces>;
  close(): Promise<void>;
}

/** Kinds of files that `--format` names. Known here as well, so that `--help` need not load the engine. */
export const FORMATS = ['glb', 'obj', 'maps', 'preview', 'json'] as const satisfies readonly OutputFormat[];

/** Data of the networks, taken from an npm package and checked by sha256. */
export type NetworkAsset = 'face-detector' | 'face-landmarks' | 'canonical-mesh';

export interface EngineModule {
  readonly FACE_MODEL_IDS: readonly string[];
  /** In order. */
  readonly STAGES: readonly Stage[];
  /** @throws FW_MODEL_CORRUPT, FW_MODEL_VERSION, FW_NETWORK_CORRUPT */
  listFaceModels(): Promise<FaceModelSummary[]>;
  /** @throws FW_MODEL_UNKNOWN, FW_MODEL_CORRUPT, FW_MODEL_VERSION */
  verifyFaceModel(id: string): Promise<readonly ModelCheck[]>;
  readonly NETWORK_ASSETS: Readonly<Record<NetworkAsset, { readonly file: string; readonly sha256: string }>>;
  /** @throws FW_NETWORK_CORRUPT */
  readNetworkAsset(asset: NetworkAsset): Promise<Uint8Array>;
  createEngine(options?: EngineOptions): Promise<Engine>;
  /** Begins to decode a photo while the engine loads. */
  preparePhoto(bytes: Uint8Array, options?: { readonly limits?: EngineOptions['limits']; readonly fileName?: string }): PreparedPhoto;
  encodeFiles(
    reconstruction: Reconstruction,
    options: { readonly formats: readonly OutputFormat[]; readonly compact?: boolean },
  ): Promise<ReadonlyMap<string, Uint8Array>>;
}
