import { readFileSync } from "node:fs";
import path from "node:path";
import { PassThrough, Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { sinks as registry } from "../../../sinks/index.ts";
import { helpPages, runProgram } from "../../../src/cli/program.ts";
import type { Commands } from "../../../src/cli/program/commands.ts";
import { systemClock } from "../../../src/clock.ts";
import type { FlagValues } from "../../../src/config/flags.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { shellWords } from "../../../src/migrate/words.ts";
import { memoryFiles } from "../../support/config.ts";
import { DOCUMENTS, ROOT } from "../../support/documents.ts";

interface Shown {
  readonly where: string;
  readonly argv: readonly string[];
}

/** What a person would leave as it is: it says itself that something belongs there. */
const PLACEHOLDER = /…|^(COMMAND|ARGS)$/;
/** What ends a command in a shell. */
const END = /^(\n|\||&&?|;|>{1,2}|\))$/;

/** The commands of ours in a text, each with its arguments: `… | kube-crier run …`, `kubectl exec … -- kube-crier …`, `npm start -- …`. */
function commandsIn(text: string, where: string): readonly Shown[] {
  const found: string[][] = [[]];
  for (const { text: word } of shellWords(text, where))
    if (END.test(word)) found.push([]);
    else found.at(-1)?.push(word.replace(/;$/, ""));
  return found.flatMap((words) => {
    const line = words.join(" ");
    const npm = /^npm (start|run -s kube-crier)( -- |$)/.exec(line);
    const separator = words.indexOf("--");
    const at =
      words[0] === "kube-crier" ? 0 : words[separator + 1] === "kube-crier" ? separator + 1 : -1;
    if (npm === null && (at < 0 || (at > 0 && words[0] !== "kubectl"))) return [];
    const own =
      npm === null
        ? words.slice(at + 1)
        : words.slice(separator < 0 ? words.length : separator + 1);
    const argv = npm?.[1] === "start" ? ["run", ...own] : own;
    return argv.some((word) => PLACEHOLDER.test(word))
      ? []
      : [{ where: `${where}: ${argv.join(" ")}`, argv }];
  });
}

/** No shell's where an apostrophe stands in what a command prints: then line by line, as far as one is a command. */
function commandsOf(text: string, where: string): readonly Shown[] {
  try {
    return commandsIn(text, where);
  } catch {
    if (!text.includes("\n")) return [];
    return text.split("\n").flatMap((line) => commandsOf(line.trim(), where));
  }
}

const inBlocks = DOCUMENTS.flatMap(({ path: file, blocks }) =>
  blocks
    .filter(({ language }) => ["", "sh", "bash", "shell", "console"].includes(language))
    .flatMap(({ text, line }) => commandsOf(text, `${file}:${line}`)),
);
const inProse = DOCUMENTS.filter(({ path: file }) => file !== "CHANGELOG.md").flatMap(
  ({ path: file, prose }) =>
    [...prose.matchAll(/`((?:[^`\n]* \| )?kube-crier [^`\n]+)`/g)].flatMap(([, text = ""]) =>
      commandsOf(text, file),
    ),
);

/** The flags a command was called with, or what was wrong with the command line. */
async function called(
  argv: readonly string[],
): Promise<{ readonly code: number; readonly said: string; readonly flags: FlagValues }> {
  const out = new PassThrough({ encoding: "utf8" });
  let flags: FlagValues = {};
  const commands = new Proxy({} as Commands, {
    get: () => (first: unknown) => {
      if (typeof first === "object" && first !== null) flags = first;
      return Promise.resolve(0);
    },
  });
  const io = {
    stdin: Readable.from([]),
    stdout: out,
    stderr: out,
    env: {},
    clock: systemClock,
    signal: new AbortController().signal,
  };
  const code = await runProgram(argv, "1.2.3", commands, io);
  return { code, said: String(out.read() ?? ""), flags };
}

/** A value for each variable that is referred to. */
function environmentFor(argv: readonly string[]): Record<string, string> {
  const names = argv.join(" ").matchAll(/\$\{(\w+)\}/g);
  return {
    TZ: "UTC",
    ...Object.fromEntries(
      [...names].map(([, name = ""]) => [
        name,
        name.endsWith("URL") ? "https://hooks.example.com/x" : "0123456789abcdef",
      ]),
    ),
  };
}

describe("a command that the documentation shows", () => {
  it("is found at all", () => {
    expect(inBlocks.length).toBeGreaterThan(40);
    expect(inProse.length).toBeGreaterThan(10);
    expect(inBlocks.map(({ argv }) => argv[0])).toEqual(
      expect.arrayContaining([
        "run",
        "check",
        "migrate",
        "history",
        "dead",
        "ledger",
        "mysql",
        "send",
      ]),
    );
  });

  it.each([...inBlocks, ...inProse])(
    "is understood, down to its sinks: $where",
    async ({ argv }) => {
      const { code, said, flags } = await called(argv);
      expect({ code, said: code === 0 ? "" : said }).toEqual({ code: 0, said: "" });
      expect(flags.mistakes ?? []).toEqual([]);
      // Files of the reader's own are not here.
      const { sink, source, ...rest } = flags;
      if (!Array.isArray(sink) && source === undefined) return;
      const { config: _, ...given } = { ...rest, ...(sink && { sink }), ...(source && { source }) };
      const load = () =>
        loadConfig({ flags: given, registry, env: environmentFor(argv), files: memoryFiles({}) });
      expect(load).not.toThrow();
    },
  );
});

describe("a script of npm's that the documentation names", () => {
  const { scripts } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  const named = DOCUMENTS.flatMap(({ path: file, text }) =>
    [...text.matchAll(/npm run (?:-s )?([a-z][\w:-]*)/g)].map(([, name = ""]) => ({ file, name })),
  );

  it("is there", () => {
    expect(named.length).toBeGreaterThan(15);
    expect(named.filter(({ name }) => !Object.hasOwn(scripts, name))).toEqual([]);
  });
});

describe("a flag that the documentation names", () => {
  const ours = new Set(helpPages().flatMap(({ help }) => help.match(/--[a-z][a-z-]*/g) ?? []));
  /** kube-eventer's, as its reference has them. */
  const KUBE_EVENTER = [
    "--frequency",
    "--max_procs",
    "--healthz-ip",
    "--healthz-port",
    "--version",
    "--logtostderr",
    "--v",
    "--help",
  ];
  /** The API server's. */
  const ELSEWHERE = ["--event-ttl"];
  const named = DOCUMENTS.filter(({ path: file }) =>
    /^(README\.md|docs\/[^/]*\.md|sinks\/)/.test(file),
  ).flatMap(({ path: file, prose }) =>
    [...prose.matchAll(/`(?:kube-crier [^`]*?)?(--[a-z][\w-]*)(?==|`| )/g)].map(
      ([, flag = ""]) => `${file}: ${flag}`,
    ),
  );

  it("is one of ours, or of those it speaks of", () => {
    expect(named.length).toBeGreaterThan(50);
    const known = (one: string) => {
      const flag = one.split(" ").at(-1) ?? "";
      return ours.has(flag) || [...KUBE_EVENTER, ...ELSEWHERE].includes(flag);
    };
    expect([...new Set(named)].filter((one) => !known(one))).toEqual([]);
  });
});
