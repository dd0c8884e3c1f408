import type { Command } from 'commander';

/** What a shell needs to know of an option. */
export interface OptionDescription {
  readonly long: string;
  readonly short?: string;
  readonly description: string;
  readonly takesValue: boolean;
  /** Values to offer; [] means: files. */
  readonly choices: readonly string[];
}

/** What a shell needs to know of a command. */
export interface CommandDescription {
  /** Words after the program's name, e.g. `['models', 'list']`; [] is the program itself. */
  readonly path: readonly string[];
  readonly description: string;
  readonly children: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly OptionDescription[];
  /** Words that the arguments may be; null means files. Meaningless where there are children. */
  readonly words: readonly string[] | null;
  readonly hasArguments: boolean;
}

/** Values worth offering that are not a closed list in the command itself. */
const OFFERED: Readonly<Record<string, readonly string[]>> = {
  '--face': ['largest', 'all', '1', '2'],
  '--focal': ['24mm', '35mm', '50mm', '85mm'],
  '--format': ['glb', 'obj', 'maps', 'json', 'preview', 'glb,maps,preview'],
  '--model': ['head', 'canonical'],
  '--texture-size': ['512', '1024', '2048', '4096'],
};

/** The tree of commands as a flat list, outermost first: what the three generators walk over. */
export function describeCommands(program: Command): CommandDescription[] {
  const all: CommandDescription[] = [];
  const walk = (command: Command, path: readonly string[]): void => {
    const children = command.createHelp().visibleCommands(command);
    const options = command
      .createHelp()
      .visibleOptions(command)
      .map((option): OptionDescription => {
        const long = option.long ?? option.flags;
        return {
          long,
          ...(option.short === undefined ? {} : { short: option.short }),
          description: option.description.replace(/ \(default: .*\)$/, ''),
          takesValue: option.required || option.optional,
          choices: option.argChoices ?? OFFERED[long] ?? [],
        };
      });
    const [argument] = command.registeredArguments;
    all.push({
      path,
      description: command.description(),
      children: children.map((child) => ({ name: child.name(), description: child.description() })),
      options,
      words: argument?.argChoices ?? null,
      hasArguments: argument !== undefined,
    });
    for (const child of command.commands) walk(child, [...path, child.name()]);
  };
  walk(program, []);
  return all;
}
