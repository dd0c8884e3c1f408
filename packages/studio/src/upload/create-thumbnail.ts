import { canvasToBlob } from '../ui/canvas-to-blob.ts';

/** A small upright picture of a photo. */
export interface Thumbnail {
  readonly blob: Blob;
  readonly widthPx: number;
  readonly heightPx: number;
  /** Size of the photo itself, upright. */
  readonly sourceWidthPx: number;
  readonly sourceHeightPx: number;
}

/** Longest side, pixels: sharp beside the viewer on most screens, and some 150 kB. */
const MAX_SIDE_PX = 1280;
const QUALITY = 0.85;

/**
 * A small picture of a photo, turned upright by its EXIF orientation; null where the browser cannot read the format (TIFF, mostly).
 */
export async function createThumbnail(photo: Blob): Promise<Thumbnail | null> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(photo, { imageOrientation: 'from-image' });
  } catch {
    return null;
  }
  const { width: sourceWidthPx, height: sourceHeightPx } = bitmap;
  const scale = Math.min(1, MAX_SIDE_PX / Math.max(sourceWidthPx, sourceHeightPx));
  const widthPx = Math.max(1, Math.round(sourceWidthPx * scale));
  const heightPx = Math.max(1, Math.round(sourceHeightPx * scale));
  const canvas = document.createElement('canvas');
  canvas.width = widthPx;
  canvas.height = heightPx;
  const context = canvas.getContext('2d');
  if (context === null) return null;
  context.imageSmoothingQuality = 'high';
  // What is transparent would be black in a JPEG.
  context.fillStyle = '#fff';
  context.fillRect(0, 0, widthPx, heightPx);
  context.drawImage(bitmap, 0, 0, widthPx, heightPx);
  bitmap.close();
  return { blob: canvasToBlob(canvas, 'image/jpeg', QUALITY), widthPx, heightPx, sourceWidthPx, sourceHeightPx };
}
