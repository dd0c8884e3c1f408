import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ERRORS, WARNINGS } from '@facewright/protocol';
import { describe, expect, it } from 'vitest';
import { formatErrorDocs } from './format-error-docs.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = readFileSync(join(root, 'docs/errors.md'), 'utf8');
const errorCodes = Object.keys(ERRORS).sort();
const warningCodes = Object.keys(WARNINGS).sort();

describe('docs/errors.md', () => {
  it('is what the tables give', () => {
    expect(page, 'run `npm run docs`').toBe(formatErrorDocs());
  });

  it('has a section for every code of the tables, and for nothing else', () => {
    const headings = [...page.matchAll(/^### (\w+)$/gm)].map((m) => m[1]);
    expect(headings.sort()).toEqual([...errorCodes, ...warningCodes].sort());
  });

  it('has the statuses of every error in its first table', () => {
    const rows = [...page.matchAll(/^\| \[(\w+)\]\(#\w+\) \| (\d+) \| (\d+) \| (no|later) \|$/gm)];
    const table = Object.entries(ERRORS).map(([code, e]) => [code, `${e.http}`, `${e.exit}`, e.retry === 'never' ? 'no' : 'later']);
    expect(rows.map((m) => m.slice(1, 5)).sort()).toEqual(table.sort());
  });

  it('shows no message with a hole in it', () => {
    expect(page).not.toMatch(/undefined|NaN|\[object|Infinity/);
  });
});

describe('the tables of errors and warnings', () => {
  it('give every error a sentence that says what to do, and statuses of their kind', () => {
    for (const [code, { hint, http, exit }] of Object.entries(ERRORS)) {
      expect(hint, code).toMatch(/^[A-Z].*\.$/s);
      expect(http, code).toBeGreaterThanOrEqual(400);
      expect(http, code).toBeLessThan(600);
      expect(exit, code).toBeGreaterThan(0);
      expect(exit, code).toBeLessThan(256);
    }
    for (const [code, { hint }] of Object.entries(WARNINGS)) expect(hint, code).toMatch(/^[A-Z].*\.$/s);
  });

  it('hold no code that nothing raises', () => {
    const source = readAll((path) => path.includes('/src/') && !isTest(path) && !/protocol\/src\/(errors|warnings)\.ts$/.test(path));
    expect([...errorCodes, ...warningCodes].filter((code) => !raises(source, code))).toEqual([]);
  });

  it('hold no code that no test provokes', () => {
    const tests = readAll(isTest);
    expect([...errorCodes, ...warningCodes].filter((code) => !raises(tests, code))).toEqual([]);
  });
});

function raises(text: string, code: string): boolean {
  return text.includes(`'${code}'`);
}

function isTest(path: string): boolean {
  return path.endsWith('.test.ts') || path.includes('/test/');
}

/** Text of all TypeScript files of the packages whose path is wanted. */
function readAll(isWanted: (path: string) => boolean): string {
  const folder = join(root, 'packages');
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((p) => `${p.replaceAll('\\', '/')}`);
  return paths
    .filter((p) => p.endsWith('.ts') && !/(^|\/)(dist|node_modules)\//.test(p) && isWanted(p))
    .map((p) => readFileSync(join(folder, p), 'utf8'))
    .join('\n');
}
