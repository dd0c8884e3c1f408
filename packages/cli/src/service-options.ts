import { SETTING_LIST } from '@facewright/service/settings';
import { type Command, Option } from 'commander';

/** Settings that the help shows; all others work as flags too, and `facewright config` tells them. */
const SHOWN = new Set([
  'host',
  'port',
  'adminPort',
  'dataDir',
  'redisUrl',
  's3Bucket',
  's3Endpoint',
  'workers',
  'provider',
  'maxQueued',
  'resultTtlS',
  'drainGraceS',
  'logLevel',
  'otlpEndpoint',
]);

/** Gives a command the flags of settings of the service. The list is plain data: help does not load the service. */
export function addServiceOptions(command: Command, options: { readonly only?: readonly string[] } = {}): Command {
  command.addOption(new Option('--config <file>', 'settings as a JSON object (FACEWRIGHT_CONFIG)'));
  for (const { name, flag, description, fallback, isSwitch, choices } of SETTING_LIST) {
    if (options.only !== undefined && !options.only.includes(name)) continue;
    const value = isSwitch ? '[yes|no]' : choices.length > 0 ? `<${choices.join('|')}>` : '<value>';
    const text = `${description.replace(/\.$/, '')}${fallback === '' ? '' : ` (default: ${fallback})`}`;
    const option = new Option(`${flag} ${value}`, text);
    // Offered, not enforced: values of flags, environment and file are checked in one place, and all problems are told at once.
    if (choices.length > 0) option.argChoices = [...choices];
    if (options.only === undefined && !SHOWN.has(name)) option.hideHelp();
    command.addOption(option);
  }
  return command;
}
