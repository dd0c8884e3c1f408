import { statSync } from 'node:fs';

/** Packages whose modules are in the bundle; the compiler leaves a record in each that is younger than what it wrote before. */
const BUNDLED = ['protocol', 'head-model', 'engine', 'service', 'cli'];

/**
 * The program, from its bundle (docs/decisions/bundle.md), which loads in a fraction of the time of its modules; or from the modules where
 * there is no fresh one.
 */
export async function loadProgram(): Promise<typeof import('./main.ts')> {
  const bundle = findBundle('main');
  return bundle === undefined ? await import('./main.ts') : ((await import(bundle.href)) as typeof import('./main.ts'));
}

/**
 * A program of the bundle. Undefined where there is no bundle, or one that is older than the modules: who compiles without `npm run build` runs
 * what was compiled.
 */
export function findBundle(name: 'main' | 'worker'): URL | undefined {
  // Written last, so that its time is that of the whole bundle.
  const bundledMs = modifiedMs('./bundle/main.js');
  const isFresh = bundledMs > 0 && BUNDLED.every((part) => modifiedMs(`../../${part}/dist/.tsbuildinfo`) <= bundledMs);
  return isFresh ? new URL(`./bundle/${name}.js`, import.meta.url) : undefined;
}

const modifiedMs = (path: string): number => statSync(new URL(path, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0;
