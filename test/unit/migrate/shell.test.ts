import { execFileSync } from "node:child_process";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findKubeEventer } from "../../../src/migrate/input.ts";
import { asText, shellWords } from "../../../src/migrate/words.ts";
import { deployment } from "../../support/kube-eventer.ts";

const ARGS = ["--source=kubernetes:", "--sink=log:"];
const LINE = `/kube-eventer ${ARGS.join(" ")}`;

const wordsOf = (text: string) => findKubeEventer(text, "in.yaml").words.map(({ text }) => text);
const textsOf = (line: string) => shellWords(line, "in").map(({ text }) => text);

/** The Deployment of kube-eventer's documentation, started by a shell. */
function startedBy(command: readonly string[], args: readonly string[] = []): string {
  const lines = (words: readonly string[]) =>
    words.map((word) => `            - ${JSON.stringify(word)}\n`).join("");
  return deployment([]).replace(
    `            - "/kube-eventer"\n`,
    `${lines(command)}${args.length === 0 ? "" : `          args:\n${lines(args)}`}`,
  );
}

describe("a Deployment that starts kube-eventer by a shell", () => {
  it.each([
    ["in one list", startedBy(["/bin/sh", "-c", LINE])],
    ["with the line in args", startedBy(["/bin/sh", "-c"], [LINE])],
    ["with all of it in args", startedBy([], ["sh", "-c", `exec ${LINE}`])],
    ["with the shell's flags in one word", startedBy(["/bin/bash", "-euxc", LINE])],
    ["with the shell's name for itself behind it", startedBy(["/bin/sh", "-c", LINE, "eventer"])],
    ["with variables before it", startedBy(["sh", "-c", `TZ=UTC exec ${LINE}`])],
    ["behind another command", startedBy(["sh", "-c", `sleep 5; ${LINE}`])],
    ["behind one with flags", startedBy(["sh", "-c", `curl -s http://h/ -o x && ${LINE}`])],
    ["with its output in a file", startedBy(["sh", "-c", `${LINE} > /tmp/log 2>&1`])],
    ["with its output in a pipe", startedBy(["sh", "-c", `${LINE} 2>&1 | tee -a /tmp/log`])],
    ["with a command behind it", startedBy(["sh", "-c", `${LINE}; echo -n done`])],
    ["or another one", startedBy(["sh", "-c", `${LINE} || exit 1`])],
    ["in the background", startedBy(["sh", "-c", `${LINE} & wait -n`])],
    ["on a line of its own", startedBy(["sh", "-c", `set -e\n${LINE}\necho -n done\n`])],
    [
      "on several lines",
      startedBy(["sh", "-c", `/kube-eventer \\\n  ${ARGS.join(" \\\n  ")}\necho -n done\n`]),
    ],
    ["with remarks", startedBy(["sh", "-c", `# it\n${LINE} # and -this\necho -n done`])],
    ["in a shell of its own", startedBy(["sh", "-c", `( ${LINE} )`])],
  ])("%s has its flags, and nobody else's", (_, text) => {
    expect(wordsOf(text)).toEqual(ARGS);
  });

  it("names the place of the line for each of its flags", () => {
    const found = findKubeEventer(startedBy(["/bin/sh", "-c", LINE]), "in.yaml");
    expect(found.words.map(({ where }) => where)).toEqual(["in.yaml:26:15", "in.yaml:26:15"]);
  });

  it("may have quotes in the line", () => {
    const line = `/kube-eventer '--sink=dingtalk:https://h/r?access_token=a&label=b c;d' "--sink=log:"`;
    expect(wordsOf(startedBy(["/bin/sh", "-c", line]))).toEqual([
      "--sink=dingtalk:https://h/r?access_token=a&label=b c;d",
      "--sink=log:",
    ]);
  });

  it("in one text instead of a list is read as well", () => {
    const text = deployment([]).replace(
      /command:\n +- "\/kube-eventer"\n/,
      `command: ${JSON.stringify(LINE)}\n`,
    );
    expect(wordsOf(text)).toEqual(ARGS);
    expect(wordsOf(`command: ${JSON.stringify(LINE)}\nreplicas: 1\n`)).toEqual(ARGS);
  });
});

describe("a line of a shell", () => {
  it.each([
    [`sleep 5 && ${LINE} && echo -n x`],
    [`docker run -d --name e kube-eventer:v1 ${ARGS.join(" ")} > log.txt`],
    [`${LINE};`],
    [`${LINE} ; reboot -f`],
    // Nobody wrote a backslash where it was copied from.
    [`/kube-eventer\n  ${ARGS.join("\n  ")}\n`],
  ])("%j has kube-eventer's flags", (line) => {
    expect(wordsOf(line)).toEqual(ARGS);
  });

  it("may give a sink in the next word, or on the next line", () => {
    expect(wordsOf("kube-eventer --sink log: --source kubernetes:")).toEqual([
      "--sink",
      "log:",
      "--source",
      "kubernetes:",
    ]);
    expect(wordsOf("kube-eventer --sink\n  log:\n")).toEqual(["--sink", "log:"]);
  });

  it("has the program's name once: a sink's address that ends so is none", () => {
    expect(wordsOf("kube-eventer --sink influxdb:http://db/eventer --sink log:")).toEqual([
      "--sink",
      "influxdb:http://db/eventer",
      "--sink",
      "log:",
    ]);
  });

  /** Pieces of which a shell makes something without knowing variables. */
  const plain = fc.constantFrom(..."abz-_=:/.,é内?&*~[]{}".split(""));
  const single = fc
    .array(fc.constantFrom(...'a \t"\\#$`;|&é\n'.split("")))
    .map((inner) => `'${inner.join("")}'`);
  const double = fc
    .array(fc.constantFrom("a", " ", "'", "#", ";", "é", "\n", '\\"', "\\\\", "\\n", "\\\n", "\\'"))
    .map((inner) => `"${inner.join("")}"`);
  const escaped = fc.constantFrom("\\ ", "\\'", '\\"', "\\\\", "\\#", "\\a", "\\é", "\\\n");
  const piece = fc.oneof({ weight: 4, arbitrary: plain }, single, double, escaped);
  const word = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(""));
  const line = fc
    .array(fc.tuple(word, fc.constantFrom(" ", "  ", "\t", " \\\n ")), { maxLength: 5 })
    .map((parts) => parts.map((part) => part.join("")).join(""));

  it("is split as a shell splits it", () => {
    fc.assert(
      fc.property(fc.array(line, { minLength: 40, maxLength: 40 }), (lines) => {
        // An unquoted & belongs to a URL here, and no file is looked for.
        const script = lines.map((text) => `p ${text.replaceAll(/^ +/g, "")}\n`);
        fc.pre(script.every((text) => !/(^|[^\\])\\\n$/.test(text)));
        const said = execFileSync("/bin/sh", ["-s"], {
          input: `set -f\np() { for w in "$@"; do printf '<%s>' "$w"; done; printf '\\0'; }\n${script
            .map(withoutAmpersands)
            .join("")}`,
          encoding: "utf8",
        });
        expect(said.split("\0").slice(0, -1)).toEqual(
          lines.map((text) =>
            textsOf(withoutAmpersands(text))
              .map((one) => `<${one}>`)
              .join(""),
          ),
        );
      }),
      { numRuns: 12 },
    );
  });

  /** Quoted ones are text to both. */
  function withoutAmpersands(text: string): string {
    return text.replaceAll("&", "+").replaceAll(/[{}~]/g, "_");
  }

  it("with every word in quotes has these words", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme" })), (words) => {
        const quoted = words.map((text) => `'${text.replaceAll("'", String.raw`'\''`)}'`);
        expect(textsOf(quoted.join(" "))).toEqual(words);
      }),
    );
  });

  it("knows where each word begins, its first quote included", () => {
    expect(shellWords(`a 'b c'\n  "d"e \\\n f`, "x")).toEqual([
      { text: "a", where: "x:1:1" },
      { text: "b c", where: "x:1:3" },
      { text: "\n", where: "x:1:8" },
      { text: "de", where: "x:2:3" },
      { text: "f", where: "x:3:2" },
    ]);
  });

  it.each([
    ["a 'b", "x:1:3"],
    ['a\n"b\nc', "x:2:1"],
    [`it's`, "x:1:3"],
  ])("%j is never closed, and where it was opened is said", (text, where) => {
    expect(() => shellWords(text, "x")).toThrow(`${where}: this quote is never closed`);
  });
});

describe("a value of YAML as it was meant", () => {
  it.each([
    ["text", "text"],
    [{ "--sink=log": null }, "--sink=log:"],
    [5, "5"],
    [true, "true"],
    [null, "null"],
    [undefined, ""],
    [{ a: 1 }, '{"a":1}'],
    [{ a: null, b: null }, '{"a":null,"b":null}'],
    [[1], "[1]"],
  ])("%j is %j", (value, expected) => {
    expect(asText(value)).toBe(expected);
  });
});
