import type { CommandIo } from './command-io.ts';
import type { EngineModule } from './engine-port.ts';
import type { MakeOptions } from './make/make-options.ts';
import type { PhotoMaker } from './make/photo-maker.ts';

/** What every command is given. */
export interface CommandContext {
  readonly io: CommandIo;
  /** Loads the engine: 0.1 s and tens of megabytes, so only when it is needed. */
  readonly engineModule: () => Promise<EngineModule>;
  /** What makes the photos of a batch: a process of its own each, unless a test says otherwise. */
  readonly createBatchMaker: (options: MakeOptions) => Promise<PhotoMaker>;
  /** Milliseconds. */
  readonly now: () => number;
}
