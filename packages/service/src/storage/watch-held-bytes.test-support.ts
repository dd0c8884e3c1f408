import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** At most this share of the time goes into collections, so that the work that is watched goes on, also on a busy machine. */
const SHARE = 0.2;
const MIN_PAUSE_MS = 5;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/**
 * Watches how many bytes outside of the JavaScript heap (buffers) are held; returns a function that ends it and tells by how much they
 * grew at most. Each sample is taken after a full collection: what nobody holds any more does not count, whenever a collector of this
 * version would have found it.
 */
export function watchHeldBytes(): () => number {
  const sample = (): number => {
    // The second waits for what the first left to other threads: buffers are counted until these have freed them.
    collect();
    collect();
    return process.memoryUsage().arrayBuffers;
  };
  const before = sample();
  let most = before;
  let samples = 0;
  let timer: NodeJS.Timeout | undefined;
  const turn = (): void => {
    const begin = performance.now();
    most = Math.max(most, sample());
    samples++;
    timer = setTimeout(turn, Math.max(MIN_PAUSE_MS, (performance.now() - begin) * (1 / SHARE - 1)));
  };
  timer = setTimeout(turn, MIN_PAUSE_MS);
  return () => {
    clearTimeout(timer);
    if (samples === 0) throw new Error('the work was over before it was looked at');
    return most - before;
  };
}
