import sharp from 'sharp';

/**
 * Sets what sharp (libvips) keeps per process, for a program that works on several photos at once: one thread per photo,
 * because parallelism is over photos, and no cache of operations, because no photo is decoded twice in the same way and the
 * cache would hold up to 50 MB of pixels of people.
 *
 * The only place where the engine touches a global; `createEngine` calls it. A host program that uses sharp itself may set
 * both otherwise afterwards: results do not depend on it, time and memory do.
 */
export function configureSharp(): void {
  sharp.concurrency(1);
  sharp.cache(false);
}
