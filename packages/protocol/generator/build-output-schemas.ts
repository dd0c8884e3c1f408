/** Writes docs/schemas/*.json from packages/protocol/src/outputs.ts: `npx tsx packages/protocol/generator/build-output-schemas.ts`, then `npm run fix`. */
import { writeFile } from 'node:fs/promises';
import { formatSchema, OUTPUT_SCHEMAS } from './output-schemas.ts';

for (const [name, schema] of Object.entries(OUTPUT_SCHEMAS)) {
  await writeFile(new URL(`../../../docs/schemas/${name}`, import.meta.url), formatSchema(schema));
}
