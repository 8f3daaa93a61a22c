import { writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { anIncident, type Incident } from "../support/incident.ts";
import { temporaryDirectory } from "../support/ledger.ts";
import { aBrowser, aTab, axe, CHROMIUM, tooWide, WITHOUT_CHROMIUM } from "./browser.ts";

/** Every page there is, with what its heading says in both languages. */
const pagesOf = ({ id }: Incident) => ({
  events: "/?since=1h",
  grouped: "/?since=1h&view=grouped&by=namespace",
  "a problem": "/?since=yesterday&name=a*b*",
  "nothing found": "/?since=1h&reason=NoSuch",
  event: `/events/${encodeURIComponent(id)}`,
  object: "/objects?ns=shop&kind=Pod&name=web-7d4b9c6f5-x2x9k",
  sinks: "/sinks",
  templates: "/templates",
  configuration: `/configuration?id=${encodeURIComponent(id)}`,
  "not found": "/nowhere",
});

const READERS = [
  ["English, light, wide", "en", "light", 1440],
  ["Chinese, dark, wide", "zh", "dark", 1440],
  ["Chinese, light, a phone", "zh", "light", 360],
  ["English, dark, a phone", "en", "dark", 360],
] as const;

describe.skipIf(CHROMIUM === null)(`each page${WITHOUT_CHROMIUM}`, () => {
  const { browser } = aBrowser();

  it.each(READERS)(
    "can be read by everybody: %s",
    { timeout: 120_000 },
    async (_, lang, colorScheme, width) => {
      const site = await anIncident();
      const { page } = await aTab(browser(), site.url, {
        colorScheme,
        locale: lang === "zh" ? "zh-CN" : "en-GB",
        viewport: { width, height: 800 },
        refusals: [400, 404],
      });
      const found: Record<string, readonly string[]> = {};
      for (const [name, address] of Object.entries(pagesOf(site))) {
        await page.goto(address);
        const complaints = [...(await axe(page)), ...(await tooWide(page))];
        const { spoken, paper } = await page.evaluate(() => ({
          spoken: document.documentElement.lang,
          paper: getComputedStyle(document.body).backgroundColor,
        }));
        if (spoken !== (lang === "zh" ? "zh-CN" : "en")) complaints.push(`speaks ${spoken}`);
        complaints.push(...(isDark(paper) === (colorScheme === "dark") ? [] : [`on ${paper}`]));
        if (complaints.length > 0) found[name] = complaints;
      }
      expect(found).toEqual({});
    },
  );

  it.each(["en", "zh"] as const)(
    "the incident report opens from a file, without anything else, and prints: %s",
    async (lang) => {
      const site = await anIncident();
      const report = await site.get(`/report?since=1h&lang=${lang}`);
      const file = path.join(temporaryDirectory(), "report.html");
      writeFileSync(file, report.body);
      const { page } = await aTab(browser(), `file://`, { javaScriptEnabled: true });
      await page.goto(pathToFileURL(file).href);
      expect(await axe(page)).toEqual([]);
      expect(await page.locator("tbody tr").count()).toBe(40);
      expect(await page.locator("h1").innerText()).toContain(
        lang === "zh" ? "事故报告" : "Incident report",
      );
      const pdf = await page.pdf({ format: "A4" });
      expect(pdf.subarray(0, 5).toString()).toBe("%PDF-");
      // Printed, nothing is cut off at the right.
      await page.emulateMedia({ media: "print" });
      await page.setViewportSize({ width: 700, height: 900 });
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
        700,
      );
    },
  );
});

/** `rgb(18, 21, 28)`; transparent is the browser's own, which follows the scheme. */
function isDark(colour: string): boolean | null {
  const parts = [...colour.matchAll(/[\d.]+/g)].map(([part]) => Number(part));
  const [red = 0, green = 0, blue = 0, alpha = 1] = parts;
  return alpha === 0 ? null : red + green + blue < 384;
}
