import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { compileKernels, KERNELS_FILE } from './build-kernels.ts';

describe('kernels.wasm', () => {
  it('is what its sources compile to (else: npm run build:kernels)', async () => {
    const committed = await readFile(KERNELS_FILE);
    expect(Buffer.compare(committed, await compileKernels())).toBe(0);
    expect(committed.length).toBeLessThan(100_000);
  }, 60_000);
});
