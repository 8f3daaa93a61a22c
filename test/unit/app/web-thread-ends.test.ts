import { once } from "node:events";
import { createServer } from "node:net";
import { beforeEach, describe, expect, it } from "vitest";
import { anEvent } from "../../support/events.ts";
import type { Unwell } from "../../support/mortal-page.ts";
import { html, MORTAL, pageRig } from "../../support/page-thread.ts";
import { seriesOf } from "../observe/support.ts";

const TIMEOUT = 120_000;
/** Much less than a thread that hangs has of the processor while a test looks. */
const SOON_MS = 200;
/** The page looks after its thread so often. */
const LOOK_MS = 10_000;

type Rig = ReturnType<typeof pageRig>;
let clock: Rig["clock"];
let logged: Rig["logged"];
let served: Rig["served"];
let said: Rig["said"];
let errors: Rig["errors"];

beforeEach(() => {
  ({ clock, logged, served, said, errors } = pageRig());
});

describe("a page whose thread dies", { timeout: TIMEOUT }, () => {
  async function told(why: RegExp | string): Promise<void> {
    await expect.poll(errors, { timeout: 30_000 }).toContainEqual(expect.stringMatching(why));
  }

  it("is said to, and served again at the same address a second later", async () => {
    const { url, make, observer } = await served({ program: MORTAL });
    expect((await fetch(`${url}/api/v1/whoami`)).status).toBe(200);
    make("throw");
    await told(
      /^the page is not served: its thread has ended: a mistake in the page; it is begun again in 1 s, and what is owed is delivered meanwhile$/,
    );
    await expect(fetch(`${url}/api/v1/whoami`)).rejects.toThrow("fetch failed");
    // What runs meanwhile is told by the next one.
    observer.eventReceived("kubernetes", anEvent());
    observer.ledgerTrouble("the disk is full");
    await clock.advance(1_000);
    await expect
      .poll(() => said("info"), { timeout: 30_000 })
      .toContain(`the page is served again at ${url}`);
    const shown = await html(`${url}/?lang=en`);
    expect(shown).toContain("the disk is full");
    expect(shown).toMatch(/This page ended by itself at .*: a mistake in the page\. What is owed/);
    expect(errors()).toHaveLength(1);
  });

  it("ends by itself where it takes too much memory, and the program goes on", async () => {
    const { url, make } = await served({ program: MORTAL });
    make("fill");
    await told(/its thread has ended: .*memory/);
    await clock.advance(1_000);
    await expect
      .poll(async () => (await fetch(`${url}/`).catch(() => null))?.status, { timeout: 30_000 })
      .toBe(200);
  });

  it("is begun again later each time, while its address is taken, until it can be had", async () => {
    const { url, make, listening } = await served({ program: MORTAL });
    make("throw");
    await told(/a mistake in the page; it is begun again in 1 s/);
    const other = createServer().listen(listening.port, "127.0.0.1");
    await once(other, "listening");
    await clock.advance(1_000);
    await told(/another program listens there.*; it is begun again in 2 s/);
    await clock.advance(2_000);
    await told(/another program listens there.*; it is begun again in 4 s/);
    other.close();
    await once(other, "close");
    await clock.advance(4_000);
    await expect
      .poll(async () => (await fetch(url).catch(() => null))?.status, { timeout: 30_000 })
      .toBe(200);
    expect(errors()).toHaveLength(3);
  });

  it("is not begun again once it is to end", async () => {
    const { url, make, listening } = await served({ program: MORTAL });
    make("throw");
    await told(/a mistake in the page/);
    await listening.close();
    await clock.advance(120_000);
    await expect(fetch(url)).rejects.toThrow("fetch failed");
    expect(errors()).toHaveLength(1);
  });
});

describe("a page whose thread hangs", { timeout: TIMEOUT }, () => {
  const serves = async (url: string) => (await fetch(url).catch(() => null))?.status === 200;

  it.each<[Unwell, string]>([
    ["hang", "a loop without end"],
    ["match", "a regular expression that never ends"],
  ])("is ended and begun again: %s, %s", async (what) => {
    const { url, make } = await served({ program: MORTAL, hangsAfterMs: SOON_MS });
    make(what);
    const asked = fetch(url).then(
      () => "answered",
      () => "cut",
    );
    await expect
      .poll(() => clock.advance(LOOK_MS).then(errors), { timeout: 60_000 })
      .toHaveLength(1);
    expect(errors()[0]).toMatch(
      /^the page is not served: its thread has ended: it hung: it answered nothing for \d+ s of the processor's time; it is begun again in 1 s, and what is owed is delivered meanwhile$/,
    );
    expect(await asked, "whoever waited for it").toBe("cut");
    await clock.advance(1_000);
    await expect.poll(() => serves(url), { timeout: 60_000 }).toBe(true);
    expect(said("info")).toContain(`the page is served again at ${url}`);
    expect(await html(`${url}/?lang=en`)).toMatch(/This page ended by itself at .*: it hung: /);
    // Said once, and the one after it is looked after as well, and stays.
    for (let look = 0; look < 5; look += 1) await looked();
    expect(await serves(url)).toBe(true);
    expect(errors()).toHaveLength(1);
    expect((await seriesOf(logged.metrics)).get("page_ended_total")).toBe(1);
  });

  /** One more look has come to its end. */
  async function looked(): Promise<void> {
    const { sleeping } = clock;
    await clock.advance(LOOK_MS);
    await expect.poll(() => clock.sleeping, { timeout: 30_000 }).toBe(sleeping);
  }

  it("is left alone for as long as it has no processor: stopped with all of the process, or behind others", async () => {
    const { url, make, recall } = await served({ program: MORTAL, hangsAfterMs: SOON_MS });
    make("wait");
    const asked = fetch(url);
    for (let look = 0; look < 30; look += 1) await looked();
    expect(errors()).toEqual([]);
    Atomics.notify(new Int32Array(recall.arrivals.buffer), 0);
    expect((await asked).status, "what was asked before is answered").toBe(200);
    expect(errors()).toEqual([]);
  });

  it("is left alone while it works without a rest and comes to its questions", async () => {
    const { url, make } = await served({ program: MORTAL, hangsAfterMs: SOON_MS });
    make("work");
    // Each answer takes at least one of its steps.
    for (let look = 0; look < 40; look += 1) {
      expect(await serves(`${url}/api/v1/whoami`)).toBe(true);
      await looked();
    }
    expect(errors()).toEqual([]);
  });
});
