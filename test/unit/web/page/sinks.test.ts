import { describe, expect, it } from "vitest";
import { UnreadableError } from "../../../../src/history/history.ts";
import type { DeliveryRow } from "../../../../src/ledger/ledger.ts";
import type { SinkStatus } from "../../../../src/web/page/sinks-page.ts";
import { MINUTE, NOON, seen, take } from "../../../support/history.ts";
import { never } from "../../../support/ledger.ts";
import { aPageSite } from "../../../support/page.ts";

const OPS: SinkStatus = {
  name: "ops",
  type: "dingtalk",
  state: "paused",
  until: NOON + 30_000,
  inFlight: 1,
  budget: { left: 3, count: 20, perMs: MINUTE },
  latency: { p50: 12, p99: 140 },
  lastError: { at: NOON - 1_000, reason: "throttled", detail: "errcode 130101: send too fast" },
};

async function withDead() {
  let dead: DeliveryRow | null = null;
  const site = await aPageSite({
    sinks: () => [OPS],
    delivery: async (id) => (dead?.id === id ? dead : null),
  });
  await take(site, [seen(1, NOON - MINUTE), seen(2, NOON - MINUTE)]);
  const [first] = site.outbox.due("ops", site.clock.now(), 1, new Set());
  site.outbox.settle(first?.id ?? "", {
    kind: "dead",
    at: NOON,
    reason: "rejected",
    detail: "400 Bad Request",
    counted: true,
  });
  // Whoever counts sees what was settled.
  site.outbox.pending("ops", site.clock.now());
  dead = site.history.deliveries({ state: "dead" })[0] ?? null;
  return { site, id: first?.id ?? "" };
}

describe("the page of sinks", () => {
  it("tells of each its state, queue, budget, latency and last error", async () => {
    const { site } = await withDead();
    const { text } = await site.get("/sinks");
    expect(text).toContain("paused by the platform until 12:00:30");
    expect(text).toMatch(
      /ops dingtalk ‖.* 1 \(1 under way\) 12:00:00 1 3 \/ 20 · 1 min 12 \/ 140 ms/,
    );
    expect(text).toContain("throttled errcode 130101: send too fast");
  });

  it("leads from how much is owed to what is owed, since whenever", async () => {
    const { site } = await withDead();
    await site.clock.advance(30 * 24 * 60 * MINUTE);
    const { body } = await site.get("/sinks");
    const [, href = ""] = /<a href="([^"]*state=pending[^"]*)"/.exec(body) ?? [];
    const { text } = await site.get(href.replaceAll("&amp;", "&"));
    expect(text).toContain("BackOff");
    expect(text).toContain("web-2");
    expect(text).not.toContain("web-1");
  });

  it("lists what was given up, and owes it again or discards it", async () => {
    const { site, id } = await withDead();
    const { text, body } = await site.get("/sinks");
    expect(text).toMatch(
      /Given up When Sink Event Why What to do 12:00:00 ops BackOff Pod web-1 rejected 400 Bad Request Retry Discard/,
    );
    const csrf = /name="_csrf" value="([^"]*)"/.exec(body)?.[1] ?? "";
    for (const act of ["retry", "discard"]) {
      const { status, headers } = await site.post(`/deliveries/${id}`, { act, _csrf: csrf });
      expect([status, headers.get("location")]).toEqual([303, "/sinks#dead"]);
    }
    expect(site.settled).toEqual([`retry ${id}`, `discard ${id}`]);
    expect(site.audit).toMatchObject([
      { action: "retry", target: id, outcome: "done" },
      { action: "discard", target: id, outcome: "done" },
    ]);
  });

  it("does nothing for another page's form, nor for what there is not", async () => {
    const { site, id } = await withDead();
    expect((await site.post(`/deliveries/${id}`, { act: "retry" })).status).toBe(403);
    const { body } = await site.get("/sinks");
    const csrf = /name="_csrf" value="([^"]*)"/.exec(body)?.[1] ?? "";
    expect((await site.post("/deliveries/none", { act: "retry", _csrf: csrf })).status).toBe(404);
    expect((await site.post(`/deliveries/${id}`, { act: "burn", _csrf: csrf })).status).toBe(400);
    expect(site.settled).toEqual([]);
  });

  it.each([
    [100, false],
    [101, true],
  ])("of %i that were given up lists a hundred, and says where the rest is", async (many, more) => {
    const site = await aPageSite();
    const all = Array.from({ length: many }, (_, n) => seen(n + 1, NOON - MINUTE));
    await take(site, all);
    for (const { id } of site.outbox.due("ops", NOON, many, new Set()))
      site.outbox.settle(id, {
        kind: "dead",
        at: NOON,
        reason: "rejected",
        detail: "",
        counted: true,
      });
    site.outbox.pending("ops", NOON);
    const { body, text } = await site.get("/sinks");
    expect(body.match(/<tr id="dead-/g)).toHaveLength(100);
    expect(text.includes("The newest 100; there are more: kube-crier dead list")).toBe(more);
    expect((await site.get("/sinks?lang=zh")).text.includes("仅显示最新的 100 条")).toBe(more);
  });

  it("leads from a digest and from a notice of a gap to what they tell, in the reader's words", async () => {
    const site = await aPageSite();
    await take(site, [seen(1, NOON - MINUTE), seen(2, NOON - MINUTE)]);
    const line = { count: 2, severity: "warning", reason: "BackOff", kind: "Pod" } as const;
    const lines = [{ ...line, namespace: "shop", workload: "web", objects: 2 }];
    const [from, to] = ["2026-11-20T11:40:00Z", "2026-11-20T11:59:00Z"];
    const digest = { kind: "digest", cluster: "prod-a", total: 2, moreKinds: 0, lines } as const;
    site.outbox.fold("ops", ["d1", "d2"], { ...digest, from, to }, NOON); // d3
    const gap = {
      kind: "gap",
      cluster: "prod-a",
      since: from,
      until: to,
      cause: "expired",
    } as const;
    await site.outbox.add([{ event: null, alert: gap, sinks: ["ops"] }], [], never); // d4
    for (const { id } of site.outbox.due("ops", NOON, 9, new Set()))
      site.outbox.settle(id, {
        kind: "dead",
        at: NOON,
        reason: "auth",
        detail: "no",
        counted: true,
      });
    site.outbox.pending("ops", NOON);
    const { text, body } = await site.get("/sinks");
    expect(text).toMatch(/ops Digest of 2 11:40:00 – 11:59:00 auth no/);
    expect(text).toMatch(/ops Notice of a gap 11:40:00 – 11:59:00 auth no/);
    for (const id of ["d3", "d4"]) {
      expect(body).toContain(`<a href="/deliveries/${id}">`);
      expect((await site.get(`/deliveries/${id}`)).status).toBe(200);
    }
    const chinese = await site.get("/sinks?lang=zh");
    expect(chinese.text).toMatch(/2 条事件的汇总 11:40:00/);
    expect(chinese.text).toMatch(/观测中断的通知 11:40:00/);
    expect(chinese.text).not.toMatch(/digest|gap/i);
  });

  it("does not say that nothing was given up where nobody can know", async () => {
    const site = await aPageSite({ sinks: () => [OPS] });
    expect((await site.get("/sinks")).text).toContain("Nothing was given up.");
    const { reader } = site;
    const broken = () => Promise.reject(new UnreadableError("the disk is gone"));
    const away = await aPageSite({
      sinks: () => [OPS],
      reader: { ...reader, deliveries: broken, sinks: broken },
    });
    const { status, text } = await away.get("/sinks");
    expect(status).toBe(200);
    expect(text).toContain("the disk is gone");
    expect(text).not.toContain("Nothing was given up");
  });
});
