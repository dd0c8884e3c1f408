import { FacewrightError, type Warning } from '@facewright/protocol';
import { prepareEncoders } from './encode-files.ts';
import type { EngineOptions, FindFacesOptions, ReconstructOptions } from './engine-options.ts';
import { loadGlbTables } from './export/glb-tables.ts';
import { type FoundFaces, findFaces } from './find-faces.ts';
import { prepareAlignment } from './fit/align-to-landmarks.ts';
import { loadAlignmentGraph } from './fit/load-alignment-graph.ts';
import type { FaceModel } from './models/face-model.ts';
import { identifyModel } from './models/identify-model.ts';
import { loadFaceModel } from './models/load-face-model.ts';
import { loadFaceNetworks } from './nets/load-face-networks.ts';
import { type CanonicalMesh, readCanonicalMesh } from './nets/read-canonical-mesh.ts';
import { configureSharp } from './photo/configure-sharp.ts';
import type { PreparedPhoto } from './prepare-photo.ts';
import { reconstruct } from './reconstruct.ts';
import type { Reconstruction } from './reconstruction.ts';
import { checkTextureSize, TEXTURE_SIZE_RANGE } from './texture/check-texture-size.ts';
import { createTextureBaker, type TextureBaker } from './texture/create-texture-baker.ts';
import { loadTextureTables } from './texture/load-texture-tables.ts';

/** The loaded networks and models; makes faces of photos. Re-entrant: calls may overlap. */
export interface Engine {
  readonly provider: string;
  readonly warnings: readonly Warning[];
  readonly networks: { readonly onnxruntime: string; readonly cache: 'hit' | 'made' | 'off'; readonly cacheDir: string | null };
  /**
   * One photo in, one face out.
   *
   * @param photo - bytes of a JPEG, PNG, WebP, AVIF, TIFF or GIF file (not kept), or what {@link preparePhoto} made of them
   * @throws every FW_PHOTO_…, FW_FACE_…, FW_FIT_… code, FW_MODEL_UNKNOWN, FW_ARG_INVALID, FW_CANCELED
   */
  reconstruct(photo: Uint8Array | PreparedPhoto, options?: ReconstructOptions): Promise<Reconstruction>;
  /** The faces of a photo with landmarks and pose, largest first; no texture. Finding none is an empty list here. */
  findFaces(photo: Uint8Array, options?: FindFacesOptions): Promise<FoundFaces>;
  close(): Promise<void>;
}

/** What a reconstruction needs that is loaded once. */
export interface EngineParts {
  readonly networks: Awaited<ReturnType<typeof loadFaceNetworks>>;
  /** The network's own mean face. */
  readonly canonicalMesh: CanonicalMesh;
  readonly options: EngineOptions;
  readonly now: () => number;
  model(id: string | undefined): Promise<FaceModel>;
  baker(model: FaceModel, size: number | undefined): Promise<TextureBaker>;
}

/**
 * Loads the networks and the face model (both at once) and returns what makes faces with them.
 *
 * @throws FW_NETWORK_CORRUPT, FW_MODEL_UNKNOWN, FW_MODEL_CORRUPT, FW_MODEL_VERSION, FW_PROVIDER_UNAVAILABLE, FW_ARG_INVALID
 */
export async function createEngine(options: EngineOptions = {}): Promise<Engine> {
  configureSharp();
  const textureSize = checkTextureSize(options.textureSize ?? TEXTURE_SIZE_RANGE.default);
  const defaultModel = options.model ?? 'head';
  const models = new Map<string, Promise<FaceModel>>();
  const model = (id = defaultModel): Promise<FaceModel> => {
    let loading = models.get(id);
    if (loading === undefined) {
      loading = loadFaceModel(id);
      models.set(id, loading);
      // A model that failed to load may be mended while a service runs: the next call tries again.
      loading.catch(() => models.delete(id));
    }
    return loading;
  };
  const loadingNetworks = loadFaceNetworks({
    ...(options.provider === undefined ? {} : { provider: options.provider }),
    ...(options.cacheDir === undefined ? {} : { cacheDir: options.cacheDir }),
  });
  const [networks, canonicalMesh] = await Promise.all([loadingNetworks, readCanonicalMesh(), model()]).catch(async (e: unknown) => {
    // What did load holds native memory; a service that tries again must not pile it up.
    await loadingNetworks.then((loaded) => loaded.close()).catch(() => undefined);
    throw e;
  });

  // One baker per model and texture size: it holds the texel tables. Only the last size of a model is kept, so that a
  // service that is asked for all sizes does not hold the tables of all (64 MB at 4096).
  const bakers = new Map<string, { readonly size: number; readonly baker: Promise<TextureBaker> }>();
  const parts: EngineParts = {
    networks,
    canonicalMesh,
    options,
    now: options.now ?? (() => performance.now()),
    model,
    baker(faceModel, size) {
      const wanted = checkTextureSize(size ?? textureSize);
      const known = bakers.get(faceModel.id);
      if (known?.size === wanted) return known.baker;
      const baker = prepareFaces(faceModel, wanted, networks.info.cacheDir);
      bakers.set(faceModel.id, { size: wanted, baker });
      baker.catch(() => bakers.delete(faceModel.id));
      return baker;
    },
  };
  let isClosed = false;
  const checkOpen = (): void => {
    if (isClosed)
      throw new FacewrightError('FW_ARG_INVALID', { name: 'engine', expected: 'an engine that is not closed', actual: 'a closed one' });
  };
  return {
    provider: networks.provider,
    warnings: networks.warnings,
    networks: networks.info,
    async reconstruct(photo, reconstructOptions = {}) {
      checkOpen();
      return reconstruct(parts, photo, reconstructOptions);
    },
    async findFaces(photo, findOptions = {}) {
      checkOpen();
      return findFaces(parts, photo, findOptions);
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      await networks.close();
    },
  };
}

/** What faces of one model and texture size have in common: read from the cache folder, or made. */
async function prepareFaces(model: FaceModel, size: number, cacheDir: string | null): Promise<TextureBaker> {
  const hash = identifyModel(model);
  const loading = loadTextureTables(model, hash, size, cacheDir);
  // Without a folder each makes its own when it needs it.
  if (cacheDir !== null) {
    prepareAlignment(model, await loadAlignmentGraph(model, hash, cacheDir));
    prepareEncoders(model, await loadGlbTables(model, hash, cacheDir));
  }
  return createTextureBaker(model, await loading);
}
