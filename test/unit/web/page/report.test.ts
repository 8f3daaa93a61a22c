import { describe, expect, it } from "vitest";
import { MINUTE, NOON, seen, take } from "../../../support/history.ts";
import { aPageSite, type PageSite } from "../../../support/page.ts";

async function incident(): Promise<PageSite> {
  const site = await aPageSite();
  await take(
    site,
    [
      seen(1, NOON - 20 * MINUTE, { reason: "FailedMount", message: "configmap not found" }),
      seen(2, NOON - 10 * MINUTE, { reason: "BackOff", count: 7 }),
    ],
    ["ops"],
  ); // d1, d2
  site.outbox.settle("d1", { kind: "delivered", at: NOON - 19 * MINUTE, sent: "{}", answer: "ok" });
  site.outbox.settle("d2", {
    kind: "dead",
    at: NOON - 9 * MINUTE,
    counted: true,
    reason: "auth",
    detail: "310000: keywords not in content",
  });
  return site;
}

describe("GET /report", () => {
  it("tells an incident from its beginning, each event with when it was told or why not", async () => {
    const site = await incident();
    const { status, headers, text } = await site.get("/report?since=1h");
    expect(status).toBe(200);
    expect(headers.get("content-disposition")).toBe(
      'attachment; filename="kube-crier-report.html"',
    );
    expect(text).toMatch(
      /FailedMount shop\/Pod web-1 configmap not found ✓ ops: told 11:41:00.* 7 Warning BackOff shop\/Pod web-2 .* ✗ ops: failed 11:51:00 Attempts: 1, auth \(310000: keywords not in content\)/,
    );
    expect(text).toContain("Who was told ops : ✓ told 1, ✗ failed 1");
  });

  it("says of what, and when, for whoever reads it a year later", async () => {
    const site = await incident();
    const { text } = await site.get("/report?since=1h&type=Warning");
    expect(text).toContain("prod-a");
    expect(text).toMatch(/2026-11-20 11:00:00 – 2026-11-20 12:00:00 · UTC/);
    expect(text).toContain("written 2026-11-20 12:00:00");
    expect(text).toContain("type=Warning");
    const chinese = await site.get("/report?since=1h&lang=zh");
    expect(chinese.text).toContain("事故报告");
    expect(chinese.text).toContain("生成于 2026-11-20 12:00:00");
  });

  it("is one file: it loads nothing, runs nothing and leads nowhere", async () => {
    const site = await incident();
    const { body } = await site.get("/report?since=1h");
    expect(body).not.toMatch(/<(script|link|img|iframe|object|a)\b/);
    expect(body).not.toMatch(/\b(src|href)\s*=|url\(|@import/);
    expect(body).toContain("default-src 'none'; style-src 'unsafe-inline'");
  });

  it("brings its rules for paper along: a head on each page, no row cut in two", async () => {
    const site = await incident();
    const { body } = await site.get("/report?since=1h");
    const print = body.slice(body.indexOf("@media print"));
    expect(body).toMatch(/@page\s*{\s*size: A4/);
    expect(print).toContain("table-header-group");
    expect(print).toContain("break-inside: avoid");
    // The layout of a phone would be that of a sheet of paper.
    expect(body).not.toMatch(/@media \(max-width/);
  });

  it("says that there is more than it holds", async () => {
    const site = await aPageSite();
    await take(
      site,
      Array.from({ length: 1_001 }, (_, n) => seen(n, NOON - n * 1_000)),
    );
    const { text } = await site.get("/report?since=2h");
    // At most 1,000; fewer where a busy machine did not get to them in the time that a page has.
    const [, said = ""] =
      /The newest ([\d,]+) events; there are more: narrow the time\./.exec(text) ?? [];
    expect(text.split("Back-off restarting").length - 1).toBe(Number(said.replace(",", "")));
    expect(Number(said.replace(",", ""))).toBeLessThanOrEqual(1_000);
  });
});
