import { FacewrightError } from '@facewright/protocol';
import { describe, expect, it } from 'vitest';
import { createFakeEngine } from '../../test/fake-engine.ts';
import { runCli } from '../../test/run-cli.ts';

const corrupt = () => {
  const sound = createFakeEngine();
  const verifyFaceModel = async (id: string) => {
    if (id === 'canonical') throw new FacewrightError('FW_MODEL_CORRUPT', { path: '/x/head.bin', reason: 'its checksum differs' });
    return sound.verifyFaceModel(id);
  };
  return { ...sound, verifyFaceModel };
};

describe('facewright models', () => {
  it('lists the models with their sizes and licences', async () => {
    const { status, stdout } = await runCli(['models', 'list']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/\nhead +1\.0\.0 +100 +200 +10 +52 +MIT +default\n/);
    expect(stdout).toContain('head: the source of head');
    const { models } = JSON.parse((await runCli(['models', 'list', '--json'])).stdout);
    expect(models[0]).toMatchObject({ id: 'head', isDefault: true, vertices: 100, triangles: 200, licence: { spdx: 'MIT' } });
  });

  it('verifies every model and network', async () => {
    const { status, stdout, stderr } = await runCli(['models', 'verify']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.trimEnd().split('\n')).toHaveLength(5);
    expect(stdout).toContain('ok    model head  2 checks passed');
    expect(JSON.parse((await runCli(['models', 'verify', '--json'])).stdout)).toMatchObject({ type: 'verify', ok: true });
  });

  it('names a file that is damaged, checks the others all the same, and fails with its status', async () => {
    const { status, stdout, stderr } = await runCli(['models', 'verify'], { engine: corrupt() });
    expect(status).toBe(69);
    expect(stdout).toMatch(/FAIL {2}model canonical/);
    expect(stdout).toContain('ok    network canonical-mesh');
    expect(stderr.trimEnd().split('\n')).toHaveLength(2);
    const json = JSON.parse((await runCli(['models', 'verify', '--json'], { engine: corrupt() })).stdout);
    expect(json.files[1]).toMatchObject({ name: 'canonical', ok: false, error: { code: 'FW_MODEL_CORRUPT' } });
  });
});

describe('facewright doctor', () => {
  it('says what works here, line by line and as JSON', async () => {
    const { status, stdout } = await runCli(['doctor']);
    expect(status).toBe(0);
    for (const word of ['node', 'images', 'model', 'network', 'onnxruntime', 'cache', 'provider', 'works here'])
      expect(stdout).toContain(word);
    const { findings, ok } = JSON.parse((await runCli(['doctor', '--json'])).stdout);
    expect(ok).toBe(true);
    expect(findings.find((f: { name: string }) => f.name === 'facewright')).toMatchObject({ state: 'ok' });
  });

  it('fails when something is wrong, and says what to do', async () => {
    const { status, stdout } = await runCli(['doctor'], { engine: corrupt() });
    expect(status).toBe(69);
    expect(stdout).toMatch(/FAIL {2}model +The model file .* \[FW_MODEL_CORRUPT\]\n +Install Facewright again/);
  });

  it('says once what keeps every provider from working', async () => {
    const engine = createFakeEngine();
    engine.createEngine = async () => {
      throw new FacewrightError('FW_NETWORK_CORRUPT', { name: 'face-detector', reason: 'its checksum differs' });
    };
    const { status, stdout } = await runCli(['doctor'], { engine });
    expect(status).toBe(69);
    expect(stdout.match(/FW_NETWORK_CORRUPT/g)).toHaveLength(1);
    expect(stdout).not.toContain('provider');
    // A provider that is not there says nothing of the others.
    engine.createEngine = async ({ provider } = {}) => {
      if (provider === 'cpu') return createFakeEngine().createEngine();
      throw new FacewrightError('FW_PROVIDER_UNAVAILABLE', { provider: provider!, reason: 'not here', available: ['cpu'] });
    };
    const missing = await runCli(['doctor', '--provider', 'cuda'], { engine });
    expect(missing.status).toBe(69);
    expect(missing.stdout).toMatch(/ok {4}provider +cpu runs here as well/);
  });

  it('survives an engine that does not load at all', async () => {
    const engineModule = async () => {
      throw new TypeError('no such library');
    };
    const { status, stdout } = await runCli(['doctor'], { replace: { engineModule } });
    expect(status).toBe(69);
    expect(stdout).toContain('no such library');
  });
});
