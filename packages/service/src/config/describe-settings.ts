import type { z } from 'zod';
import { configSchema } from './config.ts';
import type { Setting } from './setting.ts';

/** Every setting as the schema has it, in its order. The list of `setting-list.ts` is made of it. */
export function describeSettings(): readonly Setting[] {
  return Object.entries<z.ZodType>(configSchema.shape).map(([name, schema]) => {
    const { inner, secret } = unwrap(schema);
    const fallback: unknown = schema.safeParse(undefined).data;
    const { type } = inner.def;
    return {
      name: name as Setting['name'],
      flag: `--${name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()}`,
      env: `FACEWRIGHT_${name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()}`,
      description: schema.description ?? '',
      fallback: fallback === undefined || (Array.isArray(fallback) && fallback.length === 0) ? '' : String(fallback),
      isSecret: secret,
      isSwitch: typeof fallback === 'boolean',
      choices: type === 'enum' ? Object.values((inner.def as unknown as z.core.$ZodEnumDef).entries).map(String) : [],
    };
  });
}

/** The schema below defaults and optionals, and whether one of the layers is marked as a secret. */
function unwrap(schema: z.ZodType): { readonly inner: z.ZodType; readonly secret: boolean } {
  let inner = schema;
  let secret = false;
  for (;;) {
    secret ||= inner.meta()?.secret === true;
    const below = (inner.def as { innerType?: z.ZodType }).innerType;
    if (below === undefined) return { inner, secret };
    inner = below;
  }
}
