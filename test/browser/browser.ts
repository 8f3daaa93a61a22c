import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished } from "vitest";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** `null`: there is none on this machine. */
export const CHROMIUM: string | null =
  [process.env["CHROMIUM"] ?? "", ...PLACES].find((place) => place !== "" && existsSync(place)) ??
  null;

export const WITHOUT_CHROMIUM =
  CHROMIUM === null
    ? " (skipped: no Chromium here; install Debian's package chromium, or set CHROMIUM to its path)"
    : "";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** One Chromium for the tests of a file. */
export function aBrowser(): { readonly browser: () => Browser } {
  let browser: Browser | null = null;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM ?? "" });
  });
  afterAll(() => browser?.close());
  return {
    browser: () => {
      if (browser === null) throw new Error("Chromium was not started");
      return browser;
    },
  };
}

export interface Watched {
  readonly page: Page;
  /** What no journey may cause: errors on the console, CSP violations, requests to other hosts, answers with 5xx. */
  readonly complaints: readonly string[];
  readonly requests: readonly string[];
}

/** A tab that notes what goes wrong in it. It is checked at the end of the test, whatever else the test looks at. */
export async function aTab(
  browser: Browser,
  origin: string,
  options: BrowserContextOptions & { readonly refusals?: readonly number[] } = {},
): Promise<Watched> {
  const { refusals = [], ...more } = options;
  const context = await browser.newContext({
    baseURL: origin,
    viewport: { width: 1440, height: 900 },
    timezoneId: "UTC",
    reducedMotion: "reduce",
    ...more,
  });
  context.setDefaultTimeout(15_000);
  const complaints: string[] = [];
  const requests: string[] = [];
  const page = await context.newPage();
  context.on("page", (other) => complaints.push(`opened another tab: ${other.url()}`));
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("console", (message) => {
    if (!["error", "warning"].includes(message.type())) return;
    // Chromium writes an error for each answer of 400 and above; those that a test asks for are none.
    const status = /the server responded with a status of (\d+)/.exec(message.text())?.[1];
    if (status !== undefined && refusals.includes(Number(status))) return;
    complaints.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    requests.push(request.url());
    if (!request.url().startsWith(`${origin}/`) && !request.url().startsWith("data:"))
      complaints.push(`request to another host: ${request.url()}`);
  });
  onTestFinished(async () => {
    await context.close();
    expect(complaints).toEqual([]);
  });
  return { page, complaints, requests };
}

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly help: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
}

/** What WCAG 2.2 A and AA and good practice hold against the page as it is now; nothing, where it is right. */
export async function axe(page: Page): Promise<readonly string[]> {
  // Over the protocol of the browser's tools: the page's policy lets no script in but ours.
  await page.evaluate(AXE);
  const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const { violations } = await page.evaluate<AxeResult>(
    `axe.run(document, { runOnly: ${JSON.stringify(rules)}, resultTypes: ["violations"] })`,
  );
  return violations.flatMap(({ id, help, nodes }) =>
    nodes
      .slice(0, 2)
      .map(({ html, failureSummary = "" }) => `${id}: ${help}\n${html}\n${failureSummary}`),
  );
}

/** What makes the reader scroll sideways: the innermost elements that reach beyond the window; nothing, where nobody has to. */
export async function tooWide(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const beyond = [...document.body.querySelectorAll("*")].filter(
      (one) => one.getBoundingClientRect().right > clientWidth + 0.5,
    );
    return beyond
      .filter((one) => !beyond.some((other) => other !== one && one.contains(other)))
      .slice(0, 3)
      .map((one) => `wider than the window: ${one.outerHTML.slice(0, 120)}`);
  });
}
