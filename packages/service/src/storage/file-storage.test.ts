import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { createFileStorage } from './file-storage.ts';
import { describeObjectStorage } from './object-storage.test-support.ts';

const dirs: string[] = [];
afterAll(async () => {
  for (const dir of dirs) await rm(dir, { recursive: true, force: true });
});

describeObjectStorage('directory', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'fw-storage-'));
  dirs.push(dir);
  return { open: () => createFileStorage({ dir, usageRefreshMs: 50 }) };
});
