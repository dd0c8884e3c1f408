import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { FacewrightError } from '@facewright/protocol';
import type { FaceNetworks, Provider } from './face-networks.ts';
import type { Onnxruntime } from './load-onnxruntime.ts';
import { OnnxGraphBuilder } from './onnx-graph-builder.ts';

/** Tries a provider: null when it runs here, else why not. */
export type ProbeProvider = (provider: 'webgpu' | 'cuda') => Promise<string | null>;

/** What `auto` tries, in order. */
const PREFERENCE = ['cuda', 'webgpu'] as const;

/** Starting a driver for the first time takes seconds; a machine without one answers at once. */
const PROBE_TIMEOUT_MS = 30_000;

/**
 * The provider to run with. A provider other than `cpu` is tried in a process of its own first: onnxruntime 1.27 answers
 * a missing WebGPU adapter with an exception and then crashes the process on its way out, and prints to its stderr.
 *
 * @param probe Null when a provider runs here, else why not. @default {@link probeProvider}
 * @throws FW_PROVIDER_UNAVAILABLE when the one asked for does not run here, with those that do
 */
export async function chooseProvider(
  ort: Pick<Onnxruntime, 'listSupportedBackends'>,
  wanted: Provider,
  probe: ProbeProvider = probeProvider,
): Promise<FaceNetworks['provider']> {
  if (wanted === 'cpu') return 'cpu';
  const known = new Set(ort.listSupportedBackends().map((b) => b.name));
  const reasons = new Map<Provider, string>();
  for (const provider of wanted === 'auto' ? PREFERENCE : [wanted]) {
    const reason = known.has(provider) ? await probe(provider) : 'this build of onnxruntime does not have it';
    if (reason === null) return provider;
    reasons.set(provider, reason);
  }
  if (wanted === 'auto') return 'cpu';
  const available: string[] = ['cpu'];
  for (const other of PREFERENCE) if (other !== wanted && known.has(other) && (await probe(other)) === null) available.push(other);
  throw new FacewrightError('FW_PROVIDER_UNAVAILABLE', { provider: wanted, available, reason: reasons.get(wanted) ?? 'it is unknown' });
}

/** Runs one node on the provider alone (onnxruntime otherwise hands nodes to the CPU in silence); null when that works, else why not. */
export function probeProvider(provider: string): Promise<string | null> {
  const script = `
    process.env.ORT_DISABLE_TELEMETRY = '1';
    const [, library, provider, model] = process.argv;
    const ort = require(library);
    ort.InferenceSession.create(Buffer.from(model, 'base64'), {
      executionProviders: [provider], logSeverityLevel: 4, extra: { session: { disable_cpu_ep_fallback: '1' } },
    }).then((s) => s.run({ x: new ort.Tensor('float32', [-1, 2], [2]) })).then((r) => {
      process.stdout.write(r.y.data[0] === 0 && r.y.data[1] === 2 ? 'FACEWRIGHT-OK' : 'its result is wrong');
    }, (e) => process.stdout.write(String(e.message)));
  `;
  const library = createRequire(import.meta.url).resolve('onnxruntime-node');
  const args = ['-e', script, library, provider, Buffer.from(makeProbeModel()).toString('base64')];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { timeout: PROBE_TIMEOUT_MS, encoding: 'utf8', windowsHide: true }, (error, stdout) => {
      // What was printed counts, not the exit status: see above for the crash at the end.
      if (stdout.includes('FACEWRIGHT-OK')) resolve(null);
      else resolve(shortReason(stdout) || (error ? 'trying it crashed the process' : 'trying it gave no answer'));
    });
  });
}

/** The last sentence of onnxruntime's message, without its source paths and function names. */
function shortReason(message: string): string {
  const text = message
    .replace(/^.*\bwas false\.\s*/s, '')
    .replace(/\S*\/\S*/g, '')
    .trim();
  return text
    .split('\n')[0]!
    .slice(0, 160)
    .replace(/[.:\s]+$/, '');
}

function makeProbeModel(): Uint8Array {
  const onnx = new OnnxGraphBuilder();
  onnx.node('Relu', [onnx.input('x', [2])], {}, 'y');
  onnx.output('y', [2]);
  return onnx.toModel(17);
}
