import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isFacewrightError } from '@facewright/protocol';
import type { InferenceSession } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireShared } from '../../test/shared-files.ts';
import { openPhoto } from '../photo/open-photo.ts';
import type { Raster } from '../photo/raster.ts';
import type { FaceNetworks } from './face-networks.ts';
import { loadFaceNetworks } from './load-face-networks.ts';
import { loadOnnxruntime, type Onnxruntime } from './load-onnxruntime.ts';

const repositoryRoot = fileURLToPath(new URL('../../../../', import.meta.url));

/** What a start leaves behind that is killed while it writes. */
const killedStart = `face-landmarks-${'0'.repeat(16)}-v1-plain.onnx.1.00000000-0000-4000-8000-000000000000.tmp`;

async function writeOld(name: string): Promise<void> {
  await writeFile(join(dir, name), '');
  await utimes(join(dir, name), 0, 0);
}

let dir: string;
let networks: FaceNetworks;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'facewright-'));
  await writeOld(killedStart);
  await writeOld('notes.txt');
  networks = await loadFaceNetworks({ cacheDir: dir });
});
afterAll(async () => {
  await networks.close();
  await rm(dir, { recursive: true });
});

async function readRaster(path: string): Promise<Raster> {
  const photo = await openPhoto(await readFile(path));
  return (await photo.decode({})).raster;
}

/** MediaPipe counts pixel centres as whole numbers, the image frame has them at a half. */
const PIXEL_CENTER = 0.5;

/** Differences to reference points, per cent of the distance between the iris centres: [median, 95th percentile, median in depth]. */
function compareLandmarks(points: Float64Array, reference: readonly (readonly number[])[]): [number, number, number] {
  const irises = Math.hypot(reference[468]![0]! - reference[473]![0]!, reference[468]![1]! - reference[473]![1]!);
  const inPicture = reference.map((p, i) => Math.hypot(points[3 * i]! - PIXEL_CENTER - p[0]!, points[3 * i + 1]! - PIXEL_CENTER - p[1]!));
  const inDepth = reference.map((p, i) => Math.abs(points[3 * i + 2]! - p[2]!));
  const quantile = (values: number[], q: number) => (100 * values.sort((a, b) => a - b)[Math.floor(q * values.length)]!) / irises;
  return [quantile(inPicture, 0.5), quantile(inPicture, 0.95), quantile(inDepth, 0.5)];
}

interface Golden {
  readonly sha256: string;
  readonly landmarks: readonly (readonly number[])[];
}

const referenceDir = fileURLToPath(new URL('../../test/reference/', import.meta.url));

/** Photos with points of MediaPipe's. */
const GOLDENS: readonly [name: string, photo: string][] = [
  ['portrait', join(repositoryRoot, 'examples', 'portrait.jpg')],
  ['turned', join(referenceDir, 'turned.jpg')],
  ['cut', join(referenceDir, 'cut.jpg')],
];

async function compareWithGolden(loaded: FaceNetworks, name: string, photo: string, thorough: boolean): Promise<[number, number, number]> {
  const golden = JSON.parse(await readFile(join(referenceDir, `${name}.facemesh.json`), 'utf8')) as Golden;
  const sha256 = createHash('sha256')
    .update(await readFile(photo))
    .digest('hex');
  expect(sha256, 'the photo changed: make its golden anew, see test/reference/PROVENANCE.md').toBe(golden.sha256);
  const raster = await readRaster(photo);
  const [face] = await loaded.detectFaces(raster, { thorough });
  const { points, presence } = await loaded.findLandmarks(raster, face!);
  expect(presence).toBeGreaterThan(0.99);
  return compareLandmarks(points, golden.landmarks);
}

describe('landmarks against MediaPipe’s own Python package', () => {
  it.each(GOLDENS)('agree for the synthetic portrait "%s"', async (name, photo) => {
    for (const thorough of [false, true]) {
      const [median, p95, depth] = await compareWithGolden(networks, name, photo, thorough);
      // 0.3 % is the engine's promise. Measured: at most 0.005, 0.008 and 0.003 %, so more is a change of sampling or network.
      expect(median).toBeLessThan(0.02);
      expect(p95).toBeLessThan(0.05);
      expect(depth).toBeLessThan(0.02);
    }
  });

  it('are compared where it is hard: a region that is rolled, one that leaves the photo at two sides', async () => {
    const regionOf = async (name: string) => {
      const raster = await readRaster(join(referenceDir, `${name}.jpg`));
      const [face] = await networks.detectFaces(raster, { thorough: false });
      return (await networks.findLandmarks(raster, face!)).region;
    };
    expect(Math.abs((await regionOf('turned')).rotationRad)).toBeGreaterThan(0.3);
    const cut = await regionOf('cut');
    expect(Math.abs(cut.rotationRad)).toBeGreaterThan(0.15);
    const reach = (cut.sizePx / 2) * (Math.abs(Math.cos(cut.rotationRad)) + Math.abs(Math.sin(cut.rotationRad)));
    expect(cut.centerX - reach).toBeLessThan(-0.1 * cut.sizePx);
    expect(cut.centerY - reach).toBeLessThan(0);
  });

  // A driver that draws on the CPU takes a second per network and photo, several on a busy machine.
  it.for(['webgpu', 'cuda'] as const)('agree on %s', { timeout: 300_000 }, async (provider, ctx) => {
    const loaded = await loadFaceNetworks({ provider, cacheDir: dir }).catch((e: unknown) => {
      if (isFacewrightError(e, 'FW_PROVIDER_UNAVAILABLE')) ctx.skip(`${provider} does not run here: ${e.params.reason}`);
      throw e;
    });
    // 0.3 %: GPUs sum in another order, and some in 16 bits. That much is what the engine promises to be faithful to.
    for (const [name, photo] of GOLDENS) expect((await compareWithGolden(loaded, name, photo, false))[0], name).toBeLessThan(0.3);
    await loaded.close();
  });

  it('agree for the single portraits of the shared photos', async (ctx) => {
    const reference = JSON.parse(await readFile(requireShared(ctx, 'reference/mediapipe-0.10.21-facemesh.json'), 'utf8')) as Record<
      string,
      number[][] | null
    >;
    const names = Object.keys(reference).filter((name) => /^(f_|t_man|x_partial)/.test(name));
    expect(names.length).toBeGreaterThanOrEqual(10);
    for (const name of names) {
      const raster = await readRaster(requireShared(ctx, `photos/${name}`));
      const [face] = await networks.detectFaces(raster, { thorough: false });
      const { points } = await networks.findLandmarks(raster, face!);
      const [median, p95, depth] = compareLandmarks(points, reference[name]!);
      // 0.3 % is the engine's promise. Measured: 0.001 to 0.004 %, but 0.11 and 0.17 % for two whose region leaves the picture.
      expect(median, name).toBeLessThan(0.2);
      expect(p95, name).toBeLessThan(0.5);
      expect(depth, name).toBeLessThan(0.2);
    }
  });

  it('stay where they are in a second pass, whose region comes from the landmarks', async () => {
    const raster = await readRaster(join(repositoryRoot, 'examples', 'portrait.jpg'));
    const [face] = await networks.detectFaces(raster);
    const once = await networks.findLandmarks(raster, face!);
    const twice = await networks.findLandmarks(raster, face!, { passes: 2 });
    expect(twice.region).not.toEqual(once.region);
    const reference = Array.from({ length: 478 }, (_, i) =>
      [...once.points.subarray(3 * i, 3 * i + 3)].map((v, k) => (k < 2 ? v - PIXEL_CENTER : v)),
    );
    // 2 %: one pass reads a face about 1 % small, and the network's own noise between regions is 0.7 %.
    expect(compareLandmarks(twice.points, reference)[0]).toBeLessThan(2);
  });
});

describe('loadFaceNetworks', () => {
  it('takes the networks from the cache the second time, with the same result', async () => {
    const raster = await readRaster(join(repositoryRoot, 'examples', 'portrait.jpg'));
    const again = await loadFaceNetworks({ cacheDir: dir });
    expect([networks.info.cache, again.info.cache]).toEqual(['made', 'hit']);
    expect(await again.detectFaces(raster)).toEqual(await networks.detectFaces(raster));
    await again.close();
  });

  it('clears what killed starts left in the cache, and nothing that is not its own', async () => {
    expect(networks.info.cache).toBe('made');
    const names = await readdir(dir);
    expect(names).toContain('notes.txt');
    expect(names).not.toContain(killedStart);
  });

  it('works without a cache folder that can be written, and warns', async () => {
    const file = join(dir, 'a-file');
    await writeFile(file, '');
    const loaded = await loadFaceNetworks({ cacheDir: file });
    expect(loaded.info.cache).toBe('off');
    expect(loaded.warnings.map((w) => w.code)).toEqual(['CACHE_NOT_WRITABLE']);
    await loaded.close();
    await rm(file);
  });

  it('stops when it is canceled', async () => {
    const raster = await readRaster(join(repositoryRoot, 'examples', 'portrait.jpg'));
    const [face] = await networks.detectFaces(raster);
    const signal = AbortSignal.abort();
    await expect(networks.detectFaces(raster, { signal })).rejects.toMatchObject({ code: 'FW_CANCELED' });
    await expect(networks.findLandmarks(raster, face!, { signal })).rejects.toMatchObject({ code: 'FW_CANCELED' });
    // A grey raster is searched for long: the signal is seen between two looks.
    const noise: Raster = { width: 1500, height: 1500, rgb: Uint8Array.from({ length: 1500 * 1500 * 3 }, (_, i) => (i * 7919) % 251) };
    const later = new AbortController();
    const search = networks.detectFaces(noise, { signal: later.signal });
    setImmediate(() => setImmediate(() => later.abort()));
    await expect(search).rejects.toMatchObject({ code: 'FW_CANCELED' });
  });

  it('gives overlapping calls the same answers as single ones', async () => {
    const raster = await readRaster(join(repositoryRoot, 'examples', 'portrait.jpg'));
    const [face] = await networks.detectFaces(raster);
    const alone = await networks.findLandmarks(raster, face!);
    const together = await Promise.all([1, 2, 3].map(() => networks.findLandmarks(raster, face!)));
    for (const one of together) expect(one).toEqual(alone);
  });
});

/** Runs a module with the engine's source in a Node process of its own; what it printed and how it ended. */
function runModule(script: string, env: NodeJS.ProcessEnv): Promise<{ stdout: string; stderr: string; code: number }> {
  const args = ['--conditions', '@facewright/source', '--import', 'tsx', '--input-type=module', '-e', script];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: repositoryRoot, env, encoding: 'utf8' }, (error, stdout, stderr) => {
      resolve({ stdout, stderr, code: error ? Number(error.code ?? -1) : 0 });
    });
  });
}

const loader = new URL('./load-face-networks.ts', import.meta.url).href;

describe('execution providers', () => {
  it('run what they are asked for or say why not, and auto is the first that runs', async () => {
    const script = `
      const { loadFaceNetworks } = await import('${loader}');
      const outcomes = {};
      for (const provider of ['cuda', 'webgpu', 'auto']) {
        outcomes[provider] = await loadFaceNetworks({ provider, cacheDir: ${JSON.stringify(dir)} }).then(
          (networks) => networks.provider,
          (e) => [e.code, e.params.available.includes('cpu'), e.params.reason],
        );
      }
      console.log(JSON.stringify(outcomes));
    `;
    const { stdout, stderr, code } = await runModule(script, process.env);
    // onnxruntime 1.27 crashes on exit after it did not find a WebGPU adapter; this process must not.
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { auto, ...asked } = JSON.parse(stdout) as Record<string, unknown>;
    for (const [provider, outcome] of Object.entries(asked)) {
      if (outcome !== provider) expect(outcome).toEqual(['FW_PROVIDER_UNAVAILABLE', true, expect.stringMatching(/\w/)]);
    }
    expect(auto).toBe(Object.keys(asked).find((provider) => asked[provider] === provider) ?? 'cpu');
  });

  /**
   * onnxruntime as it would be with a WebGPU adapter: what is asked of `webgpu` runs on the CPU, unless `refuse` says that a
   * session is not made. `opened` and `released` count the sessions.
   */
  async function fakeRuntime(refuse: (session: number, provider: string) => boolean) {
    const ort = await loadOnnxruntime();
    const count = { opened: 0, released: 0 };
    const asked: InferenceSession.SessionOptions[] = [];
    const create = async (bytes: Uint8Array, options: InferenceSession.SessionOptions) => {
      asked.push(options);
      if (refuse(asked.length, String(options.executionProviders![0]))) throw new Error('node assigned to CPU EP');
      const { extra: _, ...plain } = options;
      const session = await ort.InferenceSession.create(bytes, { ...plain, executionProviders: ['cpu'] });
      count.opened++;
      const release = session.release.bind(session);
      session.release = async () => {
        count.released++;
        await release();
      };
      return session;
    };
    const backends = ['cpu', 'webgpu'].map((name) => ({ name, bundled: true }));
    const fake = { ...ort, listSupportedBackends: () => backends, InferenceSession: { create } } as unknown as Onnxruntime;
    return { runtime: { load: () => Promise.resolve(fake), probe: () => Promise.resolve(null) }, count, asked };
  }

  it('a GPU may hand no node to the CPU', async () => {
    for (const provider of ['webgpu', 'cpu'] as const) {
      const { runtime, asked } = await fakeRuntime(() => false);
      const loaded = await loadFaceNetworks({ provider, cacheDir: null }, runtime);
      expect(loaded.provider).toBe(provider);
      expect(asked.length).toBe(2);
      for (const { executionProviders, extra } of asked) {
        expect(executionProviders).toEqual([provider]);
        expect((extra?.session as Record<string, string> | undefined)?.disable_cpu_ep_fallback).toBe(provider === 'cpu' ? undefined : '1');
      }
      await loaded.close();
    }
  });

  it('one that runs a trial but not the networks is refused, and auto goes on with the CPU', async () => {
    const { runtime } = await fakeRuntime((_, provider) => provider === 'webgpu');
    await expect(loadFaceNetworks({ provider: 'webgpu', cacheDir: null }, runtime)).rejects.toMatchObject({
      code: 'FW_PROVIDER_UNAVAILABLE',
      params: { provider: 'webgpu', available: ['cpu'] },
    });
    const loaded = await loadFaceNetworks({ provider: 'auto', cacheDir: null }, runtime);
    expect(loaded.provider).toBe('cpu');
    await loaded.close();
  });

  it('the first network is released when the second cannot be loaded', async () => {
    const { runtime, count } = await fakeRuntime((session) => session === 2);
    await expect(loadFaceNetworks({ cacheDir: null }, runtime)).rejects.toMatchObject({ code: 'FW_PROVIDER_UNAVAILABLE' });
    expect(count).toEqual({ opened: 1, released: 1 });
  });
});

describe('telemetry', () => {
  it('is off when the native library is loaded, and leaves no trace in a fresh home folder', async () => {
    const home = await mkdtemp(join(tmpdir(), 'facewright-home-'));
    try {
      const script = `
        const whenLoaded = [];
        const dlopen = process.dlopen;
        process.dlopen = (module, path, ...rest) => {
          if (path.includes('onnxruntime')) whenLoaded.push(process.env.ORT_DISABLE_TELEMETRY ?? 'unset');
          return dlopen.call(process, module, path, ...rest);
        };
        const { loadFaceNetworks } = await import('${loader}');
        const networks = await loadFaceNetworks();
        const raster = { width: 200, height: 200, rgb: new Uint8Array(120000).map((_, i) => i % 251) };
        await networks.detectFaces(raster);
        console.log(whenLoaded.join(), networks.info.cacheDir);
      `;
      const { PATH } = process.env;
      const env = {
        PATH,
        HOME: home,
        XDG_CACHE_HOME: join(home, 'cache'),
        XDG_CONFIG_HOME: join(home, 'config'),
        XDG_DATA_HOME: join(home, 'data'),
        XDG_STATE_HOME: join(home, 'state'),
        TMPDIR: join(home, 'tmp'),
        TSX_DISABLE_CACHE: '1',
      };
      const { stdout, code } = await runModule(script, env);
      expect({ code, stdout: stdout.trim() }).toEqual({ code: 0, stdout: `1 ${join(home, 'cache', 'facewright')}` });
      const files = (await readdir(home, { recursive: true, withFileTypes: true })).filter((f) => f.isFile()).map((f) => f.name);
      expect(files.filter((name) => !/^face-(detector|landmarks)-[0-9a-f]+-v\d+-[0-9.]+-[0-9a-f]+\.onnx$/.test(name))).toEqual([]);
      expect(files.length).toBe(2);
    } finally {
      await rm(home, { recursive: true });
    }
  });

  it('is not in the native library of this machine', async (ctx) => {
    const platform = join(`${process.platform}`, process.arch);
    // The Windows build has always logged to the system's own tracing; the pin is about Linux, where the service runs.
    if (process.platform === 'win32') ctx.skip('checked on Linux and macOS');
    const packageDir = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
    const folder = join(packageDir, 'bin', 'napi-v6', platform);
    const libraries = (await readdir(folder)).filter((name) => /\.(so|dylib|node)/.test(name));
    expect(libraries.length).toBeGreaterThan(0);
    for (const name of libraries) {
      const bytes = await readFile(join(folder, name));
      for (const trace of ['events.data.microsoft.com', 'vortex.data.microsoft.com', 'ORT_DISABLE_TELEMETRY']) {
        expect(bytes.includes(trace), `${name}: ${trace}`).toBe(false);
      }
    }
  });
});
