let known: boolean | null = null;

/** Whether this browser can draw the viewer. */
export function hasWebgl(): boolean {
  if (known === null) {
    const context = document.createElement('canvas').getContext('webgl2');
    known = context !== null;
    // Browsers allow only some contexts at once: this one must not count.
    context?.getExtension('WEBGL_lose_context')?.loseContext();
  }
  return known;
}
