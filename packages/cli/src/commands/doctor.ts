import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createWarning, ERRORS, isFacewrightError } from '@facewright/protocol';
import type { CommandContext } from '../command-context.ts';
import type { Engine, EngineModule, EngineOptions } from '../engine-port.ts';
import { codeOf, reasonOf } from '../output/map-write-error.ts';
import { createPaint } from '../print/paint.ts';
import { errorOfTable, formatStack } from '../print/report-error.ts';
import { showText } from '../print/show-path.ts';
import { readVersion } from '../version.ts';
import { verifyParts } from './models.ts';

export interface DoctorOptions {
  readonly provider: NonNullable<EngineOptions['provider']>;
  readonly json: boolean;
  readonly debug: boolean;
}

/** One line of the examination. */
export interface Finding {
  readonly name: string;
  /** `off`: not there, and not needed. */
  readonly state: 'ok' | 'warn' | 'fail' | 'off';
  readonly value: string;
  readonly hint?: string;
  readonly stack?: string;
}

/** Oldest Node that the dependencies run on (package.json `engines`). */
const MIN_NODE = [20, 19] as const;

/** A face is expected to take less memory than this, bytes. Below, a process may be killed for it. */
const MIN_MEMORY_BYTES = 600e6;

/** The portrait that comes with the project; a package installed from a registry has none. */
const EXAMPLE_URL = new URL('../../../../examples/portrait.jpg', import.meta.url);

/** `facewright doctor`: what works here. Returns the exit status. */
export async function doctor(options: DoctorOptions, context: CommandContext): Promise<number> {
  const { io } = context;
  const paint = createPaint(io.stdout, io.env);
  const findings: Finding[] = [];
  const note = (finding: Finding): void => {
    findings.push(finding);
    if (options.json) return;
    const mark = { ok: paint.green('ok  '), warn: paint.yellow('warn'), fail: paint.red('FAIL'), off: paint.dim('off ') }[finding.state];
    io.stdout.write(`${mark}  ${finding.name.padEnd(16)}  ${showText(finding.value)}\n`);
    if (finding.hint !== undefined) io.stdout.write(`${' '.repeat(24)}${finding.hint}\n`);
    if (finding.stack !== undefined) io.stderr.write(`${finding.stack}\n`);
  };
  const failed = (name: string, thrown: unknown, state: 'fail' | 'off' = 'fail'): void => {
    const error = errorOfTable(thrown);
    const value = `${error.message} [${error.code}]`;
    note({
      name,
      state,
      value,
      ...(state === 'fail' ? { hint: error.hint } : {}),
      ...(options.debug && state === 'fail' ? { stack: formatStack(error) } : {}),
    });
  };

  note({ name: 'facewright', state: 'ok', value: readVersion() });
  note(examineNode());
  note({
    name: 'system',
    state: 'ok',
    value: `${platform()} ${release()} ${arch()}, ${availableParallelism()} x ${cpus()[0]?.model ?? 'unknown processor'}`,
  });
  note(examineMemory());

  try {
    const { default: sharp } = await import('sharp');
    note({ name: 'images', state: 'ok', value: `sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}` });
  } catch (error) {
    failed('images', error);
  }

  let module: EngineModule | undefined;
  let engine: Engine | undefined;
  let isProviderMissing = false;
  try {
    module = await context.engineModule();
    for (const part of await verifyParts(module)) {
      if (part.error === null) note({ name: part.kind, state: 'ok', value: `${part.name}, ${part.detail}` });
      else failed(part.kind, part.error);
    }
    const start = context.now();
    engine = await module.createEngine({ provider: options.provider });
    const ms = Math.round(context.now() - start);
    note({ name: 'networks', state: 'ok', value: `onnxruntime ${engine.networks.onnxruntime} on ${engine.provider}, ready in ${ms} ms` });
  } catch (error) {
    isProviderMissing = isFacewrightError(error, 'FW_PROVIDER_UNAVAILABLE');
    failed('networks', error);
  }
  if (engine !== undefined) note(await examineCache(engine));
  // Without models and networks no provider works, and each would say so again.
  if (module !== undefined && (engine !== undefined || isProviderMissing)) {
    for (const provider of ['cpu', 'webgpu', 'cuda'] as const) {
      if (provider === engine?.provider) continue;
      try {
        await (await module.createEngine({ provider })).close();
        note({ name: 'provider', state: 'ok', value: `${provider} runs here as well` });
      } catch (error) {
        // Only the one that was asked for has to work.
        failed('provider', error, 'off');
      }
    }
  }
  if (engine !== undefined) {
    await examineExample(engine, context, note, failed);
    await engine.close();
  }

  const isSound = findings.every((finding) => finding.state !== 'fail');
  // EX_UNAVAILABLE, as for each of the things that can be missing.
  const exitStatus = isSound ? 0 : ERRORS.FW_PROVIDER_UNAVAILABLE.exit;
  if (options.json) io.stdout.write(`${JSON.stringify({ type: 'doctor', ok: isSound, findings, exitStatus })}\n`);
  else io.stdout.write(isSound ? '\nfacewright make works here.\n' : '\nSomething is wrong; see the lines with FAIL.\n');
  return exitStatus;
}

function examineNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isOld = major < MIN_NODE[0] || (major === MIN_NODE[0] && minor < MIN_NODE[1]);
  const value = `${process.version} (${process.execPath})`;
  return isOld
    ? { name: 'node', state: 'fail', value, hint: `Install Node ${MIN_NODE.join('.')} or later.` }
    : { name: 'node', state: 'ok', value };
}

function examineMemory(): Finding {
  const constrained = process.constrainedMemory() ?? 0;
  const bytes = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  const value = `${(bytes / 1e9).toFixed(1)} GB${bytes < totalmem() ? ' (limit of the container)' : ''}`;
  return bytes < MIN_MEMORY_BYTES
    ? { name: 'memory', state: 'warn', value, hint: 'A process that makes faces takes about 0.3 GB.' }
    : { name: 'memory', state: 'ok', value };
}

/** Can converted networks be kept? Without, everything works, only later. */
async function examineCache(engine: Engine): Promise<Finding> {
  const { cacheDir, cache } = engine.networks;
  if (cacheDir === null) return { name: 'cache', state: 'off', value: 'switched off; every start takes a little longer' };
  const unwritable = engine.warnings.find((w) => w.code === 'CACHE_NOT_WRITABLE');
  if (unwritable !== undefined) return { name: 'cache', state: 'warn', value: unwritable.message, hint: unwritable.hint };
  try {
    await access(cacheDir, constants.W_OK | constants.X_OK);
  } catch (error) {
    // A hit does not write, so the engine has not noticed.
    const { message, hint } = createWarning('CACHE_NOT_WRITABLE', { path: cacheDir, reason: reasonOf(error) });
    return { name: 'cache', state: 'warn', value: message, hint };
  }
  return { name: 'cache', state: 'ok', value: `${cacheDir} (${cache === 'hit' ? 'networks were there' : 'networks were converted now'})` };
}

/** The whole job once cold and then warm, with a clock. */
async function examineExample(
  engine: Engine,
  { now }: CommandContext,
  note: (finding: Finding) => void,
  failed: (name: string, error: unknown) => void,
): Promise<void> {
  try {
    const bytes = await readFile(EXAMPLE_URL);
    const times: number[] = [];
    for (let i = 0; i < 3; i++) {
      const start = now();
      await engine.reconstruct(bytes, { fileName: 'portrait.jpg' });
      times.push(Math.round(now() - start));
    }
    note({
      name: 'self-test',
      state: 'ok',
      value: `a face of the example portrait in ${times[0]} ms, then ${times.slice(1).join(' and ')} ms (without files)`,
    });
  } catch (error) {
    if (codeOf(error) === 'ENOENT') {
      note({ name: 'self-test', state: 'off', value: `no example portrait in ${dirname(fileURLToPath(EXAMPLE_URL))}` });
    } else failed('self-test', error);
  }
}
