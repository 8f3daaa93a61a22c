import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { cli } from "../../support/io.ts";

/** What `--event` and `--template` are read from, by each command that has them. */
const folder = mkdtempSync(path.join(tmpdir(), "kube-crier-load-"));
const EVENT = {
  kind: "Event",
  apiVersion: "v1",
  metadata: { name: "web.1", namespace: "shop", uid: "u1" },
  involvedObject: { kind: "Pod", namespace: "shop", name: "web" },
  message: "no space left",
};
const file = (name: string, text: string): string => {
  const place = path.join(folder, name);
  writeFileSync(place, text);
  return place;
};

describe.each(["render", "explain"])("%s --event", (command) => {
  const run = (event: string, stdin = "") =>
    cli([command, "--sink=stdout:", `--event=${event}`], { stdin });

  it.each([
    ["a file that is not there", path.join(folder, "none"), "ENOENT"],
    ["a folder", folder, "EISDIR"],
  ])("of %s is a mistake, with its name", async (_, place, code) => {
    const told = await run(place);
    expect([told.code, told.stdout]).toEqual([2, ""]);
    expect(told.stderr).toContain(`--event: ${place} cannot be read: ${code}`);
    expect(told.stderr).toContain("→ give a file, or - for standard input");
  });

  it.each([
    ["nothing", "", "expected an Event, found none"],
    ["what is no JSON", "apiVersion: v1\n", "expected a JSON object or array"],
    ["a Pod", '{"kind":"Pod","metadata":{"name":"web"}}', "expected an Event, found Pod web"],
    ["an end that is missing", '{"kind":', "the JSON that begins here does not end"],
  ])("of %s says what was found, and what kubectl prints", async (_, text, message) => {
    for (const told of [await run(file("odd.json", text)), await run("-", text)]) {
      expect([told.code, told.stdout]).toEqual([2, ""]);
      expect(told.stderr).toContain(message);
      expect(told.stderr).toContain("`kubectl get event NAME -o json`");
    }
  });

  it("is the same from a file, and from standard input", async () => {
    const text = JSON.stringify({ kind: "List", items: [EVENT, EVENT] });
    const [read, piped] = [await run(file("list.json", text)), await run("-", text)];
    expect(read.code, read.stderr).toBe(0);
    expect(read.stdout).toContain("no space left");
    expect(piped).toMatchObject({ code: 0, stderr: "" });
    const seconds = /\d\d:\d\d:\d\d/g;
    expect(piped.stdout.replaceAll(seconds, "")).toBe(read.stdout.replaceAll(seconds, ""));
  });
});

describe("render --template", () => {
  it("of a file that is not there is a mistake, with its name", async () => {
    const place = path.join(folder, "none.hbs");
    const event = file("event.json", JSON.stringify(EVENT));
    const { code, stderr } = await cli(["render", `--template=${place}`, `--event=${event}`]);
    expect(code).toBe(2);
    expect(stderr).toContain(`--template: ${place} cannot be read: ENOENT`);
    expect(stderr).toContain("→ give the file of a template");
  });
});
