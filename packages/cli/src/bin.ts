#!/usr/bin/env node
// What is imported here is loaded before anything is begun: as little as possible.
import { keepCompiledCode } from './keep-compiled-code.ts';
import { findBundle, loadProgram } from './load-program.ts';

const argv = process.argv.slice(2);
const [command = ''] = argv;
const isAboutHelp = argv.includes('--help') || argv.includes('-h');
if (['make', 'serve', 'api', 'worker'].includes(command) && !isAboutHelp) keepCompiledCode();
// A worker needs longer to be warm than the service to listen, so it begins first.
const firstWorker =
  ['serve', 'worker'].includes(command) && !isAboutHelp
    ? (await import('@facewright/service/start-first-worker')).startFirstWorker({ workerUrl: findBundle('worker') })
    : undefined;
const { main } = await loadProgram();
await main(argv, firstWorker);
