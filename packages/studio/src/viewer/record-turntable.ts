import type { FaceScene } from './face-scene.ts';

const DURATION_MS = 6000;
const FRAMES_PER_S = 30;
const BITS_PER_S = 8_000_000;
/** What browsers can write, best first. Safari has only MP4. */
const FORMATS = ['video/webm;codecs=vp9', 'video/webm;codecs=vp8', 'video/webm', 'video/mp4'] as const;

/**
 * Films one whole turn of the face, in the browser.
 *
 * @throws Error where the browser cannot record
 */
export async function recordTurntable(
  scene: FaceScene,
  canvas: HTMLCanvasElement,
  backdrop: string,
  onProgress: (ratio: number) => void,
): Promise<{ readonly video: Blob; readonly extension: 'webm' | 'mp4' }> {
  const mimeType = FORMATS.find((format) => MediaRecorder.isTypeSupported(format));
  if (mimeType === undefined) throw new Error('This browser cannot record video');
  const recorder = new MediaRecorder(canvas.captureStream(FRAMES_PER_S), { mimeType, videoBitsPerSecond: BITS_PER_S });
  const chunks: Blob[] = [];
  const stopped = new Promise<void>((resolve, reject) => {
    recorder.ondataavailable = (e) => chunks.push(e.data);
    recorder.onstop = () => resolve();
    recorder.onerror = () => reject(new Error('Recording failed'));
  });
  scene.setBackdrop(backdrop);
  try {
    recorder.start();
    await scene.spin(DURATION_MS, new AbortController().signal, onProgress);
    recorder.stop();
    await stopped;
  } finally {
    scene.setBackdrop(null);
    for (const track of recorder.stream.getTracks()) track.stop();
  }
  const type = mimeType.split(';')[0]!;
  return { video: new Blob(chunks, { type }), extension: type === 'video/mp4' ? 'mp4' : 'webm' };
}
