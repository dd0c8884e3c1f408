import { Argument, Command, Option } from 'commander';
import type { CommandContext } from './command-context.ts';
import type { NewKeyOptions } from './commands/keys.ts';
import type { MakeCommandOptions } from './commands/make.ts';
import type { ServiceFlags } from './commands/service.ts';
import { type EngineOptions, FORMATS, type OutputFormat } from './engine-port.ts';
import { parseChoice, parseFace, parseFocal, parseFormats, parsePath, parsePaths, parseWhole } from './parse-arguments.ts';
import { addServiceOptions } from './service-options.ts';
import { readVersion } from './version.ts';

/** Files that `make` writes when nothing else is asked for. report.json always comes with them. */
const DEFAULT_FORMATS: readonly OutputFormat[] = ['glb', 'maps', 'preview'];

const PROVIDERS = ['cpu', 'webgpu', 'cuda', 'auto'] as const;
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

const EXIT_STATUSES = `
Exit status:
  0    everything that was asked for is there
  1    some photos (or faces) could not be made; the table or --json says which and why
  64   a wrong option            65  the photo cannot be used (no face, damaged, ...)
  66   the photo cannot be read  69  a model, network or provider does not work here
  70   a bug                     73  the output cannot be written   74  the disk is full
  75   the service is busy, try again later               77  the service refuses the key
  78   a setting of the service is wrong
  130  canceled with Ctrl-C (143: SIGTERM)`;

const MAKE_HELP = `
Photos:
  JPEG, PNG, WebP, AVIF, TIFF and GIF (first frame); the content decides, not the name. A folder means
  the photos in it (not in folders below it). Patterns work quoted as well: 'photos/**/*.jpg'.

Output:
  One photo: ./<its name>/ or the folder that -o names. Several: one folder for each below -o (or the
  current folder). Each is written whole or not at all. A batch skips photos that are finished with the
  same options; --force redoes them.

Examples:
  $ facewright make portrait.jpg                    portrait/face.glb, textures, preview.png, report.json
  $ facewright make portrait.jpg -o out --format glb --compact
  $ facewright make team/ 'more/*.png' -o faces     a batch: goes on past bad photos, can be run again
  $ facewright make couple.jpg --face all           couple/face-1/..., couple/face-2/...
  $ facewright make portrait.jpg --focal 85mm --json
${EXIT_STATUSES}`;

const INSPECT_HELP = `
The picture shows each face with its number (what --face takes), its box, the 478 landmarks and the
axes of the head: red to the person's left, green up, blue out of the face. Faces that make would refuse
are drawn in red.

Examples:
  $ facewright inspect group.jpg                    writes group.inspect.png
  $ facewright inspect group.jpg --json -o seen.png numbers on stdout, picture as seen.png
${EXIT_STATUSES}`;

const DOCTOR_HELP = `
Looks at Node, the processor, the networks (sha256), the face models, the execution providers, the cache
folder, and makes a face of the example portrait with a clock beside it. Exit status 0 when make works
here, else 69.`;

const COMPLETION_HELP = `
  $ source <(facewright completion bash)            now
  $ facewright completion bash > ~/.local/share/bash-completion/completions/facewright
  $ facewright completion zsh > "\${fpath[1]}/_facewright"
  $ facewright completion fish > ~/.config/fish/completions/facewright.fish`;

const SERVICE_HELP = `
Settings are flags, FACEWRIGHT_... variables (--max-queued 50 is FACEWRIGHT_MAX_QUEUED=50; PORT works too) or a JSON
file (--config). \`facewright config\` prints all of them, their values here and where each comes from.

Without keys there is one user and the address is loopback; \`facewright keys create NAME\` opens it to others.
With Redis (--redis-url) and a bucket (--s3-bucket) or a shared data folder, \`api\` and \`worker\` run apart, as many as
you like. SIGTERM drains: no new work, running work ends or goes back to the queue, then the process ends with 0.

Examples:
  $ facewright serve                                http://localhost:8080, no other software
  $ facewright api --redis-url redis://... --s3-bucket faces
  $ facewright worker --redis-url redis://... --s3-bucket faces --workers 4
${EXIT_STATUSES}`;

const KEYS_HELP = `
Only hashes are kept, in keys.json of the data folder (or --keys-file). The first key ends the single-user mode.

Examples:
  $ facewright keys create acme --rate 120          prints the key, once
  $ facewright keys list
  $ facewright keys revoke k3v9s2mq7d1a`;

/** The values commander gives a command with all options. */
interface ParsedOptions {
  output?: string;
  model?: string;
  textureSize?: number;
  format: readonly OutputFormat[];
  compact?: boolean;
  face?: 'largest' | 'all' | number;
  focal?: { focalPx: number } | { focal35mm: number };
  provider?: (typeof PROVIDERS)[number];
  maxBytes?: number;
  maxPixels?: number;
  maxDecodeMs?: number;
  concurrency?: number;
  force?: boolean;
  json?: boolean;
  quiet?: boolean;
  debug?: boolean;
}

/**
 * The tree of commands. Reading it loads nothing but commander: each action imports its own code.
 *
 * @param finish - called with the exit status of the command that ran
 * @param options.onlyMake - leaves the other commands out: making the tree of all of them takes longer than reading the arguments
 */
export function createProgram(
  context: CommandContext,
  finish: (exitStatus: number) => void,
  options: { readonly onlyMake?: boolean } = {},
): Command {
  const program = new Command('facewright')
    .description('One portrait photo in, a game-ready 3D face out: GLB with 52 blendshapes, OBJ, textures. Runs here, without a network.')
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this')
    .helpCommand('help [command]', 'print the help of a command')
    .showSuggestionAfterError()
    .addHelpText('after', `\nStart with:\n  $ facewright make portrait.jpg\n${EXIT_STATUSES}`);

  program
    .command('make')
    .description('make 3D faces of photos')
    .addArgument(new Argument('<photo...>', 'photos, folders of photos, or patterns').argParser(parsePaths('<photo>')))
    .addOption(new Option('-o, --output <folder>', 'where to write (default: the name of the photo)').argParser(parsePath('--output')))
    .addOption(modelOption())
    .addOption(
      new Option('--texture-size <px>', 'side of the skin texture, 512 to 4096 (default: 1024)').argParser(
        parseWhole('--texture-size', 512, 4096),
      ),
    )
    .addOption(
      new Option('--format <list>', `kinds of files, by comma: ${FORMATS.join(', ')}`)
        .argParser(parseFormats)
        .default(DEFAULT_FORMATS, DEFAULT_FORMATS.join(',')),
    )
    .option('--compact', 'small GLB: meshopt, quantised, WebP textures')
    .addOption(
      new Option('--face <which>', 'largest, all, or a number as inspect shows it (default: refuse to guess)').argParser(parseFace),
    )
    .addOption(focalOption())
    .addOption(providerOption())
    .addOption(maxBytesOption())
    .addOption(maxPixelsOption())
    .addOption(maxDecodeMsOption())
    .addOption(
      new Option('--concurrency <n>', 'photos at once in a batch (default: one per core)').argParser(parseWhole('--concurrency', 1, 256)),
    )
    .option('--force', 'redo what is finished, and write into folders that hold other files (they stay)')
    .option('--json', 'one JSON object per photo on stdout (a batch ends with a summary); text for people on stderr')
    .option('-q, --quiet', 'print nothing but errors')
    .option('--debug', 'print the stack of errors')
    .addHelpText('after', MAKE_HELP)
    .action(async (photos: string[], o: ParsedOptions) => {
      const { make } = await import('./commands/make.ts');
      const options: MakeCommandOptions = {
        engine: engineOptions(o),
        face: o.face ?? 'only',
        ...o.focal,
        formats: o.format,
        compact: o.compact === true,
        force: o.force === true,
        output: o.output,
        concurrency: o.concurrency,
        ...printingOptions(o),
      };
      finish(await make(photos, options, context));
    });
  if (options.onlyMake === true) return program;

  program
    .command('inspect')
    .description('show what is found in a photo: faces, landmarks, pose')
    .addArgument(new Argument('<photo>', 'a photo').argParser(parsePath('<photo>')))
    .addOption(new Option('-o, --output <file>', 'picture to write (default: <name>.inspect.png)').argParser(parsePath('--output')))
    .addOption(modelOption())
    .addOption(focalOption())
    .addOption(providerOption())
    .addOption(maxBytesOption())
    .addOption(maxPixelsOption())
    .addOption(maxDecodeMsOption())
    .option('--json', 'the numbers as one JSON object on stdout (a picture only with -o)')
    .option('-q, --quiet', 'print nothing but errors')
    .option('--debug', 'print the stack of errors')
    .addHelpText('after', INSPECT_HELP)
    .action(async (photo: string, o: ParsedOptions) => {
      const { inspect } = await import('./commands/inspect.ts');
      finish(await inspect(photo, { engine: engineOptions(o), output: o.output, ...o.focal, ...printingOptions(o) }, context));
    });

  const models = program.command('models').description('the face models that are installed').helpCommand(false);
  models
    .command('list')
    .description('names, sizes and licences')
    .option('--json', 'as one JSON object on stdout')
    .option('--debug', 'print the stack of errors')
    .action(async (o: ParsedOptions) => {
      const { listModels } = await import('./commands/models.ts');
      finish(await listModels(printingOptions(o), context));
    });
  models
    .command('verify')
    .description('check every file of the models and networks')
    .option('--json', 'as one JSON object on stdout')
    .option('--debug', 'print the stack of errors')
    .action(async (o: ParsedOptions) => {
      const { verifyModels } = await import('./commands/models.ts');
      finish(await verifyModels(printingOptions(o), context));
    });

  program
    .command('doctor')
    .description('check what works here')
    .addOption(providerOption())
    .option('--json', 'as one JSON object on stdout')
    .option('--debug', 'print the stack of errors')
    .addHelpText('after', DOCTOR_HELP)
    .action(async (o: ParsedOptions) => {
      const { doctor } = await import('./commands/doctor.ts');
      finish(await doctor({ provider: o.provider ?? 'cpu', ...printingOptions(o) }, context));
    });

  const services = [
    ['serve', 'serve the HTTP API and do the work'],
    ['api', 'serve the HTTP API only; workers share its queue (--redis-url)'],
    ['worker', 'do the work of a queue (--redis-url)'],
  ] as const;
  for (const [role, description] of services) {
    addServiceOptions(program.command(role).description(description))
      .addHelpText('after', SERVICE_HELP)
      .action(async (flags: ServiceFlags) => {
        const { runService } = await import('./commands/service.ts');
        finish(await runService(role, flags, context));
      });
  }
  addServiceOptions(program.command('config').description('print every setting of the service and where it comes from'))
    .option('--json', 'as one JSON object on stdout')
    .action(async ({ json, ...flags }: ServiceFlags) => {
      const { printConfig } = await import('./commands/config.ts');
      finish(await printConfig(flags, { json: json === true }, context));
    });

  const keys = program.command('keys').description('API keys of the service').helpCommand(false).addHelpText('after', KEYS_HELP);
  const keysCommand = (name: string, description: string): Command =>
    addServiceOptions(keys.command(name).description(description), { only: ['dataDir', 'keysFile'] }).option(
      '--json',
      'as one JSON object on stdout',
    );
  keysCommand('create', 'create a key for a tenant, new or not')
    .addArgument(new Argument('<tenant>', 'lower-case letters, digits and "-"'))
    .option('--note <text>', 'what the key is for, shown in the list')
    .addOption(limitOption('--rate <n>', 'requests per minute that cost work'))
    .addOption(limitOption('--max-pending <n>', 'waiting and running jobs'))
    .addOption(limitOption('--max-processing <n>', 'running jobs'))
    .addOption(limitOption('--storage-bytes <n>', 'bytes of photos and results'))
    .addOption(limitOption('--weight <n>', 'turns against other tenants'))
    .addHelpText('after', KEYS_HELP)
    .action(async (tenant: string, o: KeyFlags) => {
      const { createApiKey } = await import('./commands/keys.ts');
      const { json, note, rate, maxPending, maxProcessing, storageBytes, weight, ...flags } = o;
      const limits = Object.entries({ ratePerMinute: rate, maxPending, maxProcessing, storageBytes, weight });
      const options: NewKeyOptions = {
        ...(note === undefined ? {} : { note }),
        limits: Object.fromEntries(limits.filter(([, value]) => value !== undefined)),
      };
      finish(await createApiKey(tenant, options, flags, { json: json === true }, context));
    });
  keysCommand('list', 'keys that were created, without the keys').action(async ({ json, ...flags }: ServiceFlags) => {
    const { listApiKeys } = await import('./commands/keys.ts');
    finish(await listApiKeys(flags, { json: json === true }, context));
  });
  keysCommand('revoke', 'end a key; running services notice within two seconds')
    .addArgument(new Argument('<key>', 'its name in the list, or the key'))
    .action(async (key: string, { json, ...flags }: ServiceFlags) => {
      const { revokeApiKey } = await import('./commands/keys.ts');
      finish(await revokeApiKey(key, flags, { json: json === true }, context));
    });

  program
    .command('completion')
    .description('print a completion script for a shell')
    .addArgument(new Argument('<shell>', 'your shell').choices(SHELLS).argParser(parseChoice('<shell>', SHELLS)))
    .addHelpText('after', COMPLETION_HELP)
    .action(async (shell: (typeof SHELLS)[number]) => {
      const { formatCompletion } = await import('./completion/format-completion.ts');
      context.io.stdout.write(formatCompletion(shell, program));
      finish(0);
    });

  return program;
}

interface KeyFlags extends ServiceFlags {
  readonly note?: string;
  readonly rate?: number;
  readonly maxPending?: number;
  readonly maxProcessing?: number;
  readonly storageBytes?: number;
  readonly weight?: number;
}

const limitOption = (flags: string, description: string): Option =>
  new Option(flags, `limit of the tenant: ${description}`).argParser(parseWhole(flags.split(' ')[0], 1));
const modelOption = (): Option => new Option('--model <name>', 'face model, see `facewright models list` (default: head)');
const focalOption = (): Option =>
  new Option('--focal <length>', 'focal length: pixels (3200) or full-frame equivalent (50mm) (default: from the photo)').argParser(
    parseFocal,
  );
const providerOption = (): Option =>
  new Option('--provider <name>', 'what runs the networks (default: cpu)')
    .choices(PROVIDERS)
    .argParser(parseChoice('--provider', PROVIDERS));
const maxBytesOption = (): Option =>
  new Option('--max-bytes <n>', 'refuse larger files (default: 52428800)').argParser(parseWhole('--max-bytes', 1));
const maxPixelsOption = (): Option =>
  new Option(
    '--max-pixels <n>',
    'refuse larger pictures (default: 120000000); progressive ones from half of it on, AVIF from a quarter',
  ).argParser(parseWhole('--max-pixels', 1));
const maxDecodeMsOption = (): Option =>
  new Option('--max-decode-ms <n>', 'give up decoding after this time (default: 10000)').argParser(parseWhole('--max-decode-ms', 1));

function engineOptions(o: ParsedOptions): EngineOptions {
  const { provider, model, textureSize, maxBytes, maxPixels, maxDecodeMs } = o;
  const limits = {
    ...(maxBytes === undefined ? {} : { maxBytes }),
    ...(maxPixels === undefined ? {} : { maxPixels }),
    ...(maxDecodeMs === undefined ? {} : { maxDecodeMs }),
  };
  return {
    ...(provider === undefined ? {} : { provider }),
    ...(model === undefined ? {} : { model }),
    ...(textureSize === undefined ? {} : { textureSize }),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
  };
}

function printingOptions(o: ParsedOptions): { json: boolean; quiet: boolean; debug: boolean } {
  return { json: o.json === true, quiet: o.quiet === true, debug: o.debug === true };
}
