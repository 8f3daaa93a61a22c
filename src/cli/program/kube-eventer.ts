import type { ConfigIssue } from "../../config/config.ts";
import { FLAGS as OURS } from "../../config/options.ts";

/**
 * The command line of kube-eventer (eventer.go at 0974bca), taken as it is: flags that mean something here become ours, the others are
 * accepted, and what differs is said once.
 */
export interface Translated {
  readonly argv: readonly string[];
  /** Whether it is one of kube-eventer's: what differs here is to be said. */
  readonly isKubeEventers: boolean;
  /** What differs from kube-eventer, to be said at the start. */
  readonly notes: readonly ConfigIssue[];
  readonly mistakes: readonly ConfigIssue[];
}

interface Given {
  readonly flag: string;
  readonly value: string;
}

type Meaning =
  /** Ours in its place; what is wrong with the value otherwise. */
  { readonly argv: readonly string[]; readonly note?: string } | { readonly wrong: string };

interface KubeEventerFlag {
  /** Go's flags of this kind need no value. */
  readonly bool?: true;
  readonly means: (value: string) => Meaning;
}

const COMMANDS = ["run", "check"];

const LOGGING =
  "log lines go to the error output, as JSON where it is no terminal; --log-level says which";
const klog = (bool?: true): KubeEventerFlag => ({
  ...(bool === undefined ? {} : { bool }),
  means: () => ({ argv: [], note: LOGGING }),
});

/** kube-eventer refuses what is outside these. */
const FREQUENCY_MS = { least: 5_000, most: 180_000 };
/** From here on client-go's own chatter is wanted. */
const DEBUG_VERBOSITY = 4;

/** Names without the leading dashes; `_` and `-` are the same. */
const FLAGS: ReadonlyMap<string, KubeEventerFlag> = new Map<string, KubeEventerFlag>([
  ["frequency", { means: frequency }],
  [
    "max-procs",
    {
      means: (value) =>
        /^\d+$/.test(value)
          ? {
              argv: [],
              note: "one thread does the work; what it may use, limits.cpu of the Pod says",
            }
          : { wrong: `expected a number of processors, found "${value}"` },
    },
  ],
  [
    "event-metrics",
    {
      bool: true,
      means: (value) =>
        boolean(value) === null
          ? { wrong: `expected true or false, found "${value}"` }
          : { argv: [`--event-metrics=${String(boolean(value))}`] },
    },
  ],
  ["v", { means: verbosity }],
  ["logtostderr", klog(true)],
  ["alsologtostderr", klog(true)],
  ["add-dir-header", klog(true)],
  ["one-output", klog(true)],
  ["skip-headers", klog(true)],
  ["skip-log-headers", klog(true)],
  ["stderrthreshold", klog()],
  ["vmodule", klog()],
  ["log-backtrace-at", klog()],
  ["log-dir", klog()],
  ["log-file", klog()],
  ["log-file-max-size", klog()],
]);

/** Names of the two flags that are one of ours together. */
const ADDRESS = { ip: "healthz-ip", port: "healthz-port" } as const;
/** A flag that is no sign of kube-eventer. */
const OURS_TOO = "event-metrics";
/** kube-eventer's defaults. */
const DEFAULT_ADDRESS = { ip: "0.0.0.0", port: "8084" } as const;

/** Takes kube-eventer's flags out of `run` and `check`; everything else stays as it is. Flags without a command mean `run`. */
export function fromKubeEventer(given: readonly string[]): Translated {
  const isAlone = isFlagsAlone(given);
  const [command = "", ...flags] = isAlone ? ["run", ...given] : given;
  const argv = COMMANDS.includes(command) ? [command, ...flags.reduce(withTwoDashes, [])] : given;
  const nothing = { isKubeEventers: false, notes: [], mistakes: [] };
  if (!COMMANDS.includes(command)) return { argv, ...nothing };
  if (argv.includes("--version")) return { argv: ["--version"], ...nothing };
  const rest: string[] = [];
  const ours: string[] = [];
  const notes: ConfigIssue[] = [];
  const mistakes: ConfigIssue[] = [];
  const address = new Map<string, Given>();
  // Its documentation writes the API server's address so; here nobody needs it.
  let isKubeEventers = argv.some((word, index) =>
    /^kubernetes:https?:/.test(valueIn(word) ?? (argv[index - 1] === "--source" ? word : "")),
  );
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? "";
    const second = anotherFlagIn(word);
    if (second !== null) {
      mistakes.push(second);
      continue;
    }
    const name = nameOf(word);
    const isAddress = name === ADDRESS.ip || name === ADDRESS.port;
    const known = FLAGS.get(name);
    if (known === undefined && !isAddress) {
      rest.push(word);
      continue;
    }
    if (name !== OURS_TOO) isKubeEventers = true;
    const taken =
      known?.bool === true ? (valueIn(word) ?? "true") : (valueIn(word) ?? argv[index + 1] ?? "");
    if (known?.bool !== true && valueIn(word) === null) index += 1;
    const [flag = word] = word.split("=");
    if (known === undefined) {
      address.set(name, { flag, value: taken });
      continue;
    }
    const meaning = known.means(taken);
    if ("wrong" in meaning) {
      mistakes.push({ where: flag, message: meaning.wrong, hint: null });
      continue;
    }
    ours.push(...meaning.argv);
    if (meaning.note !== undefined) notes.push({ where: flag, message: meaning.note, hint: null });
  }
  // First, so that a flag of ours that says otherwise wins; of two of kube-eventer's the last does, as with Go.
  rest.splice(1, 0, ...ours);
  const saysWhere = address.size > 0 || rest.some((word) => /^--(listen|config)(=|$)/.test(word));
  // Whoever writes `run` knows of `--listen`; `check` is asked what the flags alone would do.
  if (isKubeEventers && (isAlone || command === "check") && !saysWhere)
    rest.splice(1, 0, `--listen=${DEFAULT_ADDRESS.ip}:${DEFAULT_ADDRESS.port}`);
  rest.splice(1, 0, ...listen(address, mistakes));
  return { argv: rest, isKubeEventers, notes: together(notes), mistakes };
}

/** Help and version are asked of the program, too, where nothing else is. */
function isFlagsAlone([first = ""]: readonly string[]): boolean {
  return /^-./.test(first) && !["--help", "--version"].includes(first);
}

/** What Go's flags are called, with two dashes, whether they take the next word. */
const TAKES_NEXT: ReadonlyMap<string, boolean> = new Map([
  ...OURS.map(({ flag }): [string, boolean] => [flag.split(" ")[0] ?? "", flag.includes("<")]),
  ...[...FLAGS].map(([name, { bool }]): [string, boolean] => [`--${name}`, bool !== true]),
  ...Object.values(ADDRESS).map((name): [string, boolean] => [`--${name}`, true]),
  ["--version", false],
  ["--help", false],
]);

/** Go takes one dash for two: `-sink=…`, `-logtostderr`. A word that is a flag's value stays as it is. */
function withTwoDashes(before: readonly string[], word: string): readonly string[] {
  if (TAKES_NEXT.get((before.at(-1) ?? "").replaceAll("_", "-")) === true) return [...before, word];
  if (word === "-h") return [...before, "--help"];
  const name = /^-([a-z][a-z_-]+)(?:=|$)/.exec(word)?.[1]?.replaceAll("_", "-");
  const isKnown = name !== undefined && TAKES_NEXT.has(`--${name}`);
  return [...before, isKnown ? `-${word}` : word];
}

/** `--source=kubernetes:… --sink=…` as one argument: what a Pod's `args` do not split. The second may have a token in it. */
function anotherFlagIn(word: string): ConfigIssue | null {
  const found = /^(--?[a-z][\w-]*)[=\s].*\s(--?[a-z][\w-]*)[=\s]/is.exec(word);
  const [, flag = "", second = ""] = found ?? [];
  if (!TAKES_NEXT.has(second.replace(/^-+/, "--").replaceAll("_", "-"))) return null;
  const message = `${second} stands in the same argument`;
  return {
    where: flag,
    message,
    hint: "give each flag as an argument of its own, without quotes around both",
  };
}

/** `--healthz-port=8084` → `healthz-port`; `-v=4` and `-v4` → `v`; empty where it is no flag of such a form. */
function nameOf(word: string): string {
  if (/^-v(\d|=|$)/.test(word)) return "v";
  const found = /^--([a-z][a-z_-]*)(=|$)/.exec(word)?.[1] ?? "";
  return found.replaceAll("_", "-");
}

/** What stands in the same word. */
function valueIn(word: string): string | null {
  const short = /^-v(\d+)$/.exec(word)?.[1];
  if (short !== undefined) return short;
  const at = word.indexOf("=");
  return at === -1 ? null : word.slice(at + 1);
}

function listen(address: ReadonlyMap<string, Given>, mistakes: ConfigIssue[]): readonly string[] {
  if (address.size === 0) return [];
  const ip = address.get(ADDRESS.ip)?.value ?? DEFAULT_ADDRESS.ip;
  const port = address.get(ADDRESS.port);
  if (port !== undefined && !(/^\d{1,5}$/.test(port.value) && Number(port.value) < 65_536)) {
    const message = `expected a port, found "${port.value}"`;
    mistakes.push({ where: port.flag, message, hint: null });
    return [];
  }
  const host = ip.includes(":") && !ip.startsWith("[") ? `[${ip}]` : ip;
  return [`--listen=${host}:${port?.value ?? DEFAULT_ADDRESS.port}`];
}

function frequency(value: string): Meaning {
  const ms = goDuration(value);
  if (ms === null) return { wrong: `expected a duration like 30s or 1m30s, found "${value}"` };
  if (ms < FREQUENCY_MS.least || ms > FREQUENCY_MS.most)
    return { wrong: `expected 5s to 3m, found "${value}"` };
  return {
    argv: [`--digest-every=${ms}ms`],
    note: "alerts are sent at once; of what a robot's rate does not allow there is a digest at most this often",
  };
}

function verbosity(value: string): Meaning {
  if (!/^\d{1,2}$/.test(value)) return { wrong: `expected a number, found "${value}"` };
  return {
    argv: Number(value) >= DEBUG_VERBOSITY ? ["--log-level=debug"] : [],
    note: LOGGING,
  };
}

/** Go's notation, in milliseconds; `null` where it is none. */
function goDuration(text: string): number | null {
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
  if (!/^((\d+(\.\d*)?|\.\d+)(ms|s|m|h))+$/.test(text)) return null;
  let sum = 0;
  for (const [, number = "", unit = ""] of text.matchAll(/([\d.]+)(ms|s|m|h)/g))
    sum += Number(number) * (units[unit] ?? 0);
  return Math.round(sum);
}

/** As strconv.ParseBool. */
function boolean(value: string): boolean | null {
  if (/^(1|t|T|TRUE|true|True)$/.test(value)) return true;
  return /^(0|f|F|FALSE|false|False)$/.test(value) ? false : null;
}

/** Ten flags about the log are one thing to say. */
function together(notes: readonly ConfigIssue[]): readonly ConfigIssue[] {
  const flags = new Map<string, string[]>();
  for (const { where, message } of notes)
    flags.set(message, [...new Set([...(flags.get(message) ?? []), where])]);
  return [...flags].map(([message, where]) => ({ where: where.join(", "), message, hint: null }));
}
