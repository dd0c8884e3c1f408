import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { formatSchema, OUTPUT_SCHEMAS } from './output-schemas.ts';

const docs = new URL('../../../docs/', import.meta.url);

describe('the committed JSON Schemas', () => {
  it.each(Object.entries(OUTPUT_SCHEMAS))(
    '%s says what the zod schema says (else: npx tsx packages/protocol/generator/build-output-schemas.ts)',
    async (name, schema) => {
      const committed: unknown = JSON.parse(await readFile(new URL(`schemas/${name}`, docs), 'utf8'));
      expect(committed).toEqual(JSON.parse(formatSchema(schema)));
    },
  );
});

describe('docs/output-formats.md', () => {
  it.each(['camera', 'landmarks', 'report'] as const)('names every field of %s.json', async (name) => {
    const page = await readFile(new URL('output-formats.md', docs), 'utf8');
    const section = page.split(/^## /m).find((part) => part.startsWith(`${name}.json\n`));
    for (const field of Object.keys(OUTPUT_SCHEMAS[`${name}.schema.json`].shape)) expect(section).toContain(`\`${field}`);
  });
});
