import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFakeEngine } from '../../test/fake-engine.ts';
import { createFolder } from '../../test/run-cli.ts';
import { createLocalMaker } from './create-local-maker.ts';

describe('makePhoto', () => {
  it('reports the export as a stage of the engine’s list, its end with the time it took', async () => {
    const cwd = createFolder({ 'a.jpg': 'photo' });
    const engine = createFakeEngine();
    const events: unknown[] = [];
    const maker = createLocalMaker({ engine: {}, face: 'only', formats: ['glb'], compact: false, force: false, cwd }, async () => engine);
    await maker.make({ photo: join(cwd, 'a.jpg'), target: join(cwd, 'a') }, { onProgress: (event) => events.push(event) });
    const position = { stage: 'export', index: engine.STAGES.length - 1, total: engine.STAGES.length };
    expect(events.slice(-2)).toEqual([
      { ...position, done: false },
      { ...position, done: true, ms: expect.any(Number) },
    ]);
  });
});
