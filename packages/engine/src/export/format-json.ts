/** JSON that people read: indented by two, but arrays of numbers on one line. UTF-8 with a newline at the end. */
export function formatJson(value: object): Uint8Array {
  // A line break inside a string is written \n, so what spans lines is never part of a string.
  const text = JSON.stringify(value, null, 2).replace(/\[\n\s*(?:-?[\d.eE+-]+|null)(?:,\n\s*(?:-?[\d.eE+-]+|null))*\n\s*\]/g, (array) =>
    array.replace(/\n\s*/g, ' '),
  );
  return new TextEncoder().encode(`${text}\n`);
}
