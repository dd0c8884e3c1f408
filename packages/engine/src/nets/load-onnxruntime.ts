import { createRequire } from 'node:module';
import { FacewrightError } from '@facewright/protocol';

export type Onnxruntime = typeof import('onnxruntime-node');

/**
 * Loads onnxruntime-node with its telemetry switched off. The pinned version holds no telemetry on Linux; later ones do
 * (on by default), and read this variable when their native library is loaded. It is set in the process that loads it,
 * before it is loaded, so nothing may import onnxruntime-node in another way.
 *
 * @throws FW_PROVIDER_UNAVAILABLE when there is no native library for this machine
 */
export async function loadOnnxruntime(): Promise<Onnxruntime> {
  process.env.ORT_DISABLE_TELEMETRY = '1';
  try {
    // Not `import`, which would search its old-fashioned modules for names first: a hundredth of a second.
    return createRequire(import.meta.url)('onnxruntime-node') as Onnxruntime;
  } catch (cause) {
    const reason = `onnxruntime has no native library for ${process.platform}-${process.arch}`;
    throw new FacewrightError('FW_PROVIDER_UNAVAILABLE', { provider: 'cpu', available: [], reason }, { cause });
  }
}
