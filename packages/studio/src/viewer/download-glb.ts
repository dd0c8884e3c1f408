import type { ResultFile } from '@facewright/protocol';
import { service } from '../service.ts';

/** Downloads a file and tells how far it is, 0..1. */
export async function downloadGlb(file: ResultFile, signal: AbortSignal, onProgress: (ratio: number) => void): Promise<ArrayBuffer> {
  const response = await service.download(file, { signal });
  if (response.body === null) return response.arrayBuffer();
  const bytes = new Uint8Array(file.bytes);
  let length = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (length + value.length > bytes.length) throw new Error('The file is longer than announced');
    bytes.set(value, length);
    length += value.length;
    onProgress(length / bytes.length);
  }
  if (length !== bytes.length) throw new Error('The file ended too early');
  return bytes.buffer;
}
