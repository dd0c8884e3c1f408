import exampleUrl from '../../../../examples/portrait.jpg?url';

/** The example portrait of the project, as a photo to send. */
export async function loadExample(): Promise<Blob> {
  const response = await fetch(exampleUrl);
  if (!response.ok) throw new Error(`The example has status ${response.status}`);
  return new Blob([await response.arrayBuffer()], { type: 'image/jpeg' });
}
