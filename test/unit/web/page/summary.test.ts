import { describe, expect, it } from "vitest";
import { aDigestOf } from "../../../support/alerts.ts";
import { MINUTE, NOON, seen, take } from "../../../support/history.ts";
import { never } from "../../../support/ledger.ts";
import { aPageSite, type PageSite } from "../../../support/page.ts";

const [FROM, TO] = ["2026-11-20T11:40:00Z", "2026-11-20T11:59:00Z"];

/** A digest of so many that `ops` is owed in the place of those that it was owed singly. */
async function withDigest(told: number, owed = told): Promise<PageSite> {
  const site = await aPageSite();
  await take(
    site,
    Array.from({ length: owed }, (_, n) => seen(n + 1, NOON - MINUTE)),
  );
  const ids = Array.from({ length: owed }, (_, n) => `d${n + 1}`);
  site.outbox.fold("ops", ids, { ...aDigestOf(told), from: FROM, to: TO }, NOON);
  site.outbox.written();
  return site;
}

describe("the page of a digest", () => {
  it("lists each event that it tells of, and no note that there are others", async () => {
    const site = await withDigest(3);
    const { status, text, body } = await site.get("/deliveries/d4");
    expect(status).toBe(200);
    expect(text).toMatch(/Digest of 3 ops 11:40:00 – 11:59:00/);
    expect(new Set(body.match(/<a href="\/events\/[^"]*"/g)).size).toBe(3);
    expect(text).not.toContain("The newest");
  });

  it("says so where it tells of more than the ledger still has", async () => {
    const site = await withDigest(1_500, 2);
    const { text } = await site.get("/deliveries/d3");
    expect(text).toContain("Digest of 1,500 ops");
    expect(text).toContain("What it tells of");
    expect(text).toContain("The newest 2.");
    expect((await site.get("/deliveries/d3?lang=zh")).text).toMatch(
      /1,500 条事件的汇总.*仅列出最新的 2 条。/,
    );
  });

  it("of what was never owed singly says that, and lists nothing", async () => {
    const site = await aPageSite();
    const alert = { ...aDigestOf(12), from: FROM, to: TO, tooOld: true } as const;
    await site.outbox.add([{ event: null, alert, sinks: ["ops"] }], [], never);
    const { status, text, body } = await site.get("/deliveries/d1");
    expect(status).toBe(200);
    expect(text).toContain("Digest of 12 that were too old to be told singly");
    expect(text).toContain("not in the ledger any more, or was never owed singly");
    expect(body).not.toContain('href="/events/');
    expect((await site.get("/deliveries/d1?lang=zh")).text).toContain("12 条过旧事件的汇总");
  });

  it("of an event leads to the event, at the delivery", async () => {
    const site = await aPageSite();
    await take(site, [seen(1, NOON - MINUTE)]);
    const { status, headers } = await site.get("/deliveries/d1");
    expect(status).toBe(303);
    expect(headers.get("location")).toMatch(/^\/events\/[^#]+#delivery-d1$/);
    expect((await site.get("/deliveries/d9")).status).toBe(404);
  });
});

describe("the page of a gap's notice", () => {
  it("says from when to when, and lists nothing", async () => {
    const site = await aPageSite();
    const alert = { kind: "gap", cluster: "c", since: FROM, until: TO, cause: "expired" } as const;
    await site.outbox.add([{ event: null, alert, sinks: ["ops"] }], [], never);
    const { status, text } = await site.get("/deliveries/d1");
    expect(status).toBe(200);
    expect(text).toMatch(/Notice of a gap ops 11:40:00 – 11:59:00/);
    expect(text).not.toContain("What it tells of");
  });
});
