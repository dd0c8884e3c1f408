import { statSync } from 'node:fs';

/** Packages whose modules are in the bundle; the compiler leaves a record in each that is younger than what it wrote before. */
const BUNDLED = ['protocol', 'head-model', 'engine', 'cli'];

/**
 * The program, from its bundle (docs/decisions/bundle.md), which loads in a fraction of the time of its modules; or from the modules where
 * there is no bundle, or one that is older than they are: who compiles without `npm run build` runs what was compiled.
 */
export async function loadProgram(): Promise<typeof import('./main.ts')> {
  const bundle = './bundle/main.js';
  const bundledMs = modifiedMs(bundle);
  const isFresh = bundledMs > 0 && BUNDLED.every((name) => modifiedMs(`../../${name}/dist/.tsbuildinfo`) <= bundledMs);
  return isFresh ? ((await import(new URL(bundle, import.meta.url).href)) as typeof import('./main.ts')) : await import('./main.ts');
}

const modifiedMs = (path: string): number => statSync(new URL(path, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0;
