import type { FacewrightError } from '@facewright/protocol';
import type { CommandContext } from '../command-context.ts';
import type { EngineModule, NetworkAsset } from '../engine-port.ts';
import { formatTable } from '../print/format-table.ts';
import { createPaint } from '../print/paint.ts';
import { errorOfTable, jsonFromError, reportError } from '../print/report-error.ts';

export interface ModelsOptions {
  readonly json: boolean;
  readonly debug: boolean;
}

/** `facewright models list`. Returns the exit status. */
export async function listModels(options: ModelsOptions, context: CommandContext): Promise<number> {
  const { io } = context;
  const engine = await context.engineModule();
  const models = (await engine.listFaceModels()).map((model) => ({ ...model, isDefault: model.id === engine.FACE_MODEL_IDS[0] }));
  if (options.json) {
    io.stdout.write(`${JSON.stringify({ type: 'models', models })}\n`);
    return 0;
  }
  const rows = models.map((m) => [
    m.id,
    m.version,
    String(m.vertices),
    String(m.triangles),
    String(m.identities),
    String(m.blendshapes),
    m.licence.spdx,
    m.isDefault ? 'default' : '',
  ]);
  const heading = ['model', 'version', 'vertices', 'triangles', 'identities', 'blendshapes', 'licence', ''];
  io.stdout.write(formatTable(heading, rows, ['left', 'left', 'right', 'right', 'right', 'right']));
  for (const m of models) io.stdout.write(`${m.id}: ${m.licence.source}\n`);
  return 0;
}

/** What a check of one file gave. */
export interface VerifiedPart {
  readonly kind: 'model' | 'network';
  readonly name: string;
  /** What it is, where it is right. */
  readonly detail: string;
  readonly error: FacewrightError | null;
}

/** Looks through every model and reads every network asset completely, with their checksums. */
export async function verifyParts(engine: EngineModule): Promise<VerifiedPart[]> {
  const parts: VerifiedPart[] = [];
  const check = async (kind: VerifiedPart['kind'], name: string, load: () => Promise<string>): Promise<void> => {
    try {
      parts.push({ kind, name, detail: await load(), error: null });
    } catch (error) {
      parts.push({ kind, name, detail: '', error: errorOfTable(error) });
    }
  };
  for (const id of engine.FACE_MODEL_IDS) {
    await check('model', id, async () => `${(await engine.verifyFaceModel(id)).length} checks passed`);
  }
  for (const name of Object.keys(engine.NETWORK_ASSETS) as NetworkAsset[]) {
    await check('network', name, async () => {
      await engine.readNetworkAsset(name);
      return `sha256 ${engine.NETWORK_ASSETS[name].sha256}`;
    });
  }
  return parts;
}

/** `facewright models verify`. Returns the exit status: that of the first thing that is wrong. */
export async function verifyModels(options: ModelsOptions, context: CommandContext): Promise<number> {
  const { io } = context;
  const parts = await verifyParts(await context.engineModule());
  const failed = parts.find((part) => part.error !== null);
  if (options.json) {
    const files = parts.map(({ kind, name, detail, error }) => ({
      kind,
      name,
      ok: error === null,
      ...(error === null ? { detail } : { error: jsonFromError(error, io) }),
    }));
    io.stdout.write(`${JSON.stringify({ type: 'verify', ok: failed === undefined, files })}\n`);
  } else {
    const paint = createPaint(io.stdout, io.env);
    for (const { kind, name, detail, error } of parts) {
      io.stdout.write(`${error === null ? paint.green('ok  ') : paint.red('FAIL')}  ${kind} ${name}  ${paint.dim(detail)}\n`);
    }
  }
  for (const { name, error } of parts) if (error !== null) reportError(io, error, { about: name, debug: options.debug });
  return failed?.error?.exitStatus ?? 0;
}
