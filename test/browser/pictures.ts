import { mkdirSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { anIncident } from "../support/incident.ts";
import { aBrowser, aTab } from "./browser.ts";

const FOLDER = process.env["SCREENSHOTS"] ?? "";
/** `all`: every page, in both languages, light and dark, wide and narrow, to be looked at. Otherwise those that the documentation shows. */
const ALL = process.env["PICTURES"] === "all";

const { browser } = aBrowser();

const KEPT = [
  "events-en-light-1200",
  "events-zh-dark-390",
  "event-en-light-1200",
  "sinks-en-light-1200",
  "templates-zh-light-1200",
];

it("makes pictures of the page", { timeout: 300_000 }, async () => {
  const site = await anIncident();
  mkdirSync(FOLDER, { recursive: true });
  const places = {
    events: "/?since=1h",
    grouped: "/?since=1h&view=grouped",
    problem: "/?since=yesterday&name=a*b*",
    empty: "/?since=1h&reason=NoSuch",
    event: `/events/${encodeURIComponent(site.id)}`,
    object: "/objects?ns=shop&kind=Pod&name=web-7d4b9c6f5-x2x9k",
    sinks: "/sinks",
    templates: "/templates?sink=lark-shop",
    configuration: "/configuration",
    missing: "/nowhere",
  };
  let made = 0;
  for (const lang of ["en", "zh"] as const)
    for (const colorScheme of ["light", "dark"] as const)
      for (const width of [ALL ? 1440 : 1200, 390]) {
        const wanted = Object.entries(places).filter(
          ([place]) => ALL || KEPT.includes(`${place}-${lang}-${colorScheme}-${width}`),
        );
        if (wanted.length === 0) continue;
        const { page } = await aTab(browser(), site.url, {
          colorScheme,
          viewport: { width, height: width === 390 ? 620 : 560 },
          locale: lang === "zh" ? "zh-CN" : "en-GB",
          refusals: [400, 404],
        });
        for (const [place, address] of wanted) {
          await page.goto(address);
          if (place === "event")
            await page.locator(".trace details").first().locator("summary").first().click();
          const name = `${place}-${lang}-${colorScheme}-${width}.png`;
          await page.screenshot({ path: path.join(FOLDER, name), fullPage: ALL });
          made += 1;
        }
      }
  expect(made).toBe(ALL ? 80 : KEPT.length);
});
