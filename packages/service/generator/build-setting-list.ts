/**
 * @module Writes src/config/setting-list.ts from the schema of settings, so that the help of the command line can be printed without
 * loading the library of schemas (70 ms of every start). Run by `npm run docs`; a test compares both.
 */

import { writeFile } from 'node:fs/promises';
import { describeSettings } from '../src/config/describe-settings.ts';

await writeFile(
  new URL('../src/config/setting-list.ts', import.meta.url),
  `import type { Setting } from './setting.ts';

/** Every setting of the service. Made from the schema in config.ts by \`npm run docs\`; do not edit. */
export const SETTING_LIST: readonly Setting[] = ${JSON.stringify(describeSettings(), null, 2)};
`,
);
