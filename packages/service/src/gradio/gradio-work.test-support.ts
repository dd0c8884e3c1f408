import { setTimeout as sleep } from 'node:timers/promises';
import { FacewrightError } from '@facewright/protocol';
import { API_STAGES } from '@facewright/protocol/api';
import type { TestService } from '../http/test-service.test-support.ts';
import type { StoredFile } from '../jobs/job.ts';
import type { Lease } from '../jobs/job-queue.ts';
import { resultKey } from '../storage/job-keys.ts';

export const GLB_BYTES = Buffer.from('glTF, as far as a client of Gradio looks');
export const PNG_BYTES = Buffer.from('89504e470d0a1a0a', 'hex');

/**
 * Stands in for the workers: tells every stage, for `ms` in all, and makes the two files that `/predict` returns. Photos are those of
 * {@link photoBytes}.
 */
export const workFor =
  (ms: number) =>
  async (lease: Lease, { queue, storage }: TestService): Promise<readonly StoredFile[]> => {
    const { job, token } = lease;
    const photo = await storage.get(job.photo.key);
    if (photo === null) throw new FacewrightError('FW_CANCELED', { stage: 'decode' });
    const chunks: Buffer[] = [];
    for await (const chunk of photo.stream) chunks.push(chunk as Buffer);
    const [face, slowness] = Buffer.concat(chunks).subarray(4);
    const total = API_STAGES.length;
    for (const [index, stage] of API_STAGES.entries()) {
      for (let i = 0; i < slowness; i++) {
        const state = await queue.report(lease, { progress: { stage, index, total, ratio: index / total } });
        if (state === 'lost') throw new FacewrightError('FW_CANCELED', { stage });
        await sleep(ms / total);
      }
    }
    if (face === 0) throw new FacewrightError('FW_FACE_NOT_FOUND', { candidates: 0, bestScore: 0.1, minScore: 0.5 });
    const files: StoredFile[] = [];
    for (const [name, content, contentType] of [
      ['face.glb', GLB_BYTES, 'model/gltf-binary'],
      ['albedo.png', PNG_BYTES, 'image/png'],
      ['report.json', Buffer.from('{}'), 'application/json'],
    ] as const) {
      const key = resultKey(job.tenant, job.id, token, name);
      const { bytes, sha256 } = await storage.put(key, content, { contentType });
      files.push({ name, key, bytes, sha256, contentType });
    }
    return files;
  };

/** A JPEG as far as its first bytes go, with a face in it or without; work on it takes `slowness` times as long. */
export function photoBytes(face: boolean, bytes = 3000, slowness = 1): Buffer {
  const photo = Buffer.alloc(bytes, 7);
  photo.set([0xff, 0xd8, 0xff, 0xe0, face ? 1 : 0, slowness]);
  return photo;
}
