import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { ERRORS } from '@facewright/protocol';
import { CommanderError } from 'commander';
import type { CommandContext } from './command-context.ts';
import type { CommandIo } from './command-io.ts';
import { errorOfTable, exitStatusOf, jsonFromError, reportError } from './print/report-error.ts';
import { showText } from './print/show-path.ts';
import { createProgram } from './program.ts';

/**
 * Runs the command line in this process.
 *
 * @param argv - arguments without the program's name
 * @param replace - for tests: another engine, another way to make the photos of a batch
 * @returns exit status; never throws and never ends the process
 */
export async function run(argv: readonly string[], io: CommandIo, replace: Partial<Omit<CommandContext, 'io'>> = {}): Promise<number> {
  let exitStatus = 0;
  const context: CommandContext = {
    io,
    engineModule: () => import('@facewright/engine'),
    createBatchMaker: async (options) => (await import('./make/create-process-maker.ts')).createProcessMaker(options),
    now: () => performance.now(),
    ...replace,
  };
  const finish = (status: number): void => {
    exitStatus = status;
  };
  const program = createProgram(context, finish, { onlyMake: argv[0] === 'make' });
  const errors: string[] = [];
  const configure = (command: typeof program): void => {
    command.exitOverride().configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => errors.push(text),
      getOutHelpWidth: () => Math.min(io.stdout.columns ?? 100, 110),
      getErrHelpWidth: () => Math.min(io.stderr.columns ?? 100, 110),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      outputError: () => {},
    });
    for (const child of command.commands) configure(child as typeof program);
  };
  configure(program);

  const debug = argv.includes('--debug');
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitStatus;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      return await reportUsage(error, errors.join(''), argv, io);
    }
    const known = errorOfTable(error);
    if (argv.includes('--json')) io.stdout.write(`${JSON.stringify({ type: 'error', ok: false, error: jsonFromError(known, io) })}\n`);
    reportError(io, known, { debug });
    return exitStatusOf(known, io);
  }
}

/** The argument that was meant as a photo, or names a file, and begins like an option. */
async function findPhotoLikeOption(argv: readonly string[], cwd: string): Promise<string | undefined> {
  const { PHOTO_EXTENSIONS } = await import('./make/find-photos.ts');
  return argv.find(
    (arg) => arg.startsWith('-') && (PHOTO_EXTENSIONS.some((e) => arg.toLowerCase().endsWith(e)) || existsSync(resolve(cwd, arg))),
  );
}

/** A mistake in the arguments: two lines, like every other error. */
async function reportUsage(error: CommanderError, help: string, argv: readonly string[], io: CommandIo): Promise<number> {
  const exitStatus = ERRORS.FW_ARG_INVALID.exit;
  if (error.code === 'commander.help') {
    io.stderr.write(help);
    return exitStatus;
  }
  let message = error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  const [first] = argv;
  if (error.code === 'commander.unknownCommand' && first !== undefined && existsSync(resolve(io.cwd, first))) {
    message += ` (did you mean: facewright make ${first} ?)`;
  }
  const file = error.code === 'commander.unknownOption' ? await findPhotoLikeOption(argv, io.cwd) : undefined;
  const hint = file === undefined ? ERRORS.FW_ARG_INVALID.hint : `A photo whose name begins with "-" is given as ./${showText(file)}`;
  if (argv.includes('--json')) {
    io.stdout.write(`${JSON.stringify({ type: 'error', ok: false, error: { code: 'FW_ARG_INVALID', message, hint, exitStatus } })}\n`);
  }
  io.stderr.write(`facewright: ${showText(message)} [FW_ARG_INVALID]\n  ${hint}\n`);
  return exitStatus;
}
