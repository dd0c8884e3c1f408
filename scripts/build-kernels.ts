/**
 * Compiles packages/engine/kernels (AssemblyScript) to kernels.wasm, which is committed so that a fresh clone needs no compiler. A test
 * compiles again and compares.
 *
 *   npm run build:kernels
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const FOLDER = new URL('../packages/engine/kernels/', import.meta.url);
export const KERNELS_FILE = fileURLToPath(new URL('kernels.wasm', FOLDER));

/** @throws Error with what the compiler says */
export async function compileKernels(): Promise<Uint8Array> {
  let bytes: Uint8Array | null = null;
  const { error, stderr } = await asc.main(
    // No relaxed SIMD: results would differ between processors.
    ['index.ts', '--outFile', 'kernels.wasm', '-O3', '--noAssert', '--runtime', 'stub', '--importMemory', '--enable', 'simd,bulk-memory'],
    {
      readFile: (name) => {
        try {
          return readFileSync(new URL(name, FOLDER), 'utf8');
        } catch {
          return null; // the compiler asks for several names of a module
        }
      },
      writeFile: (_, content) => {
        bytes = content as Uint8Array;
      },
      listFiles: () => [],
    },
  );
  if (error !== null || bytes === null) throw new Error(stderr.toString());
  return bytes;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(KERNELS_FILE, await compileKernels());
