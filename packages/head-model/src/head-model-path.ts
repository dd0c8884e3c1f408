import { fileURLToPath } from 'node:url';

/** Path of the shipped head model (the folder `model` lies beside both `src` and `dist`). */
export function headModelPath(): string {
  return fileURLToPath(new URL('../model/head.bin', import.meta.url));
}

/** Path of what the landmark network makes of faces of the shipped head model. */
export function landmarkHabitsPath(): string {
  return fileURLToPath(new URL('../model/landmark-habits.bin', import.meta.url));
}

/** Path of what the landmark network's features tell of faces of the shipped head model. */
export function faceReadoutPath(): string {
  return fileURLToPath(new URL('../model/face-readout.bin', import.meta.url));
}
