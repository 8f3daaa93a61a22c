import { readFileSync } from "node:fs";
import type { Locator, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { MINUTE, NOON, seen, take } from "../support/history.ts";
import { anIncident, type Incident, MESSAGE } from "../support/incident.ts";
import { aPageSite } from "../support/page.ts";
import { aBrowser, aTab, axe, CHROMIUM, WITHOUT_CHROMIUM } from "./browser.ts";

/** What the reader of each language looks for. */
const SAID = {
  en: {
    namespace: "Namespace",
    search: "Search text",
    show: "Show",
    clear: "Clear",
    grouped: "By object and reason",
    live: "Live",
    pause: "Pause",
    waiting: "Live (2 new)",
    told: "Who was told",
    yaml: "As YAML",
    looked: "The message as it looked",
    story: /^The story of Pod web-/,
    csv: "CSV",
    report: "Incident report",
    keys: "Keys",
    empty: "No events",
    other: "中文",
  },
  zh: {
    namespace: "命名空间",
    search: "搜索文字",
    show: "查看",
    clear: "清除",
    grouped: "按对象和原因",
    live: "实时",
    pause: "暂停",
    waiting: "实时 (2 条新事件)",
    told: "通知了谁",
    yaml: "YAML 原文",
    looked: "消息当时的样子",
    story: /^Pod web-.* 的经过$/,
    csv: "CSV",
    report: "事故报告",
    keys: "快捷键",
    empty: "没有事件",
    other: "EN",
  },
} as const;

const LANGS = ["en", "zh"] as const;
const rows = (page: Page): Locator => page.locator("#rows tr");
const asked = (page: Page): URLSearchParams => new URL(page.url()).searchParams;

describe.skipIf(CHROMIUM === null).each(LANGS)(`events (%s)${WITHOUT_CHROMIUM}`, (lang) => {
  const said = SAID[lang];
  const { browser } = aBrowser();
  const locale = lang === "zh" ? "zh-CN" : "en-GB";

  async function opened(address = "/", site?: Incident) {
    const incident = site ?? (await anIncident());
    const tab = await aTab(browser(), incident.url, { locale, acceptDownloads: true });
    await tab.page.goto(address);
    return { ...tab, site: incident };
  }

  it("the filter is the address: typed, clicked, pasted, and Back undoes it", async () => {
    const { page } = await opened();
    expect(await rows(page).count()).toBe(40);
    await page.getByLabel(said.namespace).fill("shop");
    await page.getByLabel(said.search).fill("probe");
    await page.keyboard.press("Enter");
    await page.waitForURL(/ns=shop/);
    expect(asked(page).get("q")).toBe("probe");
    expect(await rows(page).count()).toBe(8);
    expect(await page.getByLabel(said.search).inputValue()).toBe("probe");

    await page.getByRole("link", { name: "web-7d4b9c6f5-p4q7m" }).first().hover();
    await rows(page).first().getByRole("link", { name: "Unhealthy" }).click();
    await page.waitForURL(/reason=Unhealthy/);
    expect(asked(page).get("ns")).toBe("shop");
    const pasted = page.url();

    await page.goBack();
    expect(asked(page).has("reason")).toBe(false);
    await page.goto(pasted);
    expect(await rows(page).count()).toBe(8);
    await page.getByRole("link", { name: said.clear }).click();
    await page.waitForURL((url) => !url.search.includes("ns="));
    expect(await rows(page).count()).toBe(40);
  });

  it("a drag over the timeline zooms, Back goes out again, a name of the legend filters", async () => {
    const { page } = await opened("/?since=1h");
    const box = await page.locator(".strip svg").boundingBox();
    if (box === null) throw new Error("no timeline");
    const at = (part: number) => box.x + part * box.width;
    const middle = box.y + box.height / 2;
    await page.mouse.move(at(2 / 3), middle);
    await page.mouse.down();
    await page.mouse.move(at(0.75), middle, { steps: 4 });
    await page.mouse.move(at(5 / 6), middle, { steps: 4 });
    expect(await page.locator(".strip .selected").isVisible()).toBe(true);
    await page.mouse.up();
    await page.waitForURL(/from=/);
    // An hour is drawn: from 11:40 to 11:50, whole bars.
    const [from, to] = ["from", "to"].map((field) => Date.parse(asked(page).get(field) ?? ""));
    expect(Math.abs((from ?? 0) - (NOON - 20 * MINUTE))).toBeLessThanOrEqual(MINUTE);
    expect(Math.abs((to ?? 0) - (NOON - 10 * MINUTE))).toBeLessThanOrEqual(MINUTE);
    const times = await rows(page)
      .locator("time")
      .evaluateAll((all) => all.map((one) => one.getAttribute("datetime") ?? ""));
    expect(times.length).toBeGreaterThan(5);
    for (const time of times) {
      expect(Date.parse(time)).toBeGreaterThanOrEqual(from ?? 0);
      expect(Date.parse(time)).toBeLessThan(to ?? 0);
    }
    expect(await axe(page)).toEqual([]);
    await page.goBack();
    expect(asked(page).get("since")).toBe("1h");
    await page.locator(".legend").getByRole("link", { name: "OOMKilling" }).click();
    await page.waitForURL(/reason=OOMKilling/);
    expect(await rows(page).count()).toBe(6);
  });

  it("a bar leads to its minute", async () => {
    const { page } = await opened("/?since=1h");
    await page.locator(".strip svg a").last().click();
    await page.waitForURL(/from=/);
    expect(await rows(page).count()).toBe(1);
    expect(await rows(page).innerText()).toContain("BackOff");

    // From there to another time, and not to a contradiction of the two.
    await page.locator('select[name="since"]').selectOption("6h");
    await page.locator("form.filter button").click();
    await page.waitForURL(/since=6h/);
    expect(asked(page).has("from")).toBe(false);
    expect(await rows(page).count()).toBeGreaterThan(1);
  });

  it("live, it shows what arrives; paused, it counts what waits, and shows it later", async () => {
    const { page, site } = await opened("/?since=1h&ns=shop");
    const before = await rows(page).count();
    const live = page.locator("#live");
    expect(await live.innerText()).toBe(said.live);
    const streaming = page.waitForResponse((response) => response.url().includes("/tail"));
    await live.click();
    await streaming;
    expect(await live.innerText()).toContain(said.pause);
    await arrive(site, 901, "shop", "first seen live");
    await page.getByText("first seen live").waitFor();
    expect(await rows(page).first().innerText()).toContain("first seen live");
    expect(await rows(page).count()).toBe(before + 1);
    expect(await axe(page)).toEqual([]);

    await live.click();
    await arrive(site, 902, "shop", "while paused");
    await arrive(site, 903, "pay", "of another namespace");
    await arrive(site, 904, "shop", "also while paused");
    await page.getByRole("button", { name: said.waiting }).waitFor();
    expect(await rows(page).count()).toBe(before + 1);
    await live.click();
    expect(await rows(page).count()).toBe(before + 3);
    expect(await rows(page).first().innerText()).toContain("also while paused");
    expect(await page.locator("body").innerText()).not.toContain("of another namespace");
  });

  it("live begins on a page that is empty, too", async () => {
    const { page, site } = await opened("/?since=1h&reason=Preempted");
    expect(await page.getByRole("heading", { name: said.empty }).isVisible()).toBe(true);
    const streaming = page.waitForResponse((response) => response.url().includes("/tail"));
    await page.locator("#live").click();
    await streaming;
    await arrive(site, 905, "shop", "the first one", "Preempted");
    await page.getByText("the first one").waitFor();
    expect(await rows(page).count()).toBe(1);
    expect(await page.getByRole("heading", { name: said.empty }).count()).toBe(0);
    expect(await axe(page)).toEqual([]);
  });

  it("taken together by object and reason", async () => {
    const { page } = await opened("/?since=1h");
    await page.getByRole("link", { name: said.grouped }).click();
    await page.waitForURL(/view=grouped/);
    const texts = await rows(page).allInnerTexts();
    expect(texts.filter((text) => text.includes("OOMKilling"))).toHaveLength(1);
    expect(texts.find((text) => text.includes("OOMKilling"))).toMatch(/\b6\b/);
    expect(texts.length).toBeLessThan(30);
  });

  it("an event tells its fields, occurrences, YAML, who was told, and the message as the chat showed it", async () => {
    const { page, site } = await opened("/?since=1h");
    await page.getByRole("link", { name: MESSAGE }).first().click();
    await page.waitForURL(`**/events/**`);
    expect(await page.getByRole("heading", { level: 1 }).innerText()).toContain("BackOff");
    expect(await page.getByRole("heading", { name: said.told }).isVisible()).toBe(true);
    const trace = page.locator(".trace");
    expect(await trace.innerText()).toMatch(/ding-oncall[\s\S]*errcode 130101: send too fast/);
    await page.getByText(said.yaml).click();
    expect(await page.locator("pre.yaml").innerText()).toMatch(/^reason: BackOff$/m);
    await trace.getByText(said.looked).first().click();
    expect(await trace.locator(".chat").first().innerText()).toContain(MESSAGE);
    expect(await axe(page)).toEqual([]);
    expect(page.url()).toBe(`${site.url}/events/${encodeURIComponent(site.id)}`);
    await page.locator(".briefs a").first().click();
    await page.waitForURL((url) => !url.href.endsWith(encodeURIComponent(site.id)));
    expect(await page.getByRole("heading", { level: 1 }).innerText()).toContain("BackOff");
  });

  it("a workload has its whole story on one axis", async () => {
    const { page, site } = await opened("/");
    await page.goto(`/events/${encodeURIComponent(site.id)}`);
    await page.getByRole("link", { name: said.story }).click();
    await page.waitForURL(/\/objects\?/);
    expect(await page.locator(".lanes text").allTextContents()).toEqual([
      "Scheduled",
      "BackOff",
      "Unhealthy",
    ]);
    expect(await rows(page).count()).toBe(11);
    await page.locator(".lanes a.warning").last().click();
    await page.waitForURL(/\/events\//);
  });

  it("the view is taken along as CSV and as a report", async () => {
    const { page } = await opened("/?since=1h&ns=pay");
    const [report] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: said.report }).click(),
    ]);
    expect(report.suggestedFilename()).toBe("kube-crier-report.html");
    expect(readFileSync(await report.path(), "utf8")).toContain(said.report);
  });

  it("is used by the keyboard alone", async () => {
    const { page, site } = await opened("/?since=1h");
    await page.keyboard.press("Tab");
    expect(await focused(page)).toBe("#main");
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("k");
    expect(await page.locator("tr.chosen").innerText()).toContain("11:57:48");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/events\//);
    await page.goBack();
    await page.keyboard.press("?");
    const help = page.getByRole("dialog", { name: said.keys });
    expect(await help.isVisible()).toBe(true);
    expect(await axe(page)).toEqual([]);
    await page.keyboard.press("Escape");
    expect(await help.isVisible()).toBe(false);
    const streaming = page.waitForResponse((response) => response.url().includes("/tail"));
    await page.keyboard.press("l");
    await streaming;
    await arrive(site, 911, "shop", "seen by keyboard");
    await page.getByText("seen by keyboard").waitFor();
    await page.keyboard.press("l");
    expect(await page.locator("#live").innerText()).toBe(said.live);
    await page.keyboard.press("/");
    await page.keyboard.type("jlk?");
    expect(await page.getByLabel(said.search).inputValue()).toBe("jlk?");
    await page.keyboard.press("Enter");
    await page.waitForURL(/q=jlk/);
    expect(await rows(page).count()).toBe(0);
  });

  it("is read and filtered without a script", async () => {
    const site = await anIncident();
    const { page } = await aTab(browser(), site.url, { locale, javaScriptEnabled: false });
    await page.goto("/");
    expect(await page.locator("#live").isVisible()).toBe(false);
    await page.getByLabel(said.namespace).fill("pay");
    await page.getByRole("button", { name: said.show }).click();
    await page.waitForURL(/ns=pay/);
    expect(await rows(page).count()).toBe(3);
    await page.getByRole("link", { name: said.grouped }).click();
    await page.waitForURL(/view=grouped/);
    expect(await rows(page).count()).toBe(1);
    await page.locator("td.message a").click();
    await page.waitForURL(/\/events\//);
    await page.getByText(said.yaml).click();
    expect(await page.locator("pre.yaml").isVisible()).toBe(true);
    await page.getByRole("link", { name: said.other, exact: true }).click();
    expect(await page.locator("html").getAttribute("lang")).toBe(lang === "zh" ? "en" : "zh-CN");
  });
});

describe.skipIf(CHROMIUM === null)("a page in the background", () => {
  const { browser } = aBrowser();
  it("is told on coming back what arrived meanwhile, once", async () => {
    const site = await aPageSite();
    await take(site, [seen(1, NOON - MINUTE)]);
    const { page } = await aTab(browser(), site.url);
    await page.goto("/?since=1h");
    const connected = () => page.waitForResponse((response) => response.url().includes("/tail"));
    const first = connected();
    await page.locator("#live").click();
    await first;
    await arrive(site, 2, "shop", "before it was hidden");
    await page.getByText("before it was hidden").waitFor();
    await hide(page, true);
    await arrive(site, 3, "shop", "while it was hidden");
    const again = connected();
    await hide(page, false);
    await again;
    await arrive(site, 4, "shop", "after it came back");
    await page.getByText("after it came back").waitFor();
    expect(
      (await rows(page).allInnerTexts()).map((text) => /(before|while|after) it/.exec(text)?.[0]),
    ).toEqual(["after it", "while it", "before it", undefined]);
  });
});

/** As a browser does when another tab is looked at. */
async function hide(page: Page, hidden: boolean): Promise<void> {
  await page.evaluate((now) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => now });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
}

/** Where the link leads that has the focus. */
function focused(page: Page): Promise<string | null> {
  return page.evaluate(() => document.activeElement?.getAttribute("href") ?? null);
}

/** One event more, and the time until the page's server looks for it. */
async function arrive(
  site: Pick<Incident, "outbox" | "clock">,
  n: number,
  namespace: string,
  message: string,
  reason = "Preempting",
): Promise<void> {
  await site.clock.advance(500);
  const changes = { reason, message, eventNamespace: namespace, object: { namespace } };
  await take(site, [seen(n, site.clock.now(), changes)]);
  await site.clock.advance(1_000);
}
