/** @module Progress, timings and cancellation of one reconstruction. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine, type Engine } from '../src/create-engine.ts';
import { STAGES, type Stage } from '../src/progress.ts';
import type { Reconstruction } from '../src/reconstruction.ts';
import { readExampleRaster } from './example-portrait.ts';
import { encodeJpeg } from './portraits/create-portrait.ts';

/** Export is a step of its own, after the reconstruction. */
const RUN = STAGES.filter((stage) => stage !== 'export');

let engine: Engine;
let photo: Buffer;
let expected: Reconstruction;
beforeAll(async () => {
  engine = await createEngine({ textureSize: 512, model: 'canonical' });
  photo = await encodeJpeg((await readExampleRaster(400)).raster);
  expected = await engine.reconstruct(photo);
}, 120_000);
afterAll(() => engine.close());

async function expectUnharmed(): Promise<void> {
  const again = await engine.reconstruct(photo);
  expect(again.face.positions).toEqual(expected.face.positions);
  expect(again.maps.observedRatio).toBe(expected.maps.observedRatio);
}

describe('progress', () => {
  it('tells every stage once, start and end, in order, with the times that the result has', async () => {
    let clock = 0;
    const ticking = await createEngine({ textureSize: 512, model: 'canonical', now: () => clock++ });
    const events: { stage: Stage; index: number; total: number; done: boolean; ms?: number }[] = [];
    const { timings } = await ticking.reconstruct(photo, { onProgress: (e) => events.push({ ...e }) });
    await ticking.close();
    expect(events.map((e) => `${e.stage} ${e.done}`)).toEqual(RUN.flatMap((stage) => [`${stage} false`, `${stage} true`]));
    for (const e of events) {
      expect([e.index, e.total]).toEqual([STAGES.indexOf(e.stage), STAGES.length]);
      expect(e.ms).toBe(e.done ? timings[e.stage] : undefined);
    }
    expect(Object.keys(timings)).toEqual(RUN);
    // Read once before and once after each stage.
    expect(Object.values(timings)).toEqual(RUN.map(() => 1));
  });

  it('that throws ends the reconstruction with what was thrown, and harms nothing', async () => {
    const onProgress = (e: { stage: Stage; done: boolean }): void => {
      if (e.stage === 'fit') throw new RangeError('thrown by the caller');
    };
    await expect(engine.reconstruct(photo, { onProgress })).rejects.toThrow('thrown by the caller');
    await expectUnharmed();
  });
});

describe('an abort', () => {
  it('before the start begins nothing', async () => {
    const started: Stage[] = [];
    const options = { signal: AbortSignal.abort(), onProgress: (e: { stage: Stage }) => started.push(e.stage) };
    await expect(engine.reconstruct(photo, options)).rejects.toMatchObject({ code: 'FW_CANCELED', params: { stage: 'decode' } });
    expect(started).toEqual([]);
    await expect(engine.findFaces(photo, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'FW_CANCELED' });
  });

  it.each(RUN)('as %s starts ends that stage, and no other begins', async (stage) => {
    const abort = new AbortController();
    const seen: string[] = [];
    const onProgress = (e: { stage: Stage; done: boolean }): void => {
      seen.push(`${e.stage} ${e.done}`);
      if (e.stage === stage && !e.done) abort.abort();
    };
    await expect(engine.reconstruct(photo, { signal: abort.signal, onProgress })).rejects.toMatchObject({
      code: 'FW_CANCELED',
      params: { stage },
    });
    const before = RUN.slice(0, RUN.indexOf(stage)).flatMap((s) => [`${s} false`, `${s} true`]);
    expect(seen).toEqual([...before, `${stage} false`]);
    await expectUnharmed();
  });

  it.each(RUN)('after %s ends the reconstruction before the next stage', async (stage) => {
    const abort = new AbortController();
    const seen: string[] = [];
    const onProgress = (e: { stage: Stage; done: boolean }): void => {
      seen.push(e.stage);
      if (e.stage === stage && e.done) abort.abort();
    };
    const outcome = await engine.reconstruct(photo, { signal: abort.signal, onProgress }).catch((e: unknown) => e);
    // After the last stage there is nothing left to stop: the face is there.
    if (stage === RUN.at(-1)) expect(outcome).toHaveProperty('face');
    else expect(outcome).toMatchObject({ code: 'FW_CANCELED', params: { stage: RUN[RUN.indexOf(stage) + 1] } });
    expect(seen.at(-1)).toBe(stage);
  });

  it('from a timer, at any moment, ends in a face or in FW_CANCELED, and leaves other calls alone', async () => {
    const canceled: string[] = [];
    for (const afterMs of [0, 1, 5, 20, 60]) {
      const abort = new AbortController();
      const undisturbed = engine.reconstruct(photo);
      const outcome = engine.reconstruct(photo, { signal: abort.signal }).then(
        () => 'made',
        (e: { code?: string }) => e.code ?? String(e),
      );
      await sleep(afterMs);
      abort.abort();
      canceled.push(await outcome);
      expect((await undisturbed).face.positions).toEqual(expected.face.positions);
    }
    expect(new Set([...canceled, 'made', 'FW_CANCELED']).size, canceled.join()).toBe(2);
    // A timer of 0 ms fires before the first picture is decoded.
    expect(canceled[0]).toBe('FW_CANCELED');
  });
});
