import { describe, expect, it } from "vitest";
import { ALL_DIFFERENCES, differencesOf, differenceText } from "../../../src/compat/differences.ts";
import { PROGRAM, type SinkEntry, SINKS } from "../../../src/compat/rules.ts";
import { sinks as registry } from "../../../sinks/index.ts";

const optionsOf = (entry: SinkEntry) =>
  differencesOf([entry], false).flatMap(({ sink, option }) => (sink === null ? [] : [option]));

describe("what is said of kube-eventer", () => {
  it("is of sinks that there are", () => {
    const types = new Set(registry.map(({ type }) => type));
    for (const { sink } of SINKS) expect(types).toContain(sink);
    for (const { sink, option } of PROGRAM) expect([sink, option]).toEqual([null, null]);
  });

  it("is one line for each, which begins with whom it is about and says there and here", () => {
    for (const difference of ALL_DIFFERENCES) {
      const text = differenceText(difference);
      const about = difference.sink === null ? "" : `, ${difference.sink}`;
      expect(text.startsWith(`other than kube-eventer${about}: there `)).toBe(true);
      expect(text).toContain("; here ");
      expect(text).not.toMatch(/[\n\r\t]|undefined|null|\.$/);
      expect(difference.was).not.toBe(difference.is);
    }
    const texts = ALL_DIFFERENCES.map((one) => differenceText(one));
    expect(new Set(texts).size).toBe(texts.length);
  });

  it("is listed by sink, the program first, with nothing left out", () => {
    const sinks = ALL_DIFFERENCES.map(({ sink }) => sink ?? "");
    expect(sinks).toEqual(sinks.toSorted((a, b) => a.localeCompare(b)));
    expect(sinks[0]).toBe("");
    expect(ALL_DIFFERENCES).toHaveLength(PROGRAM.length + SINKS.length);
  });

  it("is, of several sinks, what is said of each, in the same order whatever theirs", () => {
    const entries = registry.map(({ type }) => ({ type }));
    const all = differencesOf(entries, false);
    expect(differencesOf(entries.toReversed(), false)).toEqual(all);
    for (const entry of entries)
      expect(all).toEqual(expect.arrayContaining([...differencesOf([entry], false)]));
  });

  it("with compat: strict is less, by what it keeps alone", () => {
    const entries = registry.map(({ type }) => ({ type, labels: ["a"] }));
    const all = differencesOf(entries, false);
    expect(all.some(({ strict }) => strict)).toBe(true);
    expect(differencesOf(entries, true)).toEqual(all.filter(({ strict }) => !strict));
  });

  it("counts for a sink of two if it is about one of them", () => {
    const plain = { type: "webhook", method: "POST" };
    expect(optionsOf(plain)).not.toContain("headers");
    const both = differencesOf([plain, { type: "webhook", headers: { a: "b" } }], false);
    expect(both.map(({ option }) => option)).toEqual(expect.arrayContaining(["headers", "method"]));
  });
});

describe("a difference about an option", () => {
  it.each<[string, string, SinkEntry]>([
    ["dingtalk", "labels", { labels: ["a"] }],
    ["dingtalk", "filter.level", { filter: { level: "Warning" } }],
    ["wechat", "filter.namespaces", { filter: { namespaces: ["shop"] } }],
    ["webhook", "filter.namespaces", { filter: { namespaces: ["shop"] } }],
    ["webhook", "customBodyConfigmap", { bodyFile: "/body" }],
    ["mysql", "dsn", { table: "events" }],
    ["elasticsearch", "sigv4", { sigv4: false }],
    ["elasticsearch", "sigv4", { accessKeyId: "${ID}" }],
    ["sls", "endpoint", { endpoint: "https://sls.example.com" }],
    ["sls", "accessKeyId", { accessKeyId: "${ID}" }],
    ["eventbridge", "accountId", { accessKeyId: "${ID}" }],
  ])("of %s, %s, is said where it is given and not where it is not", (type, option, given) => {
    expect(optionsOf({ type, ...given })).toContain(option);
    expect(optionsOf({ type })).not.toContain(option);
    expect(optionsOf({ type, filter: null })).not.toContain(option);
  });

  it.each([
    ["dingtalk", "msgType", { msgType: "text" }],
    ["webhook", "method", { method: "GET" }],
    ["webhook", "filter.level", { filter: { level: "Normal" } }],
  ] as const)("of %s, %s, is said where it is missing", (type, option, given) => {
    expect(optionsOf({ type })).toContain(option);
    expect(optionsOf({ type, ...given })).not.toContain(option);
  });

  it.each([
    ["https://open.larksuite.com/open-apis/bot/v2/hook/h", true],
    ["http://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k", true],
    // Whose it is cannot be seen.
    ["${WEBHOOK_URL}", true],
    ["https://hooks.example.com/k8s?via=oapi.dingtalk.com", false],
  ])("of a webhook to %s, about robots: %s", (url, isSaid) => {
    const said = differencesOf([{ type: "webhook", url }], false).map(({ was }) => was);
    expect(said.some((was) => was.startsWith("a robot of DingTalk"))).toBe(isSaid);
  });
});
