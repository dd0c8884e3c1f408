import { describe, expect, it } from 'vitest';
import { chooseProvider } from './choose-provider.ts';
import type { Provider } from './face-networks.ts';

/** A machine whose build of onnxruntime has `known` providers, of which `running` do run; records what is tried. */
function machine(known: readonly string[], running: readonly string[]) {
  const tried: string[] = [];
  const ort = { listSupportedBackends: () => known.map((name) => ({ name, bundled: true })) };
  const probe = (provider: string) => {
    tried.push(provider);
    return Promise.resolve(running.includes(provider) ? null : 'no adapter');
  };
  return { choose: (wanted: Provider) => chooseProvider(ort, wanted, probe), tried };
}

const ALL = ['cpu', 'webgpu', 'cuda'];

describe('chooseProvider', () => {
  it.each<[Provider, readonly string[], readonly string[], string, readonly string[]]>([
    ['cpu', ALL, ALL, 'cpu', []],
    ['auto', ALL, ALL, 'cuda', ['cuda']],
    ['auto', ALL, ['webgpu'], 'webgpu', ['cuda', 'webgpu']],
    ['auto', ['cpu', 'webgpu'], ['webgpu', 'cuda'], 'webgpu', ['webgpu']],
    ['auto', ALL, [], 'cpu', ['cuda', 'webgpu']],
    ['webgpu', ALL, ALL, 'webgpu', ['webgpu']],
  ])('%s of %j, of which %j run, is %s', async (wanted, known, running, expected, expectedTried) => {
    const { choose, tried } = machine(known, running);
    expect(await choose(wanted)).toBe(expected);
    expect(tried).toEqual(expectedTried);
  });

  it.each<[Provider, readonly string[], readonly string[], object]>([
    ['cuda', ALL, ['webgpu'], { provider: 'cuda', available: ['cpu', 'webgpu'], reason: 'no adapter' }],
    ['webgpu', ['cpu'], [], { provider: 'webgpu', available: ['cpu'], reason: 'this build of onnxruntime does not have it' }],
  ])('refuses %s of %j, of which %j run', async (wanted, known, running, params) => {
    await expect(machine(known, running).choose(wanted)).rejects.toMatchObject({ code: 'FW_PROVIDER_UNAVAILABLE', params });
  });
});
