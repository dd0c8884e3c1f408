/**
 * The picture on a canvas as a file.
 *
 * Not by `toBlob`, which Chromium does in idle moments: on a busy machine they are many seconds away.
 */
export function canvasToBlob(canvas: HTMLCanvasElement, type: 'image/png' | 'image/jpeg', quality?: number): Blob {
  const url = canvas.toDataURL(type, quality);
  const bytes = Uint8Array.from(atob(url.slice(url.indexOf(',') + 1)), (c) => c.charCodeAt(0));
  return new Blob([bytes], { type });
}
