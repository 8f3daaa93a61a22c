import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { helpPages } from "../../../src/cli/program.ts";
import { cli } from "../../support/io.ts";

const SECRET = "5f4dcc3b5aa765d61d8327deb882cf99";
const URL = `https://oapi.dingtalk.com/robot/send?access_token=${SECRET}`;
const COMMANDS = helpPages().map(({ command }) => command);

let home: string;
beforeAll(() => {
  home = mkdtempSync(path.join(tmpdir(), "kube-crier-mistakes-"));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Nothing is found by chance: no kubeconfig, no ledger. */
const said = async (...argv: readonly string[]) => {
  const { code, stdout, stderr } = await cli(argv, { env: { HOME: home } });
  return { code, text: stdout + stderr };
};

describe.each(COMMANDS)("%s", (command) => {
  const words = command.split(" ");
  // Of dead letters any word may be an id.
  const takesWords = ["dead retry", "dead discard"].includes(command);
  const elsewhere = takesWords ? ["--data-dir=/nowhere"] : [];

  it.each([
    ["a URL of a robot", [URL, URL]],
    ["a sink without its flag", [`dingtalk:${URL}`, `dingtalk:${URL}`]],
    ["a flag that is none", [`--nope=${URL}`]],
    ["a flag that is none, with its value behind it", ["--nope", URL]],
    ["a flag and its value in one", [`--sinkdingtalk:${URL}`]],
    ["a long dash", [`—sink=dingtalk:${URL}`, "x"]],
    ["a token alone", [SECRET, SECRET]],
    ["a token as a flag", [`--${SECRET}`]],
    ["a token behind --", ["--", `--${SECRET}`, SECRET]],
  ])("ends with 2 and repeats no secret of %s", async (_, argv) => {
    const { code, text } = await said(...words, ...elsewhere, ...argv);
    expect(code).toBe(2);
    expect(text).not.toBe("");
    expect(text).not.toContain(SECRET.slice(0, 12));
  });
});

describe("the program", () => {
  it.each([[SECRET], [URL], [`dingtalk:${URL}`], [`sink=${URL}`], [`–sink=${URL}`]])(
    "repeats no secret that stands where a command should: %s",
    async (word) => {
      const { code, text } = await said(word);
      expect(code).toBe(2);
      expect(text).toContain("unknown command '");
      expect(text).not.toContain(SECRET.slice(0, 12));
    },
  );

  it.each([
    ["rum", "unknown command 'rum'\n(Did you mean run?)"],
    ["histroy", "unknown command 'histroy'\n(Did you mean history?)"],
  ])("says what command was meant by %s", async (word, meant) => {
    expect((await said(word)).text).toContain(meant);
  });

  it.each([
    [["history", "--namspace=shop"], "--namspace", "--namespace"],
    [["ledger", "export", "--ouput=x"], "--ouput", "--output"],
    [["simulate", "--robot=robots.json"], "--robot", "--robots"],
    [["dead", "list", "--data-dri=x"], "--data-dri", "--data-dir"],
  ])("says what flag was meant in %j", async (argv, written, meant) => {
    const { code, text } = await said(...argv);
    expect(code).toBe(2);
    expect(text).toMatch(
      new RegExp(`^error: unknown option '${written}…'\\n\\(Did you mean ${meant}\\?\\)\\nsee `),
    );
  });

  it("names a typing mistake in the flag that render needs", async () => {
    const { code, text } = await said("render", "--sink=stdout:", "--evnt=event.json");
    expect(code).toBe(2);
    expect(text).toContain("--evnt: there is no such flag\n      → did you mean --event?\n");
    expect(text).not.toContain("--event: is missing");
    expect((await said("render", "--sink=stdout:")).text).toBe(
      "one problem, nothing was started:\n  --event: is missing\n      → give a file with an Event, or - for standard input\n",
    );
  });

  it("says what to do about a dash of a text processor", async () => {
    for (const dash of ["–", "—", "−", "―"])
      expect((await said("run", `${dash}sink=stdout:`)).text).toContain(
        'argument "--sink…": begins with a long dash, which a text processor puts in place of --\n      → write --\n',
      );
  });

  it("says of a --config without a value what is missing", async () => {
    expect(await said("check", "--config=", "--source=file:-")).toEqual({
      code: 2,
      text: "one problem, nothing was started:\n  --config: names no file\n      → give a YAML file or a directory of them\n",
    });
  });

  it.each(["run", "check"])("%s takes no working directory for a ledger", async (command) => {
    const { code, text } = await said(command, "--source=file:-", "--data-dir=");
    expect(code).toBe(2);
    expect(text).toContain("--data-dir: names no directory");
  });

  it("shows no table of a history that cannot be read", async () => {
    for (const more of [[], ["--follow"]]) {
      const { code, stdout } = await cli(["history", "--csv", `--data-dir=${home}`, ...more]);
      expect(code).toBe(2);
      expect(stdout).toBe("");
    }
  });
});

describe("help", () => {
  it.each(["", "dead", "ledger", "mysql"])(
    "of %j names no command that there is none of",
    async (group) => {
      const words = group === "" ? [] : [group];
      const { stdout, code } = await cli([...words, "--help"]);
      expect(code).toBe(0);
      const listed = [...stdout.matchAll(/^ {2}([a-z]+)(?: \[| <|\s{2})/gm)].map(
        ([, name]) => name,
      );
      const there = COMMANDS.map((command) => command.split(" "))
        .filter(([first, second]) =>
          group === "" ? true : first === group && second !== undefined,
        )
        .map(([first, second]) => (group === "" ? first : second));
      expect(new Set(listed)).toEqual(new Set(there));
    },
  );

  it.each(COMMANDS)("of %s is on standard output, whatever else is given", async (command) => {
    const { code, stdout, stderr } = await cli([...command.split(" "), "--nope", "--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(new RegExp(`^Usage: kube-crier ${command} `));
  });

  it.each(["dead", "ledger", "mysql"])(
    "of %s alone is an error, as nothing was done",
    async (group) => {
      const { code, stdout, stderr } = await cli([group]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(new RegExp(`^Usage: kube-crier ${group} `));
    },
  );

  it("fits the terminal", async () => {
    for (const { help } of helpPages())
      for (const line of help.slice(0, help.indexOf("Examples:")).split("\n"))
        expect(line.length, line).toBeLessThanOrEqual(100);
  });
});
