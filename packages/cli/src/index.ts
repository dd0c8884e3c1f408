export type { CommandIo, TextSink } from './command-io.ts';
export { run } from './run.ts';
