import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { diskFiles } from "../../../src/config/files.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { registry } from "../../support/registry.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "kube-crier-config-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const write = (name: string, text: string) => writeFileSync(path.join(folder, name), text);

describe("read", () => {
  it("gives the text", () => {
    write("a.yaml", "cluster: ü\n");
    expect(diskFiles.read(path.join(folder, "a.yaml"))).toEqual({ ok: true, text: "cluster: ü\n" });
  });

  it("says in words why it cannot", () => {
    expect(diskFiles.read(path.join(folder, "nope"))).toEqual({
      ok: false,
      problem: "there is no such file",
    });
    expect(diskFiles.read(folder)).toEqual({ ok: false, problem: "it is a directory" });
    write("a", "");
    expect(diskFiles.read(path.join(folder, "a", "b"))).toEqual({
      ok: false,
      problem: "part of the path is not a directory",
    });
  });
});

describe("an encoding", () => {
  const bytes = (name: string, content: Buffer) => {
    writeFileSync(path.join(folder, name), content);
    return diskFiles.read(path.join(folder, name));
  };

  // As editors on Chinese Windows save, and as PowerShell's > writes.
  it.each([
    ["GBK", Buffer.from([0x63, 0x3a, 0x20, 0xc9, 0xfa, 0xb2, 0xfa])],
    ["UTF-16", Buffer.from("\uFEFFcluster: a", "utf16le")],
    ["Latin-1", Buffer.from("cluster: Zürich", "latin1")],
    ["half a character", Buffer.from("生产").subarray(0, 4)],
  ])("other than UTF-8 is said, and not sent as question marks: %s", (_, content) => {
    expect(bytes("c.yaml", content)).toEqual({
      ok: false,
      problem: "it is not UTF-8; save it as that",
    });
  });

  it("may have a byte order mark, and lines that end as on Windows", () => {
    const text = "\uFEFFcluster: 生产\r\nlang: xx\r\n";
    expect(bytes("c.yaml", Buffer.from(text))).toEqual({ ok: true, text: text.slice(1) });
    const flags = { config: [path.join(folder, "c.yaml")] };
    expect(() => loadConfig({ flags, registry, env: {} })).toThrow(
      `c.yaml:2:7: lang: expected one of en, zh; found "xx"`,
    );
  });
});

describe("list", () => {
  it("gives YAML files sorted, nothing hidden, nothing below", () => {
    for (const name of ["b.yaml", "a.yml", "notes.txt", ".hidden.yaml", "c.yaml~"]) write(name, "");
    mkdirSync(path.join(folder, "below.d"));
    expect(diskFiles.list(folder)).toEqual([
      path.join(folder, "a.yml"),
      path.join(folder, "b.yaml"),
    ]);
  });

  it("is for directories", () => {
    write("a.yaml", "");
    expect(diskFiles.list(path.join(folder, "a.yaml"))).toBeNull();
    expect(diskFiles.list(path.join(folder, "nope"))).toBeNull();
  });
});

describe("a mounted ConfigMap", () => {
  it("is read through its links", () => {
    const data = path.join(folder, "..2026_11_20");
    mkdirSync(data);
    writeFileSync(path.join(data, "config.yaml"), "cluster: prod-a\n");
    symlinkSync("..2026_11_20", path.join(folder, "..data"));
    symlinkSync("..data/config.yaml", path.join(folder, "config.yaml"));
    const { config } = loadConfig({ flags: { config: [folder] }, registry, env: {} });
    expect(config.cluster).toBe("prod-a");
  });
});

describe("a secret file", () => {
  it("is read from disk, and its path, never its content, is named in trouble", () => {
    write("url", "https://chat.example.com/send?access_token=s3cret\n");
    write(
      "c.yaml",
      `sinks: {a: {type: chat, url: {$file: ${folder}/url}, secret: {$file: ${folder}/nope}}}`,
    );
    chmodSync(path.join(folder, "url"), 0o400);
    expect(() =>
      loadConfig({ flags: { config: [path.join(folder, "c.yaml")] }, registry, env: {} }),
    ).toThrow(
      `the secret file ${folder}/nope cannot be read: there is no such file (mount the Secret, or mend the path)`,
    );
  });
});
