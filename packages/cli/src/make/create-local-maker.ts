import type { Engine, EngineModule } from '../engine-port.ts';
import type { MakeOptions } from './make-options.ts';
import { makePhoto } from './make-photo.ts';
import type { PhotoMaker } from './photo-maker.ts';

/**
 * Makes photos in this process: the quickest for one photo.
 *
 * The engine is loaded by the first photo that gets as far as needing it; one that failed to load is tried again by the next.
 */
export function createLocalMaker(options: MakeOptions, engineModule: () => Promise<EngineModule>): PhotoMaker {
  let engine: Promise<Engine> | undefined;
  const load = (): Promise<Engine> => {
    engine ??= engineModule().then((module) => module.createEngine(options.engine));
    engine.catch(() => {
      engine = undefined;
    });
    return engine;
  };
  return {
    make: (job, events) => makePhoto(job, options, { engineModule, engine: load }, events),
    async close() {
      await (await engine?.catch(() => undefined))?.close();
    },
  };
}
