import { existsSync, statSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { DOCUMENTS, ROOT } from "../../support/documents.ts";

/** As GitHub makes them: small letters, no punctuation, `-1` behind one that was there before. */
function anchorsOf(prose: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of prose.matchAll(/^#{1,6} +(.*)$/gm)) {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1");
    const slug = plain
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, "")
      .replaceAll(" ", "-");
    let anchor = slug;
    for (let number = 1; anchors.has(anchor); number += 1) anchor = `${slug}-${number}`;
    anchors.add(anchor);
  }
  return anchors;
}

const ANCHORS = new Map(DOCUMENTS.map(({ path: file, prose }) => [file, anchorsOf(prose)]));

describe.each(DOCUMENTS)("$path", ({ path: file, prose }) => {
  // In a table a `|` has a backslash; in code brackets are no link.
  const plain = prose.replaceAll(/`[^`\n]*`/g, "");
  const links = [...plain.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
  const own = links.filter((target) => !/^[a-z]+:/.test(target));

  it("leads to files and headings that are there", () => {
    const lost = own.filter((target) => {
      const [name = "", anchor] = target.split("#");
      const at = name === "" ? file : path.join(path.dirname(file), decodeURIComponent(name));
      if (!existsSync(path.join(ROOT, at))) return true;
      if (anchor === undefined) return false;
      const document = statSync(path.join(ROOT, at)).isDirectory()
        ? path.join(at, "README.md")
        : at;
      return ANCHORS.get(document)?.has(anchor) !== true;
    });
    expect(lost).toEqual([]);
  });

  it("leads elsewhere by https only", () => {
    const others = links.filter((target) => /^[a-z]+:/.test(target));
    expect(others.filter((target) => !/^(https:|mailto:)/.test(target))).toEqual([]);
  });

  it("names no file of ours that is not there", () => {
    const named = [
      ...prose.matchAll(
        /`((?:src|sinks|templates|deploy|scripts|test|docs|bench)\/[\w./-]+\.\w+)`/g,
      ),
    ];
    const lost = named
      .map(([, name = ""]) => name)
      .filter((name) => !name.includes("NAME") && !existsSync(path.join(ROOT, name)));
    // What has been tells of files that were.
    expect(file === "CHANGELOG.md" ? [] : lost).toEqual([]);
  });
});
