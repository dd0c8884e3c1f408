/**
 * A process of its own with one engine, warm, that does nothing but photo → face.glb: what a service keeps running. Started by run.ts with
 * the path of a photo; says `ready`, then makes as many faces as each message asks for and answers with a {@link WorkerResult}.
 */
import { readFile } from 'node:fs/promises';
import { createEngine, encodeFiles } from '@facewright/engine';

export interface WorkerResult {
  readonly wallMs: number;
  /** User and system, all threads of the process. */
  readonly cpuMs: number;
  /** Largest resident set of the process since its start. */
  readonly peakMb: number;
}

/** Faces before anything is counted: after three the compiler has seen all code. */
const WARM_UP = 3;

const photo = await readFile(process.argv[2]!);
const engine = await createEngine();
const makeFace = async (): Promise<void> => {
  await encodeFiles(await engine.reconstruct(photo), { formats: ['glb'] });
};
for (let k = 0; k < WARM_UP; k++) await makeFace();
process.on('message', (count: number) => {
  void answer(count);
});
process.send!('ready');

async function answer(count: number): Promise<void> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  for (let k = 0; k < count; k++) await makeFace();
  const wallMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  const result: WorkerResult = { wallMs, cpuMs: (user + system) / 1000, peakMb: process.resourceUsage().maxRSS / 1024 };
  process.send!(result);
}
