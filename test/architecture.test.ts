import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";

/** The house's rules about who may know whom: this table is the rule, the test reads the import statements. */
const ROOT = path.resolve(import.meta.dirname, "..");

/** room → the rooms it may import (its own always). Longest prefix wins. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "src/event": [],
  "src/clock.ts": [],
  "src/turn.ts": [],
  "src/runtime.ts": [],
  "src/sink": ["src/event", "src/clock.ts"],
  sinks: ["src/sink/index.ts"],
  "src/observe": ["src/event"],
  "src/source": [
    "src/event",
    "src/clock.ts",
    "src/turn.ts",
    "src/observe",
    "src/config/config.ts",
    // KUBECONFIG, by the one door to the environment.
    "src/config/secrets.ts",
    "src/config/yaml.ts",
    "src/election/lease.ts",
  ],
  "src/pipeline": ["src/event", "src/config/config.ts"],
  "src/explain": ["src/event", "src/config/config.ts", "src/pipeline", "src/history/history.ts"],
  "src/pipeline/pump.ts": [
    "src/event",
    "src/source/source.ts",
    "src/ledger/ledger.ts",
    "src/observe",
    "src/pipeline",
  ],
  "src/template": ["src/event", "src/sink", "src/config/config.ts", "src/config/nearest.ts"],
  "src/ledger": [
    "src/event",
    "src/source/source.ts",
    "src/clock.ts",
    "src/turn.ts",
    "src/observe",
    "src/config/config.ts",
  ],
  // The driver has one door, which is the sink's; what it makes of a DSN and of errors holds here as well.
  "src/ledger/mysql": [
    "src/event",
    "src/source/source.ts",
    "src/clock.ts",
    "src/turn.ts",
    "src/observe",
    "src/config/config.ts",
    "src/ledger",
    "sinks/mysql/driver.ts",
    "sinks/mysql/dsn.ts",
    "sinks/mysql/errors.ts",
  ],
  "src/history": [
    "src/event",
    "src/clock.ts",
    "src/ledger",
    "src/sink/schema.ts",
    "src/config/config.ts",
    "src/config/nearest.ts",
  ],
  "src/delivery": [
    "src/event",
    "src/sink",
    "src/template",
    "src/ledger/ledger.ts",
    "src/clock.ts",
    "src/turn.ts",
    "src/observe",
    "src/config/config.ts",
  ],
  "src/canary": ["src/event", "src/clock.ts", "src/observe", "src/config/config.ts"],
  "src/election": ["src/clock.ts", "src/observe"],
  "src/compat": [],
  "src/config": [
    "src/event",
    "src/sink",
    "src/pipeline",
    "src/compat",
    "src/election/times.ts",
    // A pure reader of a URL.
    "src/ledger/mysql/target.ts",
  ],
  "src/migrate": ["src/compat", "src/config", "src/sink"],
  "src/web": ["src/clock.ts", "src/ledger/ledger.ts", "src/event"],
  "src/web/auth": [
    "src/clock.ts",
    "src/web/server.ts",
    "src/source/kubernetes/delegate.ts",
    "src/observe/redact.ts",
    "src/sink/secret.ts",
    "src/pipeline/matcher.ts",
    "src/config/config.ts",
    "src/config/web-grammar.ts",
    "src/config/yaml.ts",
  ],
  // What a person reads and what a program reads: the same questions, over the same ports.
  "src/web/page": [
    "src/clock.ts",
    "src/config/config.ts",
    "src/config/yaml.ts",
    "src/event",
    "src/explain",
    "src/history",
    "src/ledger/key.ts",
    "src/ledger/ledger.ts",
    "src/observe/troubles.ts",
    "src/template/times.ts",
    "src/web/auth",
    "src/web/server.ts",
  ],
  "src/web/api": [
    "src/config/config.ts",
    "src/event",
    "src/explain",
    "src/history",
    "src/ledger/key.ts",
    "src/ledger/ledger.ts",
    "src/sink/schema.ts",
    "src/web/auth",
    "src/web/page",
    "src/web/server.ts",
  ],
  "src/web/client": [],
  "src/simulate": ["src/clock.ts", "src/web", "src/event", "src/sink/define.ts"],
  "src/lifecycle.ts": ["src/clock.ts", "src/observe"],
  "src/app": ["*"],
  "src/cli": ["*"],
  "src/main.ts": ["*"],
  scripts: ["*"],
};

/** Each runtime dependency has one door. */
const DOORS: Readonly<Record<string, readonly string[]>> = {
  "@kubernetes/client-node": ["src/source/kubernetes/kubeconfig.ts"],
  axios: ["src/sink/proxied.ts"],
  handlebars: ["src/template/engine.ts", "src/template/lint.ts"],
  "p-queue": ["src/delivery/lane.ts"],
  yaml: ["src/config/yaml.ts"],
  zod: ["src/sink/schema.ts"],
  re2js: ["src/pipeline/regex.ts"],
  commander: ["src/cli/program"],
  hono: ["src/web/server.ts"],
  "@hono/node-server": ["src/web/server.ts"],
  pino: ["src/observe/log.ts"],
  "prom-client": ["src/observe/prometheus.ts"],
  "node:sqlite": ["src/ledger", "src/history"],
  mongodb: ["sinks/mongo/driver.ts"],
  mysql2: ["sinks/mysql/driver.ts"],
  kafkajs: ["sinks/kafka/library.ts"],
};

/** Rooms that decide and must not act: no I/O, no clock, no chance. */
const PURE: readonly string[] = [
  "src/event",
  "src/pipeline",
  "src/delivery/backoff.ts",
  "src/delivery/budget.ts",
  "src/delivery/digest.ts",
  "src/template/lint.ts",
  "src/template/escape.ts",
  "sinks",
];

/** Where a sink meets the world by itself: one that speaks no HTTP, and the file that ACK mounts. */
const ACTS: readonly string[] = [
  "sinks/aliyun/token-file.ts",
  "sinks/mongo/driver.ts",
  "sinks/mysql/driver.ts",
  "sinks/riemann/connection.ts",
  "sinks/kafka/driver.ts",
  "sinks/kafka/library.ts",
  "sinks/kafka/sockets.ts",
];

interface SourceFile {
  readonly name: string;
  readonly text: string;
  readonly imports: readonly string[];
}

function filesBelow(...folders: string[]): SourceFile[] {
  return folders.flatMap((folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => {
        const relative = path.posix.join(folder, name.replaceAll(path.sep, "/"));
        const text = readFileSync(path.join(ROOT, relative), "utf8");
        const imports = [
          ...text.matchAll(
            /(?:^|\n)\s*(?:import|export)\b[^;]*?\bfrom\s+"([^"]+)"|\bimport\("([^"]+)"\)|(?:^|\n)import\s+"([^"]+)"/g,
          ),
        ].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
        return { name: relative, text, imports };
      }),
  );
}

const within = (file: string, place: string): boolean =>
  place === "*" || file === place || file.startsWith(`${place}/`) || file.startsWith(`${place}.`);

function roomOf(file: string): string | undefined {
  return Object.keys(MAY_IMPORT)
    .filter((room) => within(file, room))
    .toSorted((a, b) => b.length - a.length)[0];
}

const code = filesBelow("src", "sinks", "scripts");

describe("the house", () => {
  it("has every file in a room with a rule", () => {
    expect(code.filter((file) => roomOf(file.name) === undefined).map((file) => file.name)).toEqual(
      [],
    );
  });

  it("is entered only in the allowed direction", () => {
    const broken = code.flatMap((file) => {
      const room = roomOf(file.name) ?? "";
      const allowed = [room, ...(MAY_IMPORT[room] ?? [])];
      return file.imports
        .filter((name) => name.startsWith("."))
        .map((name) => path.posix.normalize(path.posix.join(path.posix.dirname(file.name), name)))
        .filter((target) => target.startsWith("src/") || target.startsWith("sinks/"))
        .filter((target) => !(file.name === "sinks/index.ts" && within(target, "sinks")))
        .filter((target) => !allowed.some((place) => within(target, place)))
        .map((target) => `${file.name} imports ${target}`);
    });
    expect(broken).toEqual([]);
  });

  it("lets each dependency in by one door", () => {
    const manifest = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as {
      dependencies: Record<string, string>;
    };
    const undeclared = Object.keys(manifest.dependencies).filter(
      (name) => DOORS[name] === undefined,
    );
    expect(undeclared, "a runtime dependency without a door").toEqual([]);
    const broken = code
      .filter((file) => !within(file.name, "scripts"))
      .flatMap((file) =>
        file.imports
          .flatMap((name) =>
            Object.keys(DOORS).filter(
              (dependency) => name === dependency || name.startsWith(`${dependency}/`),
            ),
          )
          .filter(
            (dependency) => !(DOORS[dependency] ?? []).some((door) => within(file.name, door)),
          )
          .map((dependency) => `${file.name} imports ${dependency}`),
      );
    expect(broken).toEqual([]);
  });

  it("imports no package that is not declared", () => {
    const manifest = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as Record<
      "dependencies" | "devDependencies",
      Record<string, string>
    >;
    const declared = new Set([
      ...Object.keys(manifest.dependencies),
      ...Object.keys(manifest.devDependencies),
    ]);
    const foreign = code.flatMap((file) =>
      file.imports
        .filter((name) => !name.startsWith(".") && !name.startsWith("node:"))
        .map((name) =>
          name
            .split("/")
            .slice(0, name.startsWith("@") ? 2 : 1)
            .join("/"),
        )
        .filter((name) => !declared.has(name))
        .map((name) => `${file.name} imports ${name}`),
    );
    expect(foreign).toEqual([]);
  });

  it("keeps the rooms that decide free of clocks, chance and I/O", () => {
    const banned =
      /\bDate\.now\(|\bMath\.random\(|\bsetTimeout\(|\bsetInterval\(|new Date\(\)|\bprocess\.|(?<!\.)\bconsole\.|from "node:(fs|http|https|net)/;
    const broken = code
      .filter((file) => PURE.some((place) => within(file.name, place)))
      .filter((file) => !ACTS.includes(file.name))
      .flatMap((file) =>
        file.text
          .split("\n")
          .flatMap((line, index) =>
            banned.test(line) ? [`${file.name}:${index + 1}: ${line.trim()}`] : [],
          ),
      );
    expect(broken).toEqual([]);
  });

  it("reads the environment in one place", () => {
    const readers = code
      .filter((file) => !within(file.name, "scripts") && file.text.includes("process.env"))
      .map((file) => file.name);
    expect(readers.filter((name) => name !== "src/config/secrets.ts")).toEqual([]);
  });

  it("has no module-level state", () => {
    const state = code
      .filter((file) => !within(file.name, "scripts"))
      .flatMap((file) =>
        file.text
          .split("\n")
          .flatMap((line, index) =>
            /^(export )?let /.test(line) ? [`${file.name}:${index + 1}`] : [],
          ),
      );
    expect(state).toEqual([]);
  });

  it("keeps files small enough to read", () => {
    const lines = code
      .map((file) => ({ name: file.name, lines: file.text.split("\n").length }))
      .filter((file) => file.name !== "sinks/index.ts");
    expect(
      lines.filter((file) => file.lines > 320).map((file) => `${file.name}: ${file.lines}`),
    ).toEqual([]);
    const sorted = lines.map((file) => file.lines).toSorted((a, b) => a - b);
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThanOrEqual(140);
  });

  it("hides no rule behind a comment", () => {
    const escapes = code.flatMap((file) =>
      file.text
        .split("\n")
        .flatMap((line, index) =>
          /@ts-(ignore|expect-error|nocheck)|(oxlint|eslint)-disable/.test(line)
            ? [`${file.name}:${index + 1}`]
            : [],
        ),
    );
    expect(escapes).toEqual([]);
  });
});
