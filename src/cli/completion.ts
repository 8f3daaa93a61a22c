/** What a shell may complete: commands, and the flags of each. */
export interface Completable {
  /** `run`, `dead list`. */
  readonly command: string;
  /** `--sink`, with `=` where it takes a value. */
  readonly flags: readonly string[];
}

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** The completion script for one shell; `source <(kube-crier completion bash)`. */
export function completionScript(shell: Shell, commands: readonly Completable[]): string {
  switch (shell) {
    case "bash":
      return bash(commands);
    case "zsh":
      return zsh(commands);
    case "fish":
      return fish(commands);
  }
}

const firstWords = (commands: readonly Completable[]): readonly string[] => [
  ...new Set(commands.map(({ command }) => command.split(" ")[0] ?? "")),
];

function secondWords(commands: readonly Completable[], first: string): readonly string[] {
  return commands
    .map(({ command }) => command.split(" "))
    .filter((words) => words[0] === first && words[1] !== undefined)
    .map((words) => words[1] ?? "");
}

function bash(commands: readonly Completable[]): string {
  const cases = commands.map(
    ({ command, flags }) => `    "${command}") words="${flags.join(" ")}" ;;`,
  );
  const groups = firstWords(commands)
    .filter((first) => secondWords(commands, first).length > 0)
    .map((first) => `    "${first}") words="${secondWords(commands, first).join(" ")}" ;;`);
  return `# bash completion for kube-crier: source <(kube-crier completion bash)
_kube_crier() {
  local current=\${COMP_WORDS[COMP_CWORD]} said="" word words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in -*|=) ;; *) said="\${said:+$said }$word" ;; esac
  done
  case $said in
    "") words="${firstWords(commands).join(" ")} --help --version" ;;
${groups.join("\n")}
${cases.join("\n")}
    *) return ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ \${COMPREPLY[0]} == *= ]] && compopt -o nospace
}
complete -o default -F _kube_crier kube-crier
`;
}

function zsh(commands: readonly Completable[]): string {
  const cases = commands.map(
    ({ command, flags }) => `    "${command}") compadd -S "" -- ${flags.join(" ")} ;;`,
  );
  const groups = firstWords(commands)
    .filter((first) => secondWords(commands, first).length > 0)
    .map((first) => `    "${first}") compadd -- ${secondWords(commands, first).join(" ")} ;;`);
  return `#compdef kube-crier
# zsh completion for kube-crier: source <(kube-crier completion zsh)
_kube_crier() {
  local said="" word
  for word in "\${(@)words[2,CURRENT-1]}"; do
    [[ $word == -* ]] || said="\${said:+$said }$word"
  done
  case $said in
    "") compadd -- ${firstWords(commands).join(" ")} --help --version ;;
${groups.join("\n")}
${cases.join("\n")}
    *) _files ;;
  esac
}
compdef _kube_crier kube-crier
`;
}

function fish(commands: readonly Completable[]): string {
  const first = firstWords(commands);
  const lines = [
    `complete -c kube-crier -n "not __fish_seen_subcommand_from ${first.join(" ")}" -f -a "${first.join(" ")}"`,
  ];
  for (const { command, flags } of commands) {
    const words = command.split(" ");
    const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`).join("; and ");
    for (const flag of flags)
      lines.push(
        `complete -c kube-crier -n "${seen}" -l ${flag.replace(/^--/, "").replace(/=$/, "")}${flag.endsWith("=") ? " -r" : ""}`,
      );
  }
  for (const group of first) {
    const second = secondWords(commands, group);
    if (second.length > 0)
      lines.push(
        `complete -c kube-crier -n "__fish_seen_subcommand_from ${group}; and not __fish_seen_subcommand_from ${second.join(" ")}" -f -a "${second.join(" ")}"`,
      );
  }
  return `# fish completion for kube-crier: kube-crier completion fish | source\n${lines.join("\n")}\n`;
}
