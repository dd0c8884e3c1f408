import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { API_STAGES } from '@facewright/protocol/api';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { startTestService, type TestService } from '../http/test-service.test-support.ts';
import { GLB_BYTES, PNG_BYTES, photoBytes, workFor } from './gradio-work.test-support.ts';

const run = promisify(execFile);
/** The newest of each line, and the oldest that speaks the protocol. */
const VERSIONS = ['2.7.2', '1.14.0', '1.3.0'];
/** From PyPI, which may be slow; kept for the next run. */
const INSTALL_MS = 240_000;

/** Python with the client, in a folder of its own; or why there is none. */
async function installClient(version: string): Promise<{ readonly python: string } | { readonly reason: string }> {
  const folder = fileURLToPath(new URL(`../../../../node_modules/.cache/gradio-client-${version}`, import.meta.url));
  const python = join(folder, 'bin', 'python');
  if (existsSync(join(folder, 'installed'))) return { python };
  try {
    await run('python3', ['--version']);
  } catch {
    return { reason: 'python3 is not installed' };
  }
  try {
    await run('python3', ['-m', 'venv', '--clear', folder]);
    await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `gradio_client==${version}`]);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    return { reason: `gradio_client ${version} cannot be installed here (${String(error).split('\n')[0]?.slice(0, 120)})` };
  }
  await writeFile(join(folder, 'installed'), '');
  return { python };
}

describe('the official Python client', () => {
  let service: TestService;
  let photos: string;
  const clients = new Map<string, Awaited<ReturnType<typeof installClient>>>();

  beforeAll(async () => {
    await Promise.all(VERSIONS.map(async (version) => clients.set(version, await installClient(version))));
    // Long enough for every stage to be seen by a client that asks now and then.
    service = await startTestService({ tenants: ['ann'], work: workFor(900), config: { maxPhotoBytes: 100_000 } });
    photos = await mkdtemp(join(tmpdir(), 'facewright-photos-'));
    for (const [i, name] of ['face', 'face2', 'face3', 'face4', 'face5', 'face6'].entries()) {
      await writeFile(
        join(photos, `${name}.jpg`),
        // The one that is canceled takes until then.
        photoBytes(true, 3000 + i, name === 'face5' ? 60 : 1),
      );
    }
    await writeFile(join(photos, 'no-face.jpg'), photoBytes(false));
    await writeFile(join(photos, 'text.jpg'), 'no photo at all, whatever it is called');
    await writeFile(join(photos, 'large.jpg'), photoBytes(true, 200_000));
  }, INSTALL_MS);
  afterAll(async () => {
    await service?.close();
    await rm(photos, { recursive: true, force: true });
  });

  it.concurrent.for(VERSIONS)(
    '%s: photo in, files out; progress, cancel, and our words for what is refused',
    async (version, { expect, skip }) => {
      const client = clients.get(version)!;
      if ('reason' in client) return skip(client.reason);
      const script = fileURLToPath(new URL('./python-client.test-support.py', import.meta.url));
      const { stdout } = await run(client.python, [script, service.url, service.keys.ann!, photos], {
        // A token of somebody else, as it lies in many environments: it goes to every server.
        env: { ...process.env, HF_TOKEN: 'hf_not_ours', HF_HUB_DISABLE_IMPLICIT_TOKEN: '0', GRADIO_ANALYTICS_ENABLED: 'False' },
        timeout: 55_000,
      });
      const results = JSON.parse(stdout.trim().split('\n').at(-1)!);
      expect(Object.keys(results.api.named_endpoints)).toEqual(['/predict']);
      expect(results.names).toEqual(['face.glb', 'albedo.png']);
      expect(results.sizes).toEqual([GLB_BYTES.length, PNG_BYTES.length]);
      expect(results.keyword).toEqual({ value: 2 });
      expect(results['by index']).toEqual({ value: 2 });
      // How many are seen is a matter of speed.
      expect(results.progress.length).toBeGreaterThan(0);
      expect(API_STAGES).toEqual(expect.arrayContaining(results.progress));
      expect(results['no-face.jpg'].text).toContain('No face found');
      expect(results['text.jpg'].text).toMatch(/not an image/i);
      expect(results['large.jpg']).toHaveProperty('error');
      expect(results.address.text).toContain('not fetched from addresses');
      expect(results.null.text).toContain('No photo arrived');
      expect(results.cancel).toMatchObject({ error: 'CancelledError' });
      expect(results.after).toEqual({ value: 2 });
      expect(results['no key'].text).toMatch(/API key|401|login|auth/i);
      const log = service.logLines.join('');
      expect(log).not.toContain('hf_not_ours');
      expect(log).not.toContain('face.jpg');
    },
  );
});
