import module from 'node:module';
import { join } from 'node:path';
import { defaultCacheDir } from '@facewright/engine/default-cache-dir';

/**
 * Lets Node (22.1 and later) keep the machine code of our modules beside the networks in the cache folder, for this process and those
 * that it starts: reading and compiling them is a third of a start. Where there is no folder, or it cannot be written, nothing is kept.
 * NODE_COMPILE_CACHE and NODE_DISABLE_COMPILE_CACHE mean what they mean to Node.
 */
export function keepCompiledCode(): void {
  const { enableCompileCache } = module as { readonly enableCompileCache?: (folder?: string) => unknown };
  const cacheDir = defaultCacheDir();
  if (enableCompileCache === undefined || cacheDir === null || process.env.NODE_COMPILE_CACHE) return;
  const folder = join(cacheDir, 'compiled');
  process.env.NODE_COMPILE_CACHE = folder;
  enableCompileCache(folder);
}
