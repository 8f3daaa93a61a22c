import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { ConfigIssue } from "../../../../src/config/config.ts";
import { readAccessFile } from "../../../../src/web/auth/access-file.ts";
import { openAccessFile } from "../../../../src/web/auth/access-files.ts";
import type { Purpose } from "../../../../src/web/auth/identity.ts";
import { FakeClock } from "../../../support/clock.ts";
import { accessFile, sha256 } from "../../../support/guarded.ts";

const TOKENS = `# who may look
tokens:
  - name: grafana
    sha256: ${sha256("token-of-grafana")}
    namespaces: [shop, "team-*", "/^data-[0-9]+$/"]
    may: [read]
  - name: oncall
    sha256: ${sha256("token-of-oncall").toUpperCase()}
    namespaces: ["*"]
    may: [read, change]
roles:
  - groups: [sre, platform]
    namespaces: ["*"]
    may: [read, change]
  - groups: [shop-team]
    namespaces: [shop]
    may: [read]
  - groups: [shop-leads]
    namespaces: [shop]
    may: [read, change]
`;

let clock: FakeClock;
let told: (readonly ConfigIssue[])[];

beforeEach(() => {
  clock = new FakeClock();
  told = [];
});

function open(file: string) {
  return openAccessFile(file, { clock, told: (issues) => void told.push(issues) });
}

async function seen(
  access: ReturnType<typeof open>,
  token: string,
  purpose: Purpose,
  ...namespaces: string[]
) {
  const proven = await access.prove(token);
  if (!proven.ok || proven.value === null) return null;
  const answer = await proven.value.access(purpose, namespaces);
  if (!answer.ok) return null;
  return answer.value.namespaces === "all" ? "all" : [...answer.value.namespaces];
}

describe("a token of the file", () => {
  it("is known by its hash, in small and capital letters", async () => {
    const access = open(accessFile(TOKENS));
    expect(access.issues).toEqual([]);
    const proven = await access.prove("token-of-oncall");
    expect(proven).toMatchObject({
      ok: true,
      value: { identity: { name: "oncall", groups: [], email: null, by: "tokenFile" } },
    });
    expect(access.knows("token-of-grafana")).toBe(true);
  });

  it.each(["token-of-nobody", "", sha256("token-of-grafana"), "token-of-grafana "])(
    "is nobody's: %j",
    async (token) => {
      const access = open(accessFile(TOKENS));
      expect(await access.prove(token)).toEqual({ ok: true, value: null });
      expect(access.knows(token)).toBe(false);
    },
  );

  it("sees the namespaces that its patterns match, and changes nothing it may not", async () => {
    const access = open(accessFile(TOKENS));
    const asked = ["shop", "shop-2", "team-a", "data-7", "data-x", "default"];
    expect(await seen(access, "token-of-grafana", "read", ...asked)).toEqual([
      "shop",
      "team-a",
      "data-7",
    ]);
    expect(await seen(access, "token-of-grafana", "change", ...asked)).toEqual([]);
    expect(await seen(access, "token-of-oncall", "read", ...asked)).toBe("all");
    expect(await seen(access, "token-of-oncall", "change", ...asked)).toBe("all");
  });

  it("says what it lacks and where that is given", async () => {
    const file = accessFile(TOKENS);
    const proven = await open(file).prove("token-of-grafana");
    const lacks = proven.ok ? proven.value?.lacks("change", "shop") : "";
    expect(lacks).toBe(
      `grafana may not change in namespace shop; give it in ${file}: namespaces: [shop], may: [read, change]`,
    );
  });
});

describe("roles of groups", () => {
  async function vouched(groups: readonly string[], purpose: Purpose, ...namespaces: string[]) {
    const access = open(accessFile(TOKENS));
    expect(access.hasRoles).toBe(true);
    const who = access.vouchedFor({ name: "dora", groups, email: null, by: "proxy" });
    const answer = await who.access(purpose, namespaces);
    if (!answer.ok) return null;
    return answer.value.namespaces === "all" ? "all" : [...answer.value.namespaces];
  }

  it("add up", async () => {
    expect(await vouched(["shop-team"], "read", "shop", "pay")).toEqual(["shop"]);
    expect(await vouched(["shop-team"], "change", "shop")).toEqual([]);
    expect(await vouched(["shop-team", "shop-leads"], "change", "shop", "pay")).toEqual(["shop"]);
    expect(await vouched(["shop-team", "sre"], "read", "shop")).toBe("all");
    expect(await vouched(["sales"], "read", "shop")).toEqual([]);
    expect(await vouched([], "read", "shop")).toEqual([]);
  });
});

describe("a file that changes", () => {
  it("counts a second later; a token that is gone is gone for who holds a proof already", async () => {
    const file = accessFile(TOKENS);
    const access = open(file);
    const proven = await access.prove("token-of-oncall");
    const before = TOKENS.split("  - name: oncall")[0] ?? "";
    writeFileSync(file, before);
    await clock.advance(1_000);
    expect(access.knows("token-of-oncall")).toBe(false);
    expect(told).toEqual([[]]);
    const answer = proven.ok ? await proven.value?.access("read", ["shop"]) : null;
    expect(answer).toEqual({ ok: true, value: { namespaces: new Set(), complete: true } });
  });

  it("counts as soon where the clock was set back meanwhile", async () => {
    const file = accessFile(TOKENS);
    const access = open(file);
    expect(access.knows("token-of-oncall")).toBe(true);
    clock.setBack(3_600_000);
    writeFileSync(file, TOKENS.split("  - name: oncall")[0] ?? "");
    expect(access.knows("token-of-oncall")).toBe(false);
    writeFileSync(file, TOKENS);
    expect(access.knows("token-of-oncall"), "looked at once in a second as ever").toBe(false);
    await clock.advance(1_000);
    expect(access.knows("token-of-oncall")).toBe(true);
  });

  it("is seen when a volume is exchanged by its symbolic link", async () => {
    const file = accessFile("");
    const folder = path.dirname(file);
    for (const [name, text] of [
      ["..one", TOKENS],
      [
        "..two",
        TOKENS.replace("token-of-grafana", "").replace(
          sha256("token-of-grafana"),
          sha256("rotated"),
        ),
      ],
    ] as const) {
      mkdirSync(path.join(folder, name));
      writeFileSync(path.join(folder, name, "access.yaml"), text);
    }
    rmSync(file);
    symlinkSync("..one", path.join(folder, "..data"));
    symlinkSync("..data/access.yaml", file);
    const access = open(file);
    expect(access.knows("token-of-grafana")).toBe(true);
    symlinkSync("..two", path.join(folder, "..new"));
    renameSync(path.join(folder, "..new"), path.join(folder, "..data"));
    await clock.advance(1_000);
    expect([access.knows("token-of-grafana"), access.knows("rotated")]).toEqual([false, true]);
  });

  it("and has a mistake leaves the last good one in use, which is told once", async () => {
    const file = accessFile(TOKENS);
    const access = open(file);
    writeFileSync(file, "tokens:\n  - nme: x\n");
    await clock.advance(1_000);
    expect(access.knows("token-of-grafana")).toBe(true);
    await clock.advance(5_000);
    expect(access.knows("token-of-grafana")).toBe(true);
    expect(told).toHaveLength(1);
    expect(told[0]?.[0]?.where).toBe(`${file}:2:5`);
    writeFileSync(file, TOKENS.replaceAll("grafana", "graph"));
    await clock.advance(1_000);
    expect((await access.prove("token-of-grafana")).ok).toBe(true);
    expect(told.at(-1)).toEqual([]);
  });

  it("and is gone lets nobody in, until it is back", async () => {
    const file = accessFile(TOKENS);
    const access = open(file);
    rmSync(file);
    await clock.advance(1_000);
    expect(access.knows("token-of-oncall")).toBe(false);
    expect(told[0]).toEqual([
      {
        where: file,
        message: "cannot be read: there is no such file",
        hint: "give a file that this process may read",
      },
    ]);
    writeFileSync(file, TOKENS);
    await clock.advance(1_000);
    expect(access.knows("token-of-oncall")).toBe(true);
  });

  it("is refused beyond a mebibyte", () => {
    const access = open(accessFile(`${TOKENS}\n# ${"x".repeat(1024 * 1024)}`));
    expect(access.issues[0]?.message).toBe("is larger than 1 MiB");
  });
});

describe("mistakes", () => {
  const HASH = sha256("x");
  const good = { name: "a", sha256: HASH, namespaces: ["*"], may: ["read"] };
  const tokens = (...entries: unknown[]) => JSON.stringify({ tokens: entries });

  it.each([
    ["no YAML", "tokens: [", /^f:1:\d+ is not valid YAML/],
    ["an empty file", "", /names nobody.*tokens: or roles:/],
    ["a list", "- a", /^f:1:1 expected a map with tokens, roles/],
    ["an unknown key", "token: []", /^f:1:1 this key is unknown \(expected tokens, roles\)/],
    ["tokens that are no list", "tokens: {a: b}", /^f:1:9 expected a list of tokens/],
    ["a token that is text", 'tokens: ["secret-in-place"]', /^f:1:10 expected a map with name, /],
    ["no name", tokens({ ...good, name: undefined }), /expected a name of letters/],
    ["a name with a line break", tokens({ ...good, name: "a\nb" }), /expected a name of letters/],
    ["a name twice", tokens(good, { ...good, sha256: sha256("y") }), /another token has this name/],
    ["a token twice", tokens(good, { ...good, name: "b" }), /another token is the same \(see f:1:/],
    ["the token itself", tokens({ ...good, sha256: "hunter2hunter2" }), /64 hex digits.*sha256sum/],
    ["no namespaces", tokens({ ...good, namespaces: [] }), /expected a list of namespaces/],
    [
      "namespaces as text",
      tokens({ ...good, namespaces: "shop" }),
      /expected a list of namespaces/,
    ],
    ["a namespace that is a number", tokens({ ...good, namespaces: [7] }), /as text/],
    ["_cluster", tokens({ ...good, namespaces: ["_cluster"] }), /stored in namespace default/],
    ["a broken pattern", tokens({ ...good, namespaces: ["/(/"] }), /expected exact names, glob\*/],
    ["no right", tokens({ ...good, may: [] }), /expected a list of read, change/],
    ["an unknown right", tokens({ ...good, may: ["admin"] }), /is no right.*read or change/],
    ["change alone", tokens({ ...good, may: ["change"] }), /change without read/],
    ["a role without groups", JSON.stringify({ roles: [{ ...good }] }), /this key is unknown/],
  ])("%s is told with its place, and nobody is let in", (_, text, words) => {
    const { access, issues } = readAccessFile("f", text);
    expect(
      issues.map(({ where, message, hint }) => `${where} ${message} (${hint ?? ""})`).join("\n"),
    ).toMatch(words);
    expect(access).toEqual({ tokens: [], roles: [] });
  });

  it("are told all at once", () => {
    const { issues } = readAccessFile(
      "f",
      tokens({ name: "", sha256: "", namespaces: [], may: [] }),
    );
    expect(issues).toHaveLength(4);
  });

  it("never repeat what was written, which may be a token", () => {
    const { issues } = readAccessFile(
      "f",
      tokens({ name: "hunter2 secret", sha256: "hunter2", namespaces: ["a"], may: ["hunter2"] }),
    );
    expect(issues.length).toBeGreaterThan(2);
    expect(JSON.stringify(issues)).not.toContain("hunter2");
  });
});
