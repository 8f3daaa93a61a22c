import { describe, expect, it } from "vitest";
import { type Trouble, troubleText } from "../../../../src/web/page/troubles.ts";

const NOW = Date.parse("2026-11-20T12:00:00Z");
const SINCE = Date.parse("2026-11-20T11:40:00Z");
const gap = { since: "2026-11-20T01:00:00Z", until: "2026-11-20T03:00:00Z", cause: "downtime" };

const TROUBLES: readonly (readonly [Trouble, en: readonly string[], zh: readonly string[]])[] = [
  [{ kind: "standby", leader: "crier-1" }, ["stands by", "crier-1"], ["待命", "crier-1"]],
  [{ kind: "standby", leader: null }, ["nobody is known to lead"], ["没有已知的主副本"]],
  [{ kind: "behind", sources: ["a", "b"] }, ["Not caught up", "a, b"], ["尚未追上", "a、b"]],
  [
    { kind: "source", source: "kubernetes", since: SINCE, detail: "connection refused" },
    [
      "kubernetes cannot be watched since 11:40:00",
      "connection refused",
      "What came before is here",
    ],
    ["11:40:00", "kubernetes", "connection refused", "仍可查看"],
  ],
  [
    { kind: "ledger", since: SINCE, detail: "the disk is full" },
    ["cannot be written since 11:40:00", "the disk is full", "memory"],
    ["11:40:00", "无法写入", "the disk is full", "内存"],
  ],
  [
    { kind: "templates", since: SINCE, problems: ["ding.hbs:3: no"] },
    ["not in use since 11:40:00", "the last good ones are", "ding.hbs:3: no"],
    ["11:40:00", "上一份正确的模板", "ding.hbs:3: no"],
  ],
  [
    { kind: "gap", source: "kubernetes", at: SINCE, gap } as Trouble,
    ["between 01:00:00 and 03:00:00", "may be incomplete", "not running"],
    ["01:00:00 至 03:00:00", "可能不完整", "停机"],
  ],
  [
    { kind: "replaced", at: SINCE, aside: "/data/x", owed: 3 },
    ["begun anew at 11:40:00", "3 deliveries", "/data/x"],
    ["11:40:00", "3 条", "/data/x"],
  ],
  [
    { kind: "replaced", at: SINCE, aside: "/data/x", owed: null },
    ["what it owed is lost"],
    ["已丢失"],
  ],
  [
    { kind: "page", at: SINCE, detail: "out of memory" },
    ["ended by itself at 11:40:00", "out of memory", "was delivered meanwhile"],
    ["11:40:00", "意外中断", "out of memory", "投递未受影响"],
  ],
  [
    { kind: "unread", since: SINCE, detail: "the disk is gone" },
    ["cannot be read since 11:40:00", "the disk is gone", "what memory has"],
    ["11:40:00", "无法读取", "the disk is gone", "内存"],
  ],
  [
    { kind: "canary", detail: "the canary of a is late" },
    ["the canary of a is late"],
    ["探测事件"],
  ],
  [
    { kind: "sink", sink: "ding", since: SINCE, until: NOW + 60_000, detail: "no route" },
    ["ding takes nothing since 11:40:00, next try 12:01:00", "no route", "waits in the ledger"],
    ["自 11:40:00 起 ding 无法送达", "下次尝试 12:01:00", "no route", "账本"],
  ],
  [
    { kind: "sink", sink: "ding", since: null, until: null, detail: null },
    ["ding takes nothing. What is owed"],
    ["ding 目前无法送达。"],
  ],
];

describe("what stands at the top of a page", () => {
  it.each(TROUBLES)("$kind: since when, and what still works", (trouble, en, zh) => {
    const english = troubleText(trouble, "en", "UTC", NOW);
    for (const part of en) expect(english).toContain(part);
    const chinese = troubleText(trouble, "zh", "UTC", NOW);
    for (const part of zh) expect(chinese).toContain(part);
  });

  it("is one line in either language, and Chinese in Chinese", () => {
    for (const [trouble] of TROUBLES)
      for (const lang of ["en", "zh"] as const) {
        const text = troubleText(trouble, lang, "UTC", NOW);
        expect(text).not.toContain("\n");
        expect(/[\u4e00-\u9fff]/.test(text)).toBe(lang === "zh");
      }
  });

  it("is told by the clocks of the configured zone", () => {
    const trouble = { kind: "ledger", since: SINCE, detail: "x" } as const;
    expect(troubleText(trouble, "en", "Asia/Shanghai", NOW)).toContain("19:40:00");
  });
});
