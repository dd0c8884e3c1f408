import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { createWarning, FacewrightError, isFacewrightError, type Warning } from '@facewright/protocol';
import type { InferenceSession } from 'onnxruntime-node';
import { type CacheEntry, cacheEntry } from '../cache/cache-entry.ts';
import { defaultCacheDir } from '../cache/default-cache-dir.ts';
import { removeStaleEntries } from '../cache/remove-stale-entries.ts';
import { checkNotCanceled } from './check-not-canceled.ts';
import { chooseProvider, type ProbeProvider, probeProvider } from './choose-provider.ts';
import { CONVERTER_VERSION, convertTfliteToOnnx } from './convert-tflite-to-onnx.ts';
import { detectFaces } from './detect-faces.ts';
import type { FaceNetworks, Provider } from './face-networks.ts';
import { regionFromDetection, regionFromLandmarks } from './face-region.ts';
import { findLandmarksInRegion } from './find-landmarks.ts';
import { loadOnnxruntime, type Onnxruntime } from './load-onnxruntime.ts';
import { NETWORK_ASSETS, type NetworkAsset, readNetworkAsset } from './read-network-asset.ts';

export interface LoadNetworksOptions {
  /** @default 'cpu' */
  readonly provider?: Provider;
  /** Folder for converted networks; null: none. @default see {@link defaultCacheDir} */
  readonly cacheDir?: string | null;
}

/** Runs a network on one input, shape (side,side,3); its outputs by name. */
export type RunNetwork = (input: Float32Array) => Promise<Readonly<Record<string, Float32Array>>>;

/** The inference engine, and how a provider is tried. */
export interface InferenceRuntime {
  readonly load: () => Promise<Onnxruntime>;
  readonly probe: ProbeProvider;
}

/**
 * Loads the face detector and the landmark network.
 *
 * A provider other than the CPU runs every node of both networks or is refused: onnxruntime would otherwise hand what a GPU
 * lacks to the CPU in silence, and `provider` would tell half of the truth. Each network is run once on it, so that one that
 * cannot run them is noticed here; `auto` then takes the CPU.
 *
 * @param runtime @default onnxruntime-node without telemetry, and a trial in a process of its own
 * @throws FW_NETWORK_CORRUPT, FW_PROVIDER_UNAVAILABLE
 */
export async function loadFaceNetworks(
  options: LoadNetworksOptions = {},
  runtime: InferenceRuntime = { load: loadOnnxruntime, probe: probeProvider },
): Promise<FaceNetworks> {
  const ort = await runtime.load();
  const wanted = options.provider ?? 'cpu';
  const provider = await chooseProvider(ort, wanted, runtime.probe);
  try {
    return await loadOn(ort, provider, options);
  } catch (e) {
    if (wanted !== 'auto' || provider === 'cpu' || !isFacewrightError(e, 'FW_PROVIDER_UNAVAILABLE')) throw e;
    return await loadOn(ort, 'cpu', options);
  }
}

async function loadOn(ort: Onnxruntime, provider: FaceNetworks['provider'], options: LoadNetworksOptions): Promise<FaceNetworks> {
  const cacheDir = options.cacheDir === undefined ? defaultCacheDir() : options.cacheDir;
  const [detector, landmarker] = await Promise.all([
    readNetwork(ort, 'face-detector', provider, cacheDir),
    readNetwork(ort, 'face-landmarks', provider, cacheDir),
  ]);
  const warnings: Warning[] = [];
  const writeError = detector.writeError ?? landmarker.writeError;
  if (cacheDir !== null && writeError !== null) {
    warnings.push(createWarning('CACHE_NOT_WRITABLE', { path: cacheDir, reason: writeError }));
  }

  const sessions: InferenceSession[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(sessions.splice(0).map((s) => s.release()));
  };
  const open = async (name: NetworkAsset, network: CacheEntry): Promise<RunNetwork> => {
    const session = await createSession(ort, name, network.bytes, { provider, isOptimized: network.isImproved && provider === 'cpu' });
    sessions.push(session);
    return networkRunner(ort, session);
  };
  let runDetector: RunNetwork;
  let runLandmarker: RunNetwork;
  try {
    runDetector = await open('face-detector', detector);
    runLandmarker = await open('face-landmarks', landmarker);
    if (provider !== 'cpu')
      await warmUp(provider, [runDetector(new Float32Array(3 * 128 ** 2)), runLandmarker(new Float32Array(3 * 192 ** 2))]);
  } catch (e) {
    // Sessions hold native memory, which no garbage collection frees.
    await close();
    throw e;
  }

  return {
    provider,
    warnings,
    info: {
      onnxruntime: versionOf(ort),
      cache: detector.state === 'hit' ? landmarker.state : detector.state,
      cacheDir,
    },
    detectFaces: (raster, detectOptions) => detectFaces({ detector: runDetector, landmarker: runLandmarker }, raster, detectOptions),
    async findLandmarks(raster, detection, { passes = 1, signal } = {}) {
      checkNotCanceled(signal, 'landmarks');
      const first = await findLandmarksInRegion(runLandmarker, raster, regionFromDetection(detection));
      if (passes === 1) return first;
      checkNotCanceled(signal, 'landmarks');
      return findLandmarksInRegion(runLandmarker, raster, regionFromLandmarks(first.points));
    },
    close,
  };
}

/**
 * The network as ONNX, from the cache when it is there. For the CPU it is kept as onnxruntime optimised it, which saves
 * 90 ms of each later start; that form depends on the release and on what the processor can do, hence both in the name.
 */
async function readNetwork(ort: Onnxruntime, asset: NetworkAsset, provider: string, cacheDir: string | null): Promise<CacheEntry> {
  const kind = provider === 'cpu' ? `${versionOf(ort)}-${identifyProcessor()}` : 'plain';
  const name = `${asset}-${NETWORK_ASSETS[asset].sha256.slice(0, 16)}-v${CONVERTER_VERSION}-${kind}.onnx`;
  const make = async (): Promise<Uint8Array> => {
    const tflite = await readNetworkAsset(asset);
    try {
      return convertTfliteToOnnx(tflite);
    } catch (cause) {
      throw new FacewrightError('FW_NETWORK_CORRUPT', { name: asset, reason: (cause as Error).message }, { cause });
    }
  };
  const optimize = async (bytes: Uint8Array, scratchPath: string): Promise<Uint8Array> => {
    const session = await createSession(ort, asset, bytes, { provider, isOptimized: false, optimizedModelFilePath: scratchPath });
    await session.release();
    return readFile(scratchPath);
  };
  const network = await (provider === 'cpu' ? cacheEntry(cacheDir, name, make, optimize) : cacheEntry(cacheDir, name, make));
  if (cacheDir !== null && network.state === 'made') await removeStaleEntries(cacheDir, asset, name);
  return network;
}

const versionOf = (ort: Onnxruntime): string => ort.env.versions.node ?? ort.env.versions.common;

/** Eight characters that differ between processors for which onnxruntime lays out its weights differently (AVX2, AVX-512, …). */
function identifyProcessor(): string {
  let flags = '';
  try {
    // The model's name alone is not enough: a virtual machine may hide some of what the processor can do.
    flags = /^(?:flags|Features)\s*:.*$/m.exec(readFileSync('/proc/cpuinfo', 'latin1'))?.[0] ?? '';
  } catch {
    // Not Linux: the model's name has to do.
  }
  const identity = [process.platform, process.arch, cpus()[0]?.model, flags].join('|');
  return createHash('sha256').update(identity).digest('hex').slice(0, 8);
}

async function createSession(
  ort: Onnxruntime,
  name: string,
  bytes: Uint8Array,
  options: { readonly provider: string; readonly isOptimized: boolean; readonly optimizedModelFilePath?: string },
): Promise<InferenceSession> {
  const { provider, isOptimized, ...rest } = options;
  try {
    return await ort.InferenceSession.create(bytes, {
      executionProviders: [provider],
      // One thread: parallelism is over photos, and spinning helpers slow a busy machine down.
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: isOptimized ? 'disabled' : 'all',
      // 3: errors only; the warnings name constants that the optimiser folded, and that a written model fits this machine.
      logSeverityLevel: 3,
      // Every node on the provider or an error: see loadFaceNetworks.
      ...(provider === 'cpu' ? {} : { extra: { session: { disable_cpu_ep_fallback: '1' } } }),
      ...rest,
    });
  } catch (cause) {
    throw new FacewrightError(
      'FW_PROVIDER_UNAVAILABLE',
      { provider, available: provider === 'cpu' ? [] : ['cpu'], reason: `it cannot run all of the network "${name}"` },
      { cause },
    );
  }
}

/** First runs, which compile kernels on a GPU and show whether it can run them at all. */
async function warmUp(provider: string, runs: ReturnType<RunNetwork>[]): Promise<void> {
  try {
    for (const outputs of await Promise.all(runs)) {
      for (const values of Object.values(outputs)) if (!values.every(Number.isFinite)) throw new Error('its results are not finite');
    }
  } catch (cause) {
    const reason = `it cannot run the networks: ${(cause as Error).message.slice(0, 120)}`;
    throw new FacewrightError('FW_PROVIDER_UNAVAILABLE', { provider, available: ['cpu'], reason }, { cause });
  }
}

function networkRunner(ort: Onnxruntime, session: InferenceSession): RunNetwork {
  const shape = (session.inputMetadata[0] as InferenceSession.TensorValueMetadata).shape as number[];
  return async (input) => {
    const results = await session.run({ input: new ort.Tensor('float32', input, shape) });
    return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.data as Float32Array]));
  };
}
