import type { CommandContext } from '../command-context.ts';
import { createPaint } from '../print/paint.ts';
import { showText } from '../print/show-path.ts';
import type { ServiceFlags } from './service.ts';

/** `facewright config`: every setting of the service, its value and where it comes from. Secrets are hidden. */
export async function printConfig(flags: ServiceFlags, { json }: { readonly json: boolean }, { io }: CommandContext): Promise<number> {
  const { readConfig } = await import('@facewright/service');
  const { settings, unknownVariables } = readConfig({ flags, env: io.env, cwd: io.cwd });
  if (json) {
    io.stdout.write(`${JSON.stringify({ type: 'config', settings, unknownVariables })}\n`);
    return 0;
  }
  const paint = createPaint(io.stdout, io.env);
  const width = Math.max(...settings.map(({ name }) => name.length));
  const shown = settings.map(({ value }) => (value === undefined ? '-' : Array.isArray(value) ? value.join(',') || '-' : String(value)));
  const valueWidth = Math.min(40, Math.max(...shown.map((text) => text.length)));
  for (const [i, { name, source, sourceName, description }] of settings.entries()) {
    const origin = source === 'default' ? paint.dim(description) : `${source} ${sourceName}`;
    io.stdout.write(`${name.padEnd(width)}  ${showText(shown[i]).padEnd(valueWidth)}  ${origin}\n`);
  }
  for (const name of unknownVariables) io.stderr.write(`${name} is no setting\n`);
  return 0;
}
