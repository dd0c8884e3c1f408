export { type Arrivals, createArrivals } from './create-arrivals.ts';
export { createRandom } from './create-random.ts';
export { type OpenLoopOptions, type RequestRecord, runOpenLoop } from './run-open-loop.ts';
export { type LoadSummary, summarizeLoad } from './summarize-load.ts';
