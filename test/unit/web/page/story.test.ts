import { describe, expect, it } from "vitest";
import { storedKey } from "../../../../src/ledger/key.ts";
import { anEvent } from "../../../support/events.ts";
import { MINUTE, NOON, seen, take } from "../../../support/history.ts";
import { never } from "../../../support/ledger.ts";
import { anIncident } from "../../../support/incident.ts";
import { aPageSite } from "../../../support/page.ts";
import { drawSent } from "../../../../src/simulate/preview.ts";

const ID = storedKey(seen(1, NOON - MINUTE));
const PATH = `/events/${encodeURIComponent(ID)}`;

describe("the page of an event", () => {
  it("is there, and led to, where a file's uid and names hold half a character", async () => {
    const site = await aPageSite();
    const half = "a\ud800b";
    const event = anEvent({
      uid: half,
      reason: half,
      message: half,
      object: { name: half, kind: half, namespace: "shop" },
      lastSeen: new Date(NOON - MINUTE).toISOString(),
    });
    await take(site, [event]);
    const { status, body, text } = await site.get("/?since=1h");
    expect(status).toBe(200);
    expect(text).toContain("a\ufffdb");
    const path = /href="(\/events\/[^"]+)"/.exec(body)?.[1] ?? "";
    const story = await site.get(path);
    expect(story.status).toBe(200);
    expect(story.text).toContain("a\ufffdb");
    expect(`/events/${encodeURIComponent(storedKey(event))}`).toBe(path);
    expect(site.failures).toEqual([]);
  });

  it("has every field, the YAML, and the story of its delivery", async () => {
    const site = await aPageSite();
    await take(site, [seen(1, NOON - MINUTE)], ["ops", "audit"]);
    const [ops] = site.outbox.due("ops", site.clock.now(), 1, new Set());
    const [audit] = site.outbox.due("audit", site.clock.now(), 1, new Set());
    site.outbox.settle(ops?.id ?? "", {
      kind: "retry",
      at: NOON,
      notBefore: NOON + 30_000,
      reason: "throttled",
      detail: "errcode 130101: send too fast",
      counted: true,
    });
    site.outbox.settle(audit?.id ?? "", {
      kind: "delivered",
      at: NOON,
      sent: '{"text":"Back-off"}',
      answer: '{"errcode":0}',
    });
    site.outbox.written();
    const { status, text, body } = await site.get(PATH);
    expect(status).toBe(200);
    expect(text).toMatch(/BackOff Warning Back-off restarting failed container/);
    expect(text).toMatch(/fieldPath spec\.containers\{web\}.*component kubelet.*uid 00000000/);
    expect(body).toMatch(/<pre class="yaml">[^<]*key: 0{8}/);
    expect(text).toMatch(
      /ops … pending throttled next try 12:00:30 .*12:00:00\.000 attempt 1 throttled errcode 130101: send too fast/,
    );
    expect(text).toMatch(
      /audit ✓ told.*attempt 1 accepted.*answer: {&quot;errcode&quot;:0}.*Back-off/,
    );
  });

  it("numbers attempts as they were made, those too that a platform's rate limit ended", async () => {
    const site = await aPageSite();
    await take(site, [seen(1, NOON - MINUTE)], ["ops"]);
    const [ops] = site.outbox.due("ops", site.clock.now(), 1, new Set());
    for (const second of [1, 2, 3])
      site.outbox.settle(ops?.id ?? "", {
        kind: "retry",
        at: NOON + second * 1_000,
        notBefore: NOON,
        reason: "throttled",
        detail: "too fast",
        counted: false,
      });
    site.outbox.settle(ops?.id ?? "", {
      kind: "delivered",
      at: NOON + 4_000,
      sent: "{}",
      answer: "ok",
    });
    site.outbox.written();
    const { text } = await site.get(PATH);
    expect(text).toMatch(
      /attempt 1 throttled.*attempt 2 throttled.*attempt 3 throttled.*12:00:04\.000 attempt 4 accepted/,
    );
    expect(text).not.toMatch(/attempt (-|0|5)/);
  });

  it("says of sinks that were not told which filter kept it from them", async () => {
    const site = await aPageSite();
    await take(site, [seen(1, NOON - MINUTE)], ["ops"]);
    const { text } = await site.get(PATH);
    expect(text).toMatch(/team · not routed namespaces shop ✗/);
    expect(text).toMatch(/ops … pending level Warning ✓/);
  });

  it("says why an event was kept for history alone", async () => {
    const site = await aPageSite();
    const event = seen(1, NOON - MINUTE);
    const alert = { kind: "event", event } as const;
    await site.outbox.add([{ event, alert, sinks: [], suppressed: "tooOld" }], [], never);
    expect((await site.get(PATH)).text).toContain("too old to be told singly");
  });

  it("lists its other occurrences, and what else happened to its object", async () => {
    const site = await aPageSite();
    const at = (minutes: number) => new Date(NOON - minutes * MINUTE).toISOString();
    await take(site, [
      anEvent({ count: 1, lastSeen: at(3) }),
      anEvent({ count: 2, lastSeen: at(2) }),
      anEvent({ uid: "other", count: 1, reason: "Killing", message: "Stopping", lastSeen: at(1) }),
    ]);
    const id = encodeURIComponent(storedKey(anEvent({ count: 2 })));
    const { text } = await site.get(`/events/${id}`);
    expect(text).toMatch(/Its occurrences 11:57:00 1 BackOff/);
    expect(text).toMatch(/This object around then 11:59:00 1 Killing Stopping/);
  });

  it("does not exist where it does not", async () => {
    const { status, text } = await (await aPageSite()).get("/events/none%401");
    expect(status).toBe(404);
    expect(text).toContain("there is nothing of this id");
  });
});

describe("the page of an object", () => {
  it("draws its whole story on one axis, a lane for each reason, and every event below", async () => {
    const site = await aPageSite();
    const object = { name: "web-7" };
    await take(site, [
      seen(1, NOON - 9 * MINUTE, { reason: "Pulling", type: "Normal", object }),
      seen(2, NOON - 8 * MINUTE, { reason: "Failed", object }),
      seen(3, NOON - 2 * MINUTE, { reason: "BackOff", object, count: 5 }),
      seen(4, NOON - 2 * MINUTE, { reason: "Elsewhere", object: { name: "web-8" } }),
    ]);
    const { body, text } = await site.get("/objects?ns=shop&kind=Pod&name=web-7");
    const lanes = [...body.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, name]) => name);
    expect(lanes).toEqual(["Pulling", "Failed", "BackOff"]);
    expect(body.match(/<circle/g)).toHaveLength(3);
    expect(text).toContain("shop/web-7 Pod");
    expect(text).not.toContain("Elsewhere");
  });

  it("of a workload is that of what it made, too, and not of what merely begins like it", async () => {
    const site = await aPageSite();
    const of = (n: number, kind: string, name: string) =>
      seen(n, NOON - (9 - n) * MINUTE, { reason: `Reason${n}`, object: { kind, name } });
    await take(site, [
      of(1, "Deployment", "web"),
      of(2, "ReplicaSet", "web-7d4b9c6f5d"),
      of(3, "Pod", "web-7d4b9c6f5d-x2x9z"),
      of(4, "Pod", "web-frontend-7d4b9c6f5d-x2x9z"),
      of(5, "Deployment", "web-frontend"),
      of(6, "Service", "web"),
    ]);
    const { body, text } = await site.get("/objects?ns=shop&kind=Deployment&name=web");
    const lanes = [...body.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, name]) => name);
    expect(lanes).toEqual(["Reason1", "Reason2", "Reason3"]);
    expect(text).toContain("With what bears its name: ReplicaSet, Pod");
    const pod = await site.get("/objects?ns=shop&kind=Pod&name=web-7d4b9c6f5d-x2x9z&lang=zh");
    expect(pod.body).toContain('href="/objects?ns=shop&amp;kind=Deployment&amp;name=web"');
    expect(pod.text).toContain("Deployment web 的经过");
  });

  it("looks past a thousand events of a neighbour", async () => {
    const site = await aPageSite();
    const neighbour = { kind: "Pod", name: "web-frontend-7d4b9c6f5d-x2x9z" };
    await take(site, [
      seen(1, NOON - 60 * MINUTE, {
        reason: "ScalingReplicaSet",
        object: { kind: "Deployment", name: "web" },
      }),
      ...Array.from({ length: 1_100 }, (_, n) =>
        seen(n + 2, NOON - 59 * MINUTE + n * 1_000, { object: neighbour }),
      ),
    ]);
    const { text } = await site.get("/objects?ns=shop&kind=Deployment&name=web");
    expect(text).toContain("ScalingReplicaSet");
    expect(text).not.toContain("web-frontend");
  });

  it("says where there is more of it than is shown", async () => {
    const site = await aPageSite();
    const object = { name: "web-7" };
    await take(
      site,
      Array.from({ length: 501 }, (_, n) => seen(n, NOON - n * 1_000, { object })),
    );
    const { text } = await site.get("/objects?ns=shop&kind=Pod&name=web-7");
    expect(text).toContain("The newest 500 events; there are more");
  });
});

describe("the incident report", () => {
  it("is a file that loads nothing and leads nowhere, oldest first, with who was told", async () => {
    const site = await aPageSite();
    await take(site, [seen(1, NOON - 9 * MINUTE), seen(2, NOON - MINUTE, { reason: "Killing" })]);
    const { headers, body, text } = await site.get("/report?since=1h&ns=shop");
    expect(headers.get("content-disposition")).toBe(
      'attachment; filename="kube-crier-report.html"',
    );
    expect(body).not.toMatch(/\b(href|src)=|@import|url\(/);
    expect(text).toMatch(/Incident report prod-a.*since=1h.*ns=shop/);
    expect(text).toMatch(/ops : … pending 2/);
    expect(text).toMatch(/11:51:00.*BackOff.*11:59:00.*Killing/);
  });

  it("says where it holds a part only", async () => {
    const site = await aPageSite();
    await take(
      site,
      Array.from({ length: 1_001 }, (_, n) => seen(n, NOON - n * 1_000)),
    );
    const { text } = await site.get("/report?since=24h");
    expect(text).toContain("The newest 1,000 events; there are more: narrow the time.");
  });
});

describe("the message that was sent", () => {
  it("stands as each chat showed it, with the request behind it", async () => {
    const site = await anIncident();
    const { body, text } = await site.get(`/events/${encodeURIComponent(site.id)}`);
    expect(body.match(/<div class="chat">/g)).toHaveLength(2);
    expect(body).toContain('<link rel="stylesheet" href="/assets/chat.css" />');
    expect(text).toMatch(/lark-shop ✓ told.*web-7d4b9c6f5-x2x9k.*The request \{/);
  });

  it("stands as it was sent where it is no chat's, or where only its beginning is kept", async () => {
    expect(drawSent("webhook", '{"text":"hello"}', NOON)).toBeNull();
    expect(drawSent("dingtalk", '{"msgtype":"markdown","markdown":{"ti', NOON)).toBeNull();
    const whole = '{"msgtype":"text","text":{"content":"<b>hello</b>"}}';
    expect((await drawSent("dingtalk", whole, NOON))?.toString()).toContain(
      "&lt;b&gt;hello&lt;/b&gt;",
    );
  });
});
