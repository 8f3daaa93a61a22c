import { writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import type { KubeEvent } from "../../src/event/event.ts";
import { storedKey } from "../../src/ledger/key.ts";
import { MARKUP } from "../fixtures/markup.ts";
import { anEvent } from "../support/events.ts";
import { NOON, take } from "../support/history.ts";
import { anIncident } from "../support/incident.ts";
import { temporaryDirectory } from "../support/ledger.ts";
import { aBrowser, aTab, CHROMIUM, WITHOUT_CHROMIUM } from "./browser.ts";

/** One Event whose every field says the same. */
function all(text: string, n: number): KubeEvent {
  const at = new Date(NOON - n).toISOString();
  const ref = {
    kind: text,
    apiVersion: text,
    namespace: text,
    name: text,
    uid: text,
    fieldPath: text,
  };
  return anEvent({
    uid: `uid-${n}${text}`,
    count: 1,
    resourceVersion: text,
    eventName: text,
    eventNamespace: text,
    cluster: text,
    type: text,
    reason: text,
    message: text,
    action: text,
    object: ref,
    related: ref,
    reporter: { component: text, host: text, instance: text },
    firstSeen: at,
    lastSeen: at,
    core: { labels: { [text]: text }, annotations: { [text]: text }, objectVersion: text },
  });
}

const SINKS = ["ding-oncall", "lark-shop", "slack-sre", "wecom-pay"];

describe.skipIf(CHROMIUM === null)(`what an Event says${WITHOUT_CHROMIUM}`, () => {
  const { browser } = aBrowser();

  async function besieged() {
    const site = await anIncident();
    const events = MARKUP.map(all);
    await take(site, events, SINKS);
    for (const sink of SINKS)
      for (const [n, { id }] of site.outbox.due(sink, NOON, 1_000, new Set()).entries()) {
        const text = MARKUP[n % MARKUP.length] ?? "";
        const kept = { at: NOON, counted: true, reason: "rejected", detail: text } as const;
        if (n % 3 === 0) site.outbox.settle(id, { kind: "dead", ...kept });
        else if (n % 3 === 1) site.outbox.settle(id, { kind: "retry", notBefore: NOON, ...kept });
        else site.outbox.settle(id, { kind: "delivered", at: NOON, sent: text, answer: text });
      }
    site.outbox.pending("ops", NOON);
    const { page } = await aTab(browser(), site.url, { refusals: [400, 404] });
    return { site, page, events };
  }

  it("runs on no page, and is read as it was written", { timeout: 180_000 }, async () => {
    const { page, events } = await besieged();
    const places = [
      "/?limit=500",
      "/?limit=500&view=grouped",
      ...["type", "namespace", "kind", "component"].map((by) => `/?limit=500&by=${by}&top=20`),
      "/sinks",
      ...events
        .filter((_, n) => n % 3 === 0)
        .map((one) => `/events/${encodeURIComponent(storedKey(one))}`),
      ...MARKUP.filter((_, n) => n % 4 === 0).map(
        (one) => `/objects?ns=shop&kind=Pod&name=${encodeURIComponent(one)}`,
      ),
    ];
    for (const place of places) {
      await page.goto(place);
      expect(await foreign(page), place).toEqual([]);
    }
    await page.goto("/?limit=500");
    const shown = await page.locator("td.message a").allTextContents();
    expect(shown).toContain("<script>pwned=1</script>");
    expect(shown).toContain("&lt;script&gt;pwned=1&lt;/script&gt;");
  });

  it("runs in no preview of a message", { timeout: 180_000 }, async () => {
    const { page, events } = await besieged();
    for (const [n, event] of events.entries()) {
      const sink = SINKS[n % SINKS.length] ?? "";
      await page.goto(`/templates?sink=${sink}&event=${encodeURIComponent(storedKey(event))}`);
      expect(await foreign(page), `${sink} ${event.message}`).toEqual([]);
    }
    await page.goto("/templates");
    for (const text of MARKUP.slice(0, 12)) {
      const shown = page.waitForResponse((response) => response.url().endsWith("/preview"));
      await page.locator("textarea").fill(`{{#*inline "markdown"}}${text}{{/inline}}`);
      await shown;
      expect(await foreign(page), text).toEqual([]);
    }
  });

  it("runs in no row that arrives, and in no address", { timeout: 120_000 }, async () => {
    const { site, page } = await besieged();
    await page.goto("/?limit=1");
    const streaming = page.waitForResponse((response) => response.url().includes("/tail"));
    await page.locator("#live").click();
    await streaming;
    await site.clock.advance(500);
    const before = await page.locator("#rows tr").count();
    await take(
      site,
      MARKUP.map((text, n) => all(text, n + 1_000)),
      ["ding-oncall"],
    );
    await site.clock.advance(1_000);
    await page.waitForFunction(
      (count) => document.querySelectorAll("#rows tr").length === count,
      before + MARKUP.length,
    );
    expect(await foreign(page)).toEqual([]);
    for (const text of MARKUP)
      for (const fields of [
        { reason: text, q: text, view: text },
        { since: text, name: text, [text]: text },
      ]) {
        await page.goto(`/?${new URLSearchParams(fields).toString()}`);
        expect(await foreign(page), text).toEqual([]);
      }
  });

  it("runs in no report that is opened from a file", async () => {
    const { site, page } = await besieged();
    const { body } = await site.get("/report?since=1h");
    const file = path.join(temporaryDirectory(), "report.html");
    writeFileSync(file, body);
    const tab = await aTab(browser(), "file://");
    await tab.page.goto(pathToFileURL(file).href);
    expect(await foreign(tab.page)).toEqual([]);
    expect(await tab.page.locator("tbody").innerText()).toContain("<script>pwned=1</script>");
    await page.close();
  });
});

/** What is in the document that our own pages never have; and whether anything ran. */
function foreign(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    if ("pwned" in globalThis) found.push("a script ran");
    const never =
      "script:not([src^='/assets/']), img, iframe, object, embed, base, video, audio, math, animate, font, at";
    for (const one of document.querySelectorAll(never)) found.push(one.outerHTML.slice(0, 100));
    for (const one of document.querySelectorAll("*"))
      for (const { name, value } of one.attributes) {
        if (/^on/i.test(name) || name === "style" || name === "autofocus")
          found.push(`${one.tagName} ${name}`);
        const leads = ["href", "src", "action", "formaction", "xlink:href"].includes(name);
        // As the browser reads it, which leaves out what stands between the letters.
        if (leads && !["http:", "https:", "file:"].includes(new URL(value, location.href).protocol))
          found.push(`${one.tagName} ${name}=${value.slice(0, 60)}`);
      }
    return found;
  });
}
