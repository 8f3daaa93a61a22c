import { appendFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { anIncident } from "../support/incident.ts";
import { aBrowser, aTab, CHROMIUM, WITHOUT_CHROMIUM } from "./browser.ts";

/** Issue 7: what the browser loads stays below 150 KB compressed. */
const BYTES_MAX = 150_000;
/** A file for the figures: how long it took is no matter of a test. */
const FIGURES = process.env["PAGE_FIGURES"] ?? "";

describe.skipIf(CHROMIUM === null)(`what a page costs${WITHOUT_CHROMIUM}`, () => {
  const { browser } = aBrowser();

  it.each(["/?since=1h", "/sinks", "/templates", "event"])(
    "%s: few bytes, few requests, and never a long task",
    async (place) => {
      const site = await anIncident();
      const { page, requests } = await aTab(browser(), site.url);
      const bodies: Promise<Buffer>[] = [];
      page.on("response", (response) => bodies.push(response.body()));
      await page.addInitScript(() => {
        const seen: number[] = [];
        Object.assign(globalThis, { longTasks: seen });
        new PerformanceObserver((list) => {
          for (const { duration } of list.getEntries()) seen.push(Math.round(duration));
        }).observe({ type: "longtask", buffered: true });
      });
      await page.goto(place === "event" ? `/events/${encodeURIComponent(site.id)}` : place, {
        waitUntil: "networkidle",
      });
      const sizes = (await Promise.all(bodies)).map((body) => gzipSync(body).length);
      const bytes = sizes.reduce((sum, size) => sum + size, 0);
      expect(bytes).toBeLessThan(BYTES_MAX);
      // The page, a style or two, an icon, and the script: one file of the bundle, its modules in the source tree.
      expect(requests.length).toBeLessThanOrEqual(12);
      const { tasks, painted } = await page.evaluate(() => ({
        tasks: (globalThis as unknown as { longTasks: readonly number[] }).longTasks,
        painted: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null,
      }));
      // A machine that others use may hold up anything; a script of ours that takes long shows beyond that.
      expect(tasks.filter((ms) => ms > 500)).toEqual([]);
      expect(painted).not.toBeNull();
      const took = `${Math.round(painted ?? 0)} ms to the first paint, ${tasks.length} long tasks`;
      if (FIGURES !== "")
        appendFileSync(
          FIGURES,
          `${place}: ${bytes} bytes compressed, ${requests.length} requests, ${took}
`,
        );
    },
  );
});
