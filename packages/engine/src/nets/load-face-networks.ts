import { createWarning, FacewrightError, type Warning } from '@facewright/protocol';
import type { InferenceSession } from 'onnxruntime-node';
import { chooseProvider } from './choose-provider.ts';
import { CONVERTER_VERSION, convertTfliteToOnnx } from './convert-tflite-to-onnx.ts';
import { defaultCacheDir } from './default-cache-dir.ts';
import { detectFaces } from './detect-faces.ts';
import type { FaceNetworks, Provider } from './face-networks.ts';
import { regionFromDetection, regionFromLandmarks } from './face-region.ts';
import { findLandmarksInRegion } from './find-landmarks.ts';
import { loadOnnxruntime, type Onnxruntime } from './load-onnxruntime.ts';
import { cacheNetwork } from './network-cache.ts';
import { NETWORK_ASSETS, type NetworkAsset, readNetworkAsset } from './read-network-asset.ts';

export interface LoadNetworksOptions {
  /** @default 'cpu' */
  readonly provider?: Provider;
  /** Folder for converted networks; null: none. @default see {@link defaultCacheDir} */
  readonly cacheDir?: string | null;
  /** Called with each warning as it arises; they are in `networks.warnings` as well. */
  readonly onWarning?: (warning: Warning) => void;
}

/** Runs a network on one input, shape (side,side,3); its outputs by name. */
export type RunNetwork = (input: Float32Array) => Promise<Readonly<Record<string, Float32Array>>>;

/**
 * Loads the face detector and the landmark network and runs each once, so that a provider that cannot run them is
 * noticed here.
 *
 * @throws FW_NETWORK_CORRUPT, FW_PROVIDER_UNAVAILABLE
 */
export async function loadFaceNetworks(options: LoadNetworksOptions = {}): Promise<FaceNetworks> {
  const cacheDir = options.cacheDir === undefined ? defaultCacheDir() : options.cacheDir;
  const [ort, detector, landmarker] = await Promise.all([
    loadOnnxruntime(),
    readNetwork('face-detector', cacheDir),
    readNetwork('face-landmarks', cacheDir),
  ]);
  const warnings: Warning[] = [];
  const writeError = detector.writeError ?? landmarker.writeError;
  if (cacheDir !== null && writeError !== null) {
    const warning = createWarning('CACHE_NOT_WRITABLE', { path: cacheDir, reason: writeError });
    warnings.push(warning);
    options.onWarning?.(warning);
  }

  const provider = await chooseProvider(ort, options.provider ?? 'cpu');
  const sessions: InferenceSession[] = [];
  const open = async (name: NetworkAsset, bytes: Uint8Array): Promise<RunNetwork> => {
    const session = await createSession(ort, name, bytes, provider);
    sessions.push(session);
    return networkRunner(ort, session);
  };
  const runDetector = await open('face-detector', detector.bytes);
  const runLandmarker = await open('face-landmarks', landmarker.bytes);

  return {
    provider,
    warnings,
    info: {
      onnxruntime: ort.env.versions.node ?? ort.env.versions.common,
      cache: detector.state === 'hit' ? landmarker.state : detector.state,
      cacheDir,
    },
    detectFaces: (raster, detectOptions) => detectFaces(runDetector, raster, detectOptions),
    async findLandmarks(raster, detection, { passes = 1, signal } = {}) {
      checkNotCanceled(signal);
      const first = await findLandmarksInRegion(runLandmarker, raster, regionFromDetection(detection));
      if (passes === 1) return first;
      checkNotCanceled(signal);
      return findLandmarksInRegion(runLandmarker, raster, regionFromLandmarks(first.points));
    },
    async close() {
      await Promise.all(sessions.splice(0).map((s) => s.release()));
    },
  };
}

function readNetwork(asset: NetworkAsset, cacheDir: string | null) {
  const name = `${asset}-${NETWORK_ASSETS[asset].sha256.slice(0, 16)}-v${CONVERTER_VERSION}.onnx`;
  return cacheNetwork(cacheDir, name, async () => {
    const tflite = await readNetworkAsset(asset);
    try {
      return convertTfliteToOnnx(tflite);
    } catch (cause) {
      throw new FacewrightError('FW_NETWORK_CORRUPT', { name: asset, reason: (cause as Error).message }, { cause });
    }
  });
}

async function createSession(ort: Onnxruntime, name: string, bytes: Uint8Array, provider: string): Promise<InferenceSession> {
  try {
    return await ort.InferenceSession.create(bytes, {
      executionProviders: [provider],
      // One thread: parallelism is over photos, and spinning helpers slow a busy machine down.
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      // 3: errors only; the warnings name constants that the optimiser folded.
      logSeverityLevel: 3,
    });
  } catch (cause) {
    throw new FacewrightError(
      'FW_PROVIDER_UNAVAILABLE',
      { provider, available: [], reason: `it cannot load the network "${name}"` },
      { cause },
    );
  }
}

function networkRunner(ort: Onnxruntime, session: InferenceSession): RunNetwork {
  const shape = (session.inputMetadata[0] as InferenceSession.TensorValueMetadata).shape as number[];
  return async (input) => {
    const results = await session.run({ input: new ort.Tensor('float32', input, shape) });
    return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.data as Float32Array]));
  };
}

/** @throws FW_CANCELED */
export function checkNotCanceled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new FacewrightError('FW_CANCELED', { stage: 'networks' });
}
