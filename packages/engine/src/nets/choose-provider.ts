import { FacewrightError } from '@facewright/protocol';
import type { Provider } from './face-networks.ts';
import type { Onnxruntime } from './load-onnxruntime.ts';

/** The provider to run with. @throws FW_PROVIDER_UNAVAILABLE */
export async function chooseProvider(_ort: Onnxruntime, wanted: Provider): Promise<'cpu' | 'webgpu' | 'cuda'> {
  if (wanted === 'cpu' || wanted === 'auto') return 'cpu';
  throw new FacewrightError('FW_PROVIDER_UNAVAILABLE', { provider: wanted, available: ['cpu'], reason: 'not yet' });
}
