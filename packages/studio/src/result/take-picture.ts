import { canvasToBlob } from '../ui/canvas-to-blob.ts';
import type { FaceScene } from '../viewer/face-scene.ts';

/**
 * What is seen of the face now as a PNG: alone with nothing behind it, or over the photo as strongly as it lies there.
 *
 * @param stage what holds the canvas and, in the overlay, the photo
 */
export function takePicture(scene: FaceScene, stage: HTMLElement): Blob {
  const canvas = stage.querySelector<HTMLCanvasElement>('canvas.face-canvas');
  const photo = stage.querySelector<HTMLImageElement>('.windowed-photo img');
  const layer = canvas?.parentElement;
  if (canvas === null || photo === null || !layer) return scene.takeScreenshot();
  const picture = document.createElement('canvas');
  picture.width = canvas.width;
  picture.height = canvas.height;
  const context = picture.getContext('2d');
  if (context === null) return scene.takeScreenshot();
  const frame = canvas.getBoundingClientRect();
  const box = photo.getBoundingClientRect();
  const scale = canvas.width / frame.width;
  context.imageSmoothingQuality = 'high';
  context.drawImage(photo, (box.left - frame.left) * scale, (box.top - frame.top) * scale, box.width * scale, box.height * scale);
  context.globalAlpha = Number(getComputedStyle(layer).opacity);
  // Drawn anew: a canvas of WebGL can be read only until the browser has shown it.
  scene.drawNow(scene.getOrbit());
  context.drawImage(canvas, 0, 0);
  return canvasToBlob(picture, 'image/png');
}
