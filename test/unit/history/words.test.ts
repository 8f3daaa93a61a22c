import { DatabaseSync } from "node:sqlite";
import { array, assert, constantFrom, nat, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { grams, matching, spread } from "../../../src/history/words.ts";

/** SQLite's own index of trigrams over one text, asked for a word. */
function finds(text: string, word: string): boolean {
  const db = new DatabaseSync(":memory:");
  try {
    db.exec("CREATE VIRTUAL TABLE t USING fts5 (text, detail = none, tokenize = 'trigram')");
    db.prepare("INSERT INTO t VALUES (?)").run(spread(text));
    return db.prepare("SELECT 1 FROM t WHERE t MATCH ?").get(matching(grams([word]))) !== undefined;
  } finally {
    db.close();
  }
}

describe("words in an index of trigrams", () => {
  test.each([
    [
      "节点 node-3 未就绪：镜像拉取失败",
      ["镜像", "像", "镜像拉取", "失败", "node-3 未就绪", "：镜", "3 未"],
      ["像镜", "拉镜", "镜拉"],
    ],
    ["컨테이너 시작 ポッド再起動", ["컨테", "시작", "ポッド", "再起"], ["작시", "起再"]],
    [
      "back-off 5m0s restarting",
      ["back", "5m0s", "k-off 5", "restarting"],
      ["backoff", "ting back"],
    ],
  ])("%s is found by its parts", (text, parts, others) => {
    for (const part of parts) expect(finds(text, part), part).toBe(true);
    for (const other of others) expect(finds(text, other), other).toBe(false);
  });

  test("whatever is part of a text is found by the index, if the index can be asked for it", () => {
    const character = constantFrom(...Array.from("ab-1 ·\"'%_\0镜像拉取失ア한🙂"));
    assert(
      property(
        array(character, { minLength: 1, maxLength: 40 }),
        nat(),
        nat(),
        (characters, a, b) => {
          const from = a % characters.length;
          const part = characters.slice(from, from + 1 + (b % 20)).join("");
          if (grams([part]).length === 0) return;
          expect(finds(characters.join(""), part)).toBe(true);
        },
      ),
      { numRuns: 150 },
    );
  });

  test("one or two letters say too little to be asked for; a long text asks for no more than it needs", () => {
    expect(grams(["k8"])).toEqual([]);
    expect(grams([])).toEqual([]);
    expect(grams(["x".repeat(3)])).toEqual(["xxx"]);
    expect(
      grams([Array.from({ length: 400 }, (_, n) => n.toString(36)).join("")]).length,
    ).toBeLessThanOrEqual(12);
  });
});
