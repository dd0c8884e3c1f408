import { basename, dirname, extname, join, resolve } from 'node:path';

/**
 * Decides where the result of each photo goes. No two photos share a folder, the answer depends only on the set of paths, and
 * no result takes the place of a photo.
 *
 * - one photo named by itself: `output`, or else its name without extension in `cwd`
 * - several: `<output or cwd>/<name without extension>`. Names that would fall together (also on file systems that do not tell
 *   upper from lower case) get the extension (`x-jpg`, `x-png`), then the folders above (`a-x`, `b-x`), then a number.
 *
 * @param photos - absolute paths, each once
 * @param output - as given with `-o`
 * @returns absolute folder for each photo, in order
 */
export function planOutputs(
  photos: readonly string[],
  options: { readonly isSingle: boolean; readonly output?: string | undefined; readonly cwd: string },
): string[] {
  const { isSingle, output, cwd } = options;
  if (isSingle && output !== undefined) return photos.map(() => resolve(cwd, output));
  const base = output === undefined ? cwd : resolve(cwd, output);
  const taken = new Set(photos.map(foldCase));
  const names = new Map<string, string>();

  // Each round names the photos that still clash in a longer way; a name is given when only one photo wants it.
  let waiting = [...photos].sort();
  for (const nameOf of NAMINGS) {
    const wanted = new Map<string, string[]>();
    for (const photo of waiting) {
      const key = foldCase(join(base, nameOf(photo)));
      wanted.set(key, [...(wanted.get(key) ?? []), photo]);
    }
    for (const [key, wanting] of wanted) {
      const [photo] = wanting;
      if (wanting.length > 1 || taken.has(key) || photo === undefined) continue;
      names.set(photo, nameOf(photo));
      taken.add(key);
    }
    waiting = waiting.filter((photo) => !names.has(photo));
    if (waiting.length === 0) break;
  }
  for (const photo of waiting) {
    for (let n = 1; !names.has(photo); n++) {
      const name = `${stem(photo)}-${n}`;
      if (taken.has(foldCase(join(base, name)))) continue;
      names.set(photo, name);
      taken.add(foldCase(join(base, name)));
    }
  }
  return photos.map((photo) => join(base, names.get(photo)!));
}

const stem = (photo: string): string => basename(photo, extname(photo));
const extension = (photo: string): string => extname(photo).slice(1);
const parents = (photo: string, count: number): string[] => {
  const all = dirname(photo)
    .split(/[\\/]/)
    .filter((p) => p !== '' && !p.endsWith(':'));
  return all.slice(-count);
};

const NAMINGS: readonly ((photo: string) => string)[] = [
  stem,
  (p) => (extension(p) === '' ? `${stem(p)}-face` : `${stem(p)}-${extension(p)}`),
  (p) => [...parents(p, 1), stem(p)].join('-'),
  (p) => [...parents(p, 2), stem(p)].join('-'),
  (p) => [...parents(p, 2), stem(p), extension(p)].join('-'),
];

function foldCase(path: string): string {
  return path.normalize('NFC').toLowerCase();
}
