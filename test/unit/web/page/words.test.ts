import { describe, expect, it } from "vitest";
import { sinks as registry } from "../../../../sinks/index.ts";
import { loadConfig } from "../../../../src/config/load.ts";
import { DELIVERY_STATES } from "../../../../src/event/delivery.ts";
import { DROP_REASONS } from "../../../../src/event/reason.ts";
import { WORDS as LOGIN } from "../../../../src/web/auth/words.ts";
import { CONFIGURATION_WORDS } from "../../../../src/web/page/configuration-words.ts";
import { DECISION_WORDS } from "../../../../src/web/page/decision-words.ts";
import { troubleText } from "../../../../src/web/page/troubles.ts";
import { WORDS } from "../../../../src/web/page/words.ts";
import { HOUR, MINUTE, NOON, seen, take } from "../../../support/history.ts";
import { aPageSite } from "../../../support/page.ts";

/** Every text, by where it stands; functions with a number, as they are called. */
function textsOf(words: unknown, path = ""): readonly (readonly [string, string])[] {
  if (typeof words === "string") return [[path, words]];
  if (typeof words === "function")
    return textsOf((words as (...given: unknown[]) => unknown)("3", "4"), path);
  if (typeof words !== "object" || words === null) return [];
  return Object.entries(words).flatMap(([name, of]) => textsOf(of, `${path}.${name}`));
}

const KINDS = {
  page: WORDS,
  login: LOGIN,
  decision: DECISION_WORDS,
  configuration: CONFIGURATION_WORDS,
};
/** Written the same in both, or in the other on purpose. */
const SHARED = /^\.(htmlLang|otherLanguage|other|exportCsv|keys\.\d\.0|sinkColumns\.6)$/;
const HAN = /\p{Script=Han}/u;

describe.each(Object.entries(KINDS))("the words of the %s", (_, words) => {
  // A list of kinds is what one of them takes.
  const [en, zh] = [words.en, words.zh].map((of) =>
    Object.fromEntries(Object.entries(of).filter(([name]) => name !== "withMade")),
  );

  it("are the same in both languages, and none is empty", () => {
    const [english, chinese] = [textsOf(en), textsOf(zh)];
    expect(chinese.map(([path]) => path)).toEqual(english.map(([path]) => path));
    for (const [path, text] of [...english, ...chinese])
      expect([path, text.trim()]).not.toEqual([path, ""]);
  });

  it("are English in English, and Chinese in Chinese", () => {
    const own = (of: unknown) => textsOf(of).filter(([path]) => !SHARED.test(path));
    expect(own(en).filter(([, text]) => HAN.test(text))).toEqual([]);
    expect(own(zh).filter(([, text]) => !HAN.test(text))).toEqual([]);
  });
});

describe("the page's words", () => {
  it.each(["en", "zh"] as const)("have each state and each reason that there is, in %s", (lang) => {
    const { states, suppressed } = WORDS[lang];
    expect(Object.keys(states).toSorted()).toEqual([...DELIVERY_STATES].toSorted());
    expect(Object.keys(suppressed).toSorted()).toEqual(Object.keys(DROP_REASONS).toSorted());
  });

  it.each([
    [0, "0 events", "共 0 条事件"],
    [1, "1 event", "共 1 条事件"],
    [2, "2 events", "共 2 条事件"],
    [1_234, "1,234 events", "共 1,234 条事件"],
  ])("count %i as %s and %s", async (many, english, chinese) => {
    const site = await aPageSite();
    await take(
      site,
      Array.from({ length: many }, (_, n) => seen(n, NOON - MINUTE)),
    );
    const en = await site.get("/");
    expect(en.body).toContain(`<span class="sum">${english}</span>`);
    expect(en.body).toContain(`aria-label="${english}"`);
    expect((await site.get("/?lang=zh")).body).toContain(`<span class="sum">${chinese}</span>`);
  });

  it.each([
    [0, "0 deliveries it still owed are lost"],
    [1, "1 delivery it still owed is lost"],
    [2, "2 deliveries it still owed are lost"],
  ])("say of %i that was lost: %s", (owed, text) => {
    const trouble = { kind: "replaced", at: NOON, aside: "/data/x", owed } as const;
    expect(troubleText(trouble, "en", "UTC", NOON)).toContain(text);
  });
});

describe("times", () => {
  /** A page of one event, seen at a moment, by the clocks of a zone. */
  async function pageIn(timezone: string, at: number, path = "/?since=7d") {
    const flags = { sink: ["stdout"], clusterName: "a", timezone };
    const { config } = loadConfig({ flags, registry, env: {} });
    const site = await aPageSite({ config });
    await take(site, [seen(1, at)], ["stdout"]);
    return { site, page: await site.get(path) };
  }

  it("are those of the configured zone, absolute for programs and where the mouse rests", async () => {
    const { page } = await pageIn("Asia/Shanghai", NOON - MINUTE);
    expect(page.body).toContain(
      '<time datetime="2026-11-20T11:59:00.000Z" title="2026-11-20 19:59:00 Asia/Shanghai · 2026-11-20T11:59:00.000Z"',
    );
    expect(page.text).toContain("19:59:00 1 ● BackOff");
  });

  it("have the date where the zone's day is another one, not where UTC's is", async () => {
    // 17:30 in UTC is 01:30 of the next day in Shanghai, where it is 20:00 now.
    const yesterday = await pageIn("Asia/Shanghai", NOON - 18 * HOUR - 30 * MINUTE);
    expect(yesterday.page.text).toContain("01:30:00 1 ● BackOff");
    expect(yesterday.page.text).not.toContain("20 Nov 01:30:00");
    const before = await pageIn("Asia/Shanghai", NOON - 21 * HOUR);
    expect(before.page.text).toContain("19 Nov 23:00:00");
    const chinese = await before.site.get("/?since=7d&lang=zh");
    expect(chinese.text).toContain("11月19日 23:00:00");
  });

  it("are told with the right half hour, where a zone has one", async () => {
    const { page } = await pageIn("Asia/Kolkata", NOON - MINUTE);
    expect(page.text).toContain("17:29:00 1 ● BackOff");
  });

  it("of the incident report have their date and the zone's name, for whoever reads it later", async () => {
    const { page } = await pageIn("Asia/Shanghai", NOON - MINUTE, "/report?since=1h");
    expect(page.text).toContain("2026-11-20 19:00:00 – 2026-11-20 20:00:00 · Asia/Shanghai");
  });
});
