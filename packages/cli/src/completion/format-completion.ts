import type { Command } from 'commander';
import { type CommandDescription, describeCommands, type OptionDescription } from './describe-commands.ts';

/** A completion script for a shell, made from the tree of commands itself, so that it cannot fall behind. */
export function formatCompletion(shell: 'bash' | 'zsh' | 'fish', program: Command): string {
  const commands = describeCommands(program);
  const format = { bash: formatBash, zsh: formatZsh, fish: formatFish }[shell];
  return format(commands, program.name());
}

/** For bash 3.2 (macOS) and later, without the bash-completion package. */
function formatBash(commands: readonly CommandDescription[], name: string): string {
  const quote = (words: readonly string[]): string => `"${words.join(' ')}"`;
  const optionWords = (c: CommandDescription): string[] => c.options.flatMap((o) => (o.short === undefined ? [o.long] : [o.short, o.long]));
  const paths = commands.filter((c) => c.path.length > 0).map((c) => c.path.join(' '));
  const values = commands.flatMap((c) =>
    c.options
      .filter((o) => o.takesValue)
      .map((o) => {
        const patterns = [o.long, ...(o.short === undefined ? [] : [o.short])].map((flag) => `"${c.path.join(' ')}:${flag}"`).join('|');
        return `    ${patterns}) ${o.choices.length > 0 ? `words=${quote(o.choices)}` : 'files=1'} ;;`;
      }),
  );
  const own = commands.map((c) => {
    const words = c.children.length > 0 ? c.children.map((child) => child.name) : (c.words ?? []);
    const files = c.children.length === 0 && c.hasArguments && c.words === null ? 'files=1; ' : '';
    return `    "${c.path.join(' ')}") ${files}plain=${quote(words)}; options=${quote(optionWords(c))} ;;`;
  });
  return `# bash completion for ${name}
_${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local command="" word words="" plain="" options="" files="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    case "\${command:+$command }$word" in
      ${paths.map((p) => `"${p}"`).join('|')}) command="\${command:+$command }$word" ;;
    esac
  done
  COMPREPLY=()
  case "$command:$previous" in
${values.join('\n')}
  esac
  if [ -z "$words$files" ]; then
    case "$command" in
${own.join('\n')}
    esac
    case "$current" in
      -*) words="$options"; files="" ;;
      *) words="$plain" ;;
    esac
  fi
  if [ -n "$words" ]; then COMPREPLY=($(compgen -W "$words" -- "$current")); fi
  if [ -n "$files" ]; then
    compopt -o filenames 2>/dev/null
    local IFS=$'\\n'
    COMPREPLY+=($(compgen -f -- "$current"))
  fi
}
complete -F _${name} ${name}
`;
}

function formatZsh(commands: readonly CommandDescription[], name: string): string {
  const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const escapeSpec = (text: string): string => text.replace(/[[\]:\\]/g, '\\$&');
  const functionOf = (c: CommandDescription): string => ['', name, ...c.path].join('_');
  const optionSpecs = (o: OptionDescription): string[] => {
    const value = o.takesValue ? `:value:${o.choices.length > 0 ? `(${o.choices.join(' ')})` : '_files'}` : '';
    const help = `[${escapeSpec(o.description)}]`;
    const exclusive = o.short === undefined ? '' : `(${o.short} ${o.long})`;
    return [o.long, ...(o.short === undefined ? [] : [o.short])].map((flag) => quote(`${exclusive}${flag}${help}${value}`));
  };
  const bodies = commands.map((c) => {
    const specs = c.options.flatMap(optionSpecs);
    if (c.children.length > 0) {
      const children = c.children.map((child) => `    ${quote(`${child.name}:${escapeSpec(child.description)}`)}`).join('\n');
      const cases = commands
        .filter((d) => d.path.length === c.path.length + 1 && c.path.every((word, i) => d.path[i] === word))
        .map((d) => `        ${d.path.at(-1)}) ${functionOf(d)} ;;`);
      return `${functionOf(c)}() {
  local -a commands
  local context state line
  commands=(
${children}
  )
  _arguments -C ${specs.join(' ')} '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe command commands ;;
    argument)
      case $words[1] in
${cases.join('\n')}
      esac ;;
  esac
}`;
    }
    const argument = !c.hasArguments ? '' : c.words === null ? " '*:file:_files'" : ` '1:value:(${c.words.join(' ')})'`;
    return `${functionOf(c)}() {\n  _arguments ${specs.join(' ')}${argument}\n}`;
  });
  // Sourced: registers itself. Autoloaded from $fpath: the first line does, and the call answers the request at hand.
  return `#compdef ${name}\n# zsh completion for ${name}\n${bodies.join('\n')}\nif [ "$funcstack[1]" = "_${name}" ]; then _${name} "$@"; else compdef _${name} ${name}; fi\n`;
}

function formatFish(commands: readonly CommandDescription[], name: string): string {
  const quote = (text: string): string => `'${text.replace(/['\\]/g, '\\$&')}'`;
  const lines = [`# fish completion for ${name}`, `complete -c ${name} -f`];
  for (const c of commands) {
    const children = c.children.map((child) => child.name);
    const seen = c.path.map((word) => `__fish_seen_subcommand_from ${word}`);
    const notYet = children.length > 0 ? [`not __fish_seen_subcommand_from ${children.join(' ')}`] : [];
    const condition = [...seen, ...notYet].join('; and ');
    const when = condition === '' ? '' : ` -n ${quote(condition)}`;
    for (const child of c.children) lines.push(`complete -c ${name}${when} -a ${child.name} -d ${quote(child.description)}`);
    if (children.length === 0 && c.hasArguments)
      lines.push(`complete -c ${name}${when} ${c.words === null ? '-F' : `-a ${quote(c.words.join(' '))}`}`);
    for (const o of c.options) {
      const short = o.short === undefined ? '' : ` -s ${o.short.slice(1)}`;
      const value = !o.takesValue ? '' : o.choices.length > 0 ? ` -x -a ${quote(o.choices.join(' '))}` : ' -r -F';
      lines.push(`complete -c ${name}${when} -l ${o.long.slice(2)}${short}${value} -d ${quote(o.description)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}
