/**
 * For each expression the one that its mirror image shows: names that end in _L and _R, or in Left and Right, change places; the others are their own.
 */
export function mirrorExpressions(names: readonly string[]): Uint16Array {
  return Uint16Array.from(names, (name, i) => {
    const other = names.indexOf(swapSides(name));
    return other < 0 ? i : other;
  });
}

function swapSides(name: string): string {
  if (name.endsWith('_L')) return `${name.slice(0, -1)}R`;
  if (name.endsWith('_R')) return `${name.slice(0, -1)}L`;
  return name.replace(/Left$|Right$/, (side) => (side === 'Left' ? 'Right' : 'Left'));
}
