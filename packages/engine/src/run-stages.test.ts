import { describe, expect, it } from 'vitest';
import { createStageRunner } from './run-stages.ts';

describe('createStageRunner', () => {
  it('measures each stage with the clock it was given and reports start and end in order', async () => {
    let now = 0;
    const seen: string[] = [];
    const runner = createStageRunner(
      () => now,
      undefined,
      (e) => seen.push(`${e.stage} ${e.index}/${e.total} ${e.done ? `done ${e.ms}` : 'start'}`),
    );
    expect(await runner.run('decode', () => ((now += 5), 'a'))).toBe('a');
    await runner.run('fit', () => {
      now += 7;
    });
    await runner.run('decode', () => {
      now += 1;
    });
    expect(runner.timings).toEqual({ decode: 6, fit: 7 });
    expect(seen).toEqual([
      'decode 0/6 start',
      'decode 0/6 done 5',
      'fit 3/6 start',
      'fit 3/6 done 7',
      'decode 0/6 start',
      'decode 0/6 done 1',
    ]);
  });

  it('starts no stage once canceled, and fails the stage during which it was', async () => {
    const abort = new AbortController();
    const runner = createStageRunner(() => 0, abort.signal, undefined);
    await expect(runner.run('detect', () => abort.abort())).rejects.toMatchObject({ code: 'FW_CANCELED', params: { stage: 'detect' } });
    let ran = false;
    await expect(
      runner.run('fit', () => {
        ran = true;
      }),
    ).rejects.toMatchObject({ code: 'FW_CANCELED', params: { stage: 'fit' } });
    expect(ran).toBe(false);
  });

  it('lets a timer abort between two stages that do not wait', async () => {
    const abort = new AbortController();
    const runner = createStageRunner(() => 0, abort.signal, undefined);
    setTimeout(() => abort.abort(), 0);
    const all = (async () => {
      for (let k = 0; k < 1000; k++) await runner.run('fit', () => undefined);
    })();
    await expect(all).rejects.toMatchObject({ code: 'FW_CANCELED' });
  });
});
