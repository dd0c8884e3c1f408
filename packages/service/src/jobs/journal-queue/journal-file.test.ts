import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { type JournalEntry, JournalFile } from './journal-file.ts';

it('takes lines while it is rewritten, and has them afterwards', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'facewright-journal-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const path = join(dir, 'jobs.journal');
  const journal = await JournalFile.open(path, () => {});
  await journal.append([['before', { n: 1 }]]);
  const text = 'x'.repeat(2000);
  const snapshot = Array.from({ length: 2000 }, (_, i): JournalEntry => [`s${i}`, { text }]);
  let isDone = false;
  const rewriting = journal.compact(snapshot).then(() => {
    isDone = true;
  });
  let appended = 0;
  let during = 0;
  while (!isDone) {
    await journal.append([[`t${appended++}`, { n: appended }]]);
    if (!isDone) during++;
  }
  await rewriting;
  await journal.append([['after', { n: 2 }]]);
  await journal.close();
  expect(during).toBeGreaterThan(0);
  const found: JournalEntry[] = [];
  await (await JournalFile.open(path, (entry) => found.push(entry))).close();
  const tail = Array.from({ length: appended }, (_, i): JournalEntry => [`t${i}`, { n: i + 1 }]);
  expect(found).toEqual([...snapshot, ...tail, ['after', { n: 2 }]]);
});
