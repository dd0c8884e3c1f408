import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const pages = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], { cwd: ROOT, encoding: 'utf8' })
  .split('\n')
  .filter((page) => page !== '' && existsSync(join(ROOT, page)));

describe('the pages', () => {
  it('there are some', () => {
    expect(pages).toContain('README.md');
  });

  it.each(pages)('%s leads only to files that exist', (page) => {
    const text = readFileSync(join(ROOT, page), 'utf8');
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((m) => m[1]!).filter((link) => !/^[a-z]+:|^#/.test(link));
    const missing = links.filter((link) => !existsSync(join(ROOT, dirname(page), link.split('#')[0]!)));
    expect(missing).toEqual([]);
  });

  it('ARCHITECTURE.md names only files that exist', () => {
    const text = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8');
    const named = [...text.matchAll(/`((?:packages|benchmarks|docs|scripts|examples)\/[^`]*)`/g)].map((m) => m[1]!);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    // The steps of the pipeline name files from packages/engine/src, those of a request from packages/service/src.
    const steps = [...text.matchAll(/`((?:[a-z-]+\/)?[a-z-]+\.ts|[a-z]+\/)`/g)]
      .map((m) => m[1]!)
      .filter((path) => !['warnings.ts', 'benchmarks/'].includes(path));
    expect(steps.filter((path) => !['engine', 'service'].some((name) => existsSync(join(ROOT, 'packages', name, 'src', path))))).toEqual(
      [],
    );
  });
});
