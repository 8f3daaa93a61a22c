import { describe, expect, test } from "vitest";
import { systemClock } from "../../../../src/clock.ts";
import { BusyError } from "../../../../src/history/history.ts";
import { type Answering, readerOf } from "../../../../src/history/question.ts";
import { Queue } from "../../../../src/history/queue.ts";
import { gatedAnswering } from "../../../support/gated.ts";
import { aPageSite } from "../../../support/page.ts";

const NOTHING_FOUND = { rows: [], next: null, refine: null };

/** A site over a store that answers nothing until it is told to. */
async function aSlowSite() {
  const { answering, served, answer } = gatedAnswering();
  const queue = new Queue(answering, systemClock);
  const site = await aPageSite({ reader: readerOf(queue) });
  return { queue, site, served, answer };
}

describe("a store with much to do", () => {
  test("never hears of a request whose client went away while it waited", async () => {
    const { queue, site, served, answer } = await aSlowSite();
    const first = site.get("/api/v1/events");
    await expect.poll(() => served.length).toBe(1);
    const gone = new AbortController();
    const left = fetch(`${site.url}/api/v1/events`, { signal: gone.signal }).catch(() => "left");
    await expect.poll(() => queue.waiting).toBe(1);
    gone.abort();
    expect(await left).toBe("left");
    await expect.poll(() => queue.waiting).toBe(0);
    answer(NOTHING_FOUND);
    expect((await first).status).toBe(200);
    expect(served).toHaveLength(1);
  });

  test("hears who asks, so that it can be fair", async () => {
    const { site, served, answer } = await aSlowSite();
    const asked = site.get("/api/v1/events");
    await expect.poll(() => served.length).toBe(1);
    answer(NOTHING_FOUND);
    await asked;
    expect(served[0]?.asker).toBe("loopback local");
  });

  test.each([
    [true, 429],
    [false, 503],
  ])("turns away with when to come again (their own doing: %s)", async (own, status) => {
    const turnsAway: Answering = {
      answer: () => Promise.reject(new BusyError(512, own, 7)),
      close: () => Promise.resolve(),
    };
    const site = await aPageSite({ reader: readerOf(turnsAway) });
    for (const path of [
      "/api/v1/events",
      "/api/v1/timeline",
      "/api/v1/events/x",
      "/api/v1/sinks",
    ]) {
      const answer = await site.get(path);
      expect(answer.status, path).toBe(status);
      expect(answer.headers.get("retry-after")).toBe("7");
      expect(JSON.parse(answer.body)).toMatchObject({
        error: expect.stringContaining("ask again in 7 s"),
      });
    }
    const page = await site.get("/");
    expect(page.text).toContain("ask again in 7 s");
    expect(site.failures).toEqual([]);
  });
});

test("what is under way when the program ends is told to come again, and is no fault", async () => {
  const asked: AbortSignal[] = [];
  const behind: Answering = {
    // As the history's thread does it: what is given up is rejected with why.
    answer: (_, signal) => {
      asked.push(signal);
      return new Promise((_resolve, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true }),
      );
    },
    close: () => Promise.resolve(),
  };
  const end = new AbortController();
  const site = await aPageSite({ reader: readerOf(behind), signal: end.signal });
  const answers = ["/api/v1/events", "/api/v1/events/x", "/"].map((path) => site.get(path));
  await expect.poll(() => asked.length).toBe(3);
  end.abort();
  for (const { status, headers } of await Promise.all(answers))
    expect([status, headers.get("retry-after")]).toEqual([503, "5"]);
  expect(site.failures).toEqual([]);
});
