import { availableParallelism } from 'node:os';
import type { Config } from '../config/config.ts';
import type { Log } from '../observability/create-log.ts';
import type { Metrics } from '../observability/create-metrics.ts';
import { createWorkerPool } from './create-worker-pool.ts';
import type { FirstWorker } from './start-first-worker.ts';
import type { WorkerPool } from './worker-pool.ts';

type PoolMetrics = Pick<Metrics, 'workerRestarted' | 'modelLoaded'>;

/** The pool that the settings ask for. It may work long before there is somebody who counts. */
export interface OpenedPool {
  readonly pool: WorkerPool;
  /** Tells what happens to the workers, and what happened before. */
  report(to: PoolMetrics): void;
}

/** Starts the worker processes of a service. What they load takes longer than everything else, so this comes before it. */
export function openWorkerPool(config: Config, log: Log, firstWorker?: FirstWorker): OpenedPool {
  const before: ((to: PoolMetrics) => void)[] = [];
  let listener: PoolMetrics | undefined;
  const tell = (event: (to: PoolMetrics) => void): void => {
    if (listener === undefined) before.push(event);
    else event(listener);
  };
  const pool = createWorkerPool({
    size: config.workers ?? availableParallelism(),
    settings: {
      provider: config.provider,
      cacheDir: config.cacheDir ?? null,
      maxPhotoBytes: config.maxPhotoBytes,
      maxPhotoPixels: config.maxPhotoPixels,
    },
    taskTimeoutMs: 1000 * config.taskTimeoutS,
    memoryBytes: 2 ** 20 * config.workerMemoryMb,
    log,
    onRestart: (reason) => tell((to) => to.workerRestarted(reason)),
    onLoaded: (durationS) => tell((to) => to.modelLoaded(durationS)),
    firstWorker,
  });
  return {
    pool,
    report(to) {
      listener = to;
      for (const event of before.splice(0)) event(to);
    },
  };
}
