#!/usr/bin/env node
/**
 * The one entrance behind every `npm run …`: installs and builds what is missing, then does what was asked.
 *
 * Plain JavaScript without dependencies, because it runs before anything is installed. Quiet when there is nothing to do.
 */
import { checkNode } from './bootstrap/check-node.mjs';

checkNode();
const { runCommand } = await import('./bootstrap/run-command.mjs');
process.exitCode = await runCommand(process.argv.slice(2));
