/** Hands a file made in the page to the reader as a download. */
export function saveFile(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The download has begun by then; a minute is for slow disks.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
