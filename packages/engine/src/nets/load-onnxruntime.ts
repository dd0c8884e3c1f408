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
    return await import('onnxruntime-node');
  } catch (cause) {
    const reason = `onnxruntime has no native library for ${process.platform}-${process.arch}`;
    throw new FacewrightError('FW_PROVIDER_UNAVAILABLE', { provider: 'cpu', available: [], reason }, { cause });
  }
}
