import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireShared } from '../../test/shared-files.ts';
import { openPhoto } from '../photo/open-photo.ts';
import type { Raster } from '../photo/raster.ts';
import type { FaceNetworks } from './face-networks.ts';
import { loadFaceNetworks } from './load-face-networks.ts';

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

describe('landmarks against MediaPipe’s own Python package', () => {
  const golden = fileURLToPath(new URL('../../test/reference/portrait.facemesh.json', import.meta.url));

  it('agree for the example portrait', async () => {
    const reference = JSON.parse(await readFile(golden, 'utf8')) as { sha256: string; landmarks: number[][] };
    const portrait = join(repositoryRoot, 'examples', 'portrait.jpg');
    const sha256 = createHash('sha256')
      .update(await readFile(portrait))
      .digest('hex');
    expect(sha256, 'the portrait changed: make its golden anew, see test/reference/PROVENANCE.md').toBe(reference.sha256);
    const raster = await readRaster(portrait);
    for (const thorough of [false, true]) {
      const [face] = await networks.detectFaces(raster, { thorough });
      const { points, presence } = await networks.findLandmarks(raster, face!);
      const [median, p95, depth] = compareLandmarks(points, reference.landmarks);
      expect(presence).toBeGreaterThan(0.99);
      // 0.3 % is what was asked for. Measured: 0.002 %, so anything more is a change of the sampling or of the network.
      expect(median).toBeLessThan(0.02);
      expect(p95).toBeLessThan(0.05);
      expect(depth).toBeLessThan(0.02);
    }
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
      // 0.3 % is what was asked for. Measured: 0.001 to 0.004 %, but 0.11 and 0.17 % for two whose region leaves the picture.
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
    const heard: string[] = [];
    const loaded = await loadFaceNetworks({ cacheDir: file, onWarning: (w) => heard.push(w.code) });
    expect(loaded.info.cache).toBe('off');
    expect(loaded.warnings.map((w) => w.code)).toEqual(['CACHE_NOT_WRITABLE']);
    expect(heard).toEqual(['CACHE_NOT_WRITABLE']);
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
  it.each(['webgpu', 'cuda'] as const)('%s runs, or is refused with a reason; never something else in its place', async (provider) => {
    const script = `
      const { loadFaceNetworks } = await import('${loader}');
      try {
        console.log((await loadFaceNetworks({ provider: '${provider}', cacheDir: ${JSON.stringify(dir)} })).provider);
      } catch (e) { console.log(e.code, JSON.stringify(e.params)); }
    `;
    const { stdout, stderr, code } = await runModule(script, process.env);
    // onnxruntime 1.27 crashes on exit after it did not find a WebGPU adapter; this process must not.
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    if (stdout.startsWith('FW_PROVIDER_UNAVAILABLE')) expect(stdout).toMatch(/"available":\["cpu"/);
    else expect(stdout.trim()).toBe(provider);
  });

  it('auto takes one that runs', async () => {
    const loaded = await loadFaceNetworks({ provider: 'auto', cacheDir: dir });
    expect(['cpu', 'webgpu', 'cuda']).toContain(loaded.provider);
    await loaded.close();
  });
});

describe('telemetry', () => {
  it('leaves no trace in a fresh home folder', async () => {
    const home = await mkdtemp(join(tmpdir(), 'facewright-home-'));
    try {
      const script = `
        const { loadFaceNetworks } = await import('${loader}');
        const networks = await loadFaceNetworks();
        const raster = { width: 200, height: 200, rgb: new Uint8Array(120000).map((_, i) => i % 251) };
        await networks.detectFaces(raster);
        console.log(process.env.ORT_DISABLE_TELEMETRY, networks.info.cacheDir);
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
