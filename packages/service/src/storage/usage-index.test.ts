import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ListedObject } from './object-storage.ts';
import { UsageIndex } from './usage-index.ts';

describe('usage index', () => {
  it('is exact for this process however its changes fall into listings', async () => {
    const change = fc.record({
      key: fc.constantFrom('t/a/x', 't/a/y', 't/b/x', 't/c'),
      bytes: fc.option(fc.integer({ min: 1, max: 99 })),
      turns: fc.integer({ min: 0, max: 3 }),
      removeA: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 20 }), async (changes) => {
        const objects = new Map<string, number>();
        let time = 0;
        const index = new UsageIndex({
          refreshMs: 1,
          now: () => time++,
          // A listing sees each place at another moment, as a real one does.
          async *list(): AsyncIterable<ListedObject> {
            for (const key of ['t/a/x', 't/a/y', 't/b/x', 't/c']) {
              await turn();
              const bytes = objects.get(key);
              if (bytes !== undefined) yield { key, bytes, modifiedAt: 0 };
            }
          },
        });
        await index.usedBytes('t');
        for (const { key, bytes, turns, removeA } of changes) {
          if (removeA) {
            for (const k of ['t/a/x', 't/a/y']) objects.delete(k);
            index.recordRemoval('t/a');
          } else {
            if (bytes === null) objects.delete(key);
            else objects.set(key, bytes);
            index.record(key, bytes);
          }
          const sum = (prefix: string): number => [...objects].filter(([k]) => k.startsWith(prefix)).reduce((s, [, b]) => s + b, 0);
          expect(await index.usedBytes('t')).toBe(sum('t/'));
          expect(await index.usedBytes('t/a')).toBe(sum('t/a/'));
          for (let i = 0; i < turns; i++) await turn();
        }
      }),
    );
  });

  it('lists again only when its knowledge is old, and seldom where listing takes long', async () => {
    let [time, lists] = [0, 0];
    const index = new UsageIndex({
      refreshMs: 100,
      now: () => time,
      // biome-ignore lint/correctness/useYield: nothing is listed
      async *list() {
        lists++;
        time += 10;
      },
    });
    await index.usedBytes('t');
    expect(lists).toBe(1);
    time += 200; // More than the age allowed, but a listing may take a fiftieth of the time.
    await index.usedBytes('t');
    expect(lists).toBe(1);
    time += 400;
    await index.usedBytes('t');
    await turn();
    expect(lists).toBe(2);
  });

  it('tells the first failure and tries again', async () => {
    const store: { works: boolean } = { works: false };
    const index = new UsageIndex({
      refreshMs: 100,
      async *list() {
        if (!store.works) throw new Error('no answer');
        yield { key: 't/a', bytes: 5, modifiedAt: 0 };
      },
    });
    await expect(index.usedBytes('t')).rejects.toThrow('no answer');
    store.works = true;
    expect(await index.usedBytes('t')).toBe(5);
  });
});
