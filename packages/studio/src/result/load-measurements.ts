import type { CameraOutput, JobResult, LandmarksOutput } from '@facewright/protocol';
import { service } from '../service.ts';

/** What the JSON files of a result say; null where they were not asked for. */
export interface Measurements {
  readonly camera: CameraOutput | null;
  readonly landmarks: LandmarksOutput | null;
}

export async function loadMeasurements({ files }: JobResult, signal: AbortSignal): Promise<Measurements> {
  const read = async <T>(name: string): Promise<T | null> => {
    const file = files.find((f) => f.name === name);
    if (file === undefined) return null;
    return (await service.download(file, { signal })).json() as Promise<T>;
  };
  const [camera, landmarks] = await Promise.all([read<CameraOutput>('camera.json'), read<LandmarksOutput>('landmarks.json')]);
  return { camera, landmarks };
}
