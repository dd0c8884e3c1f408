import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Sources are tested, not the build: the condition leads every workspace import to src/.
  ssr: { resolve: { conditions: ['@facewright/source', 'node'] } },
  resolve: { conditions: ['@facewright/source', 'node'] },
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'packages/*/test/**/*.test.ts',
      'packages/*/generator/**/*.test.ts',
      'scripts/**/*.test.ts',
      'examples/**/*.test.ts',
      'benchmarks/**/*.test.ts',
      'e2e/**/*.test.ts',
      'docs/**/*.test.ts',
    ],
    reporters: ['default', './scripts/skip-reporter.ts'],
    testTimeout: 60_000,
    // What must become true is waited for patiently: a busy machine needs longer than vitest's own second.
    expect: { poll: { timeout: 30_000 } },
    maxWorkers: 2,
  },
});
