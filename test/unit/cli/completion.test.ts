import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { completionScript, SHELLS } from "../../../src/cli/completion.ts";
import { cli } from "../../support/io.ts";

/** What bash would offer behind these words; the last one is being typed. */
async function offered(...words: string[]): Promise<string[]> {
  const { stdout } = await cli(["completion", "bash"]);
  const array = ["kube-crier", ...words].map((word) => `'${word}'`).join(" ");
  const script = `${stdout}\nCOMP_WORDS=(${array}); COMP_CWORD=${words.length}; _kube_crier 2>/dev/null; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync("bash", ["-c", script], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line !== "");
}

describe("completion in bash", () => {
  it("offers the commands first", async () => {
    expect(await offered("")).toEqual(
      expect.arrayContaining([
        "run",
        "check",
        "render",
        "send",
        "history",
        "dead",
        "simulate",
        "schema",
        "demo",
      ]),
    );
    expect(await offered("re")).toEqual(["render"]);
  });

  it("offers the flags of a command, with = where a value follows", async () => {
    expect(await offered("run", "--si")).toEqual(["--sink="]);
    expect(await offered("run", "--st")).toEqual(["--stay"]);
    expect(await offered("render", "--re")).toEqual(["--reveal"]);
  });

  it("knows commands of two words", async () => {
    expect(await offered("dead", "")).toEqual(["list", "retry", "discard"]);
    expect(await offered("dead", "list", "--j")).toEqual(["--json"]);
    expect(await offered("dead", "retry", "--j")).toEqual([]);
  });

  it("is not confused by flags that came before", async () => {
    expect(await offered("run", "--lang=zh", "--clu")).toEqual(["--cluster-name="]);
  });
});

describe("every shell", () => {
  it.each(SHELLS)("gets a script that names each command and flag: %s", async (shell) => {
    const { stdout, code } = await cli(["completion", shell]);
    expect(code).toBe(0);
    for (const word of ["history", "retry", "since", "exclude-namespaces", "dry-run"])
      expect(stdout).toContain(word);
  });

  it("is named where it is unknown", async () => {
    const { code, stderr } = await cli(["completion", "tcsh"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/bash, zsh, fish/);
  });

  it("fish asks for a value where one is taken", () => {
    const script = completionScript("fish", [{ command: "run", flags: ["--sink=", "--stay"] }]);
    expect(script).toContain("-l sink -r");
    expect(script).toMatch(/-l stay$/m);
  });
});
