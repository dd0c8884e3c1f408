import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { FacewrightError } from '@facewright/protocol';
import { type Config, configSchema } from './config.ts';
import { SETTING_LIST } from './setting-list.ts';

/** Where a value comes from. */
export type ConfigSource = 'flag' | 'environment' | 'file' | 'default';

/** A setting with its value, as `facewright config` prints it: secrets are never in it. */
export interface ShownSetting {
  readonly name: keyof Config;
  readonly value: unknown;
  readonly source: ConfigSource;
  /** What the value was set by: `--port`, `PORT`, a path; '' for a default. */
  readonly sourceName: string;
  readonly description: string;
}

export interface ReadConfigInput {
  /** Values of flags by name of the setting; absent or undefined where not given. `config` is the path of the file. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Relative paths start here. */
  readonly cwd: string;
}

export interface ReadConfig {
  readonly config: Config;
  readonly settings: readonly ShownSetting[];
  /** Variables of the environment that look like settings and are none: typing mistakes. */
  readonly unknownVariables: readonly string[];
}

/** Stands for a secret wherever settings are shown. */
const HIDDEN = '[hidden]';
/** Variables of the same prefix that are no settings of the service. */
const OTHER_VARIABLES = new Set(['FACEWRIGHT_CONFIG', 'FACEWRIGHT_SHARED']);

/**
 * Reads the settings: flags before `FACEWRIGHT_…` variables before `PORT` before the file of `--config` (or `FACEWRIGHT_CONFIG`)
 * before defaults. An empty variable counts as not set.
 *
 * @throws FW_CONFIG_INVALID with every problem at once, each with the name of what set the value
 */
export function readConfig({ flags, env, cwd }: ReadConfigInput): ReadConfig {
  const problems: { field: string; problem: string }[] = [];
  const filePath = textOf(flags.config) ?? textOf(env.FACEWRIGHT_CONFIG);
  const file = filePath === undefined ? {} : readConfigFile(resolve(cwd, filePath), filePath, problems);
  const given: Record<string, unknown> = {};
  const sources = new Map<string, { source: ConfigSource; sourceName: string }>();
  for (const { name, flag, env: variable } of SETTING_LIST) {
    const candidates: readonly (readonly [unknown, ConfigSource, string])[] = [
      [flags[name], 'flag', flag],
      [textOf(env[variable]), 'environment', variable],
      [name === 'port' ? textOf(env.PORT) : undefined, 'environment', 'PORT'],
      [file[name], 'file', filePath ?? ''],
    ];
    const found = candidates.find(([value]) => value !== undefined);
    if (found === undefined) continue;
    // Blanks would be read as the number 0; most often they are a shell variable that is not set.
    if (typeof found[0] === 'string' && found[0].trim() === '') problems.push({ field: name, problem: `is empty (from ${found[2]})` });
    else given[name] = found[0];
    sources.set(name, { source: found[1], sourceName: found[2] });
  }
  const known = new Set<string>(SETTING_LIST.map((setting) => setting.name));
  for (const name of Object.keys(file)) if (!known.has(name)) problems.push({ field: name, problem: `is no setting (in ${filePath})` });

  const parsed = configSchema.safeParse(given);
  for (const issue of parsed.error?.issues ?? []) {
    const name = String(issue.path[0] ?? '');
    const source = sources.get(name);
    problems.push({ field: name, problem: `${issue.message}${source === undefined ? '' : ` (from ${source.sourceName})`}` });
  }
  if (parsed.success) problems.push(...checkTogether(parsed.data));
  if (problems.length > 0 || !parsed.success) throw new FacewrightError('FW_CONFIG_INVALID', { problems });

  const { dataDir, keysFile, cacheDir } = parsed.data;
  const config: Config = {
    ...parsed.data,
    dataDir: resolve(cwd, dataDir),
    ...(keysFile === undefined ? {} : { keysFile: resolve(cwd, keysFile) }),
    ...(cacheDir === undefined ? {} : { cacheDir: resolve(cwd, cacheDir) }),
  };
  const variables = new Set(SETTING_LIST.map((setting) => setting.env));
  return {
    config,
    settings: SETTING_LIST.map(({ name, isSecret, description }) => ({
      name,
      value: isSecret && config[name] !== undefined ? HIDDEN : config[name],
      ...(sources.get(name) ?? { source: 'default', sourceName: '' }),
      description,
    })),
    unknownVariables: Object.keys(env)
      .filter((name) => name.startsWith('FACEWRIGHT_') && !variables.has(name) && !OTHER_VARIABLES.has(name))
      .sort(),
  };
}

function readConfigFile(path: string, shown: string, problems: { field: string; problem: string }[]): Readonly<Record<string, unknown>> {
  const refuse = (problem: string): Record<string, unknown> => {
    problems.push({ field: 'config', problem: `${shown} ${problem}` });
    return {};
  };
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    return refuse(`cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    return refuse('is not a JSON object');
  } catch {
    return refuse('is not JSON');
  }
}

/** What no single setting can say. */
function checkTogether(config: Config): { field: string; problem: string }[] {
  const problems: { field: string; problem: string }[] = [];
  if (config.redisUrl !== undefined && !/^rediss?:\/\//.test(config.redisUrl)) {
    problems.push({ field: 'redisUrl', problem: 'is not a redis:// or rediss:// address' });
  }
  if ((config.s3AccessKeyId === undefined) !== (config.s3SecretAccessKey === undefined)) {
    problems.push({ field: 's3SecretAccessKey', problem: 'goes together with s3AccessKeyId' });
  }
  if (config.s3Bucket === undefined && config.s3Endpoint !== undefined) {
    problems.push({ field: 's3Bucket', problem: 'is missing; s3Endpoint alone does nothing' });
  }
  if (config.waitS > config.maxWaitS) problems.push({ field: 'waitS', problem: `is more than maxWaitS (${config.maxWaitS})` });
  if (config.port !== 0 && config.port === config.adminPort && config.host === config.adminHost) {
    problems.push({ field: 'adminPort', problem: 'is the port of the API' });
  }
  return problems;
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
