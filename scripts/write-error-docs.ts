/** Writes docs/errors.md; with --check only compares and ends with status 1 where it is out of date. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { formatErrorDocs } from './format-error-docs.ts';

const folder = fileURLToPath(new URL('../docs', import.meta.url));
const path = `${folder}/errors.md`;
const wanted = formatErrorDocs();
const found = await readFile(path, 'utf8').catch(() => '');
if (found !== wanted) {
  if (process.argv.includes('--check')) {
    console.error('docs/errors.md is out of date: run `npm run docs` and commit it.');
    process.exitCode = 1;
  } else {
    await mkdir(folder, { recursive: true });
    await writeFile(path, wanted);
    console.error('docs/errors.md written.');
  }
}
