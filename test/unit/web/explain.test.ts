import { describe, expect, it } from "vitest";
import type { KubeEvent } from "../../../src/event/event.ts";
import { storedKey } from "../../../src/ledger/key.ts";
import * as schemas from "../../../src/web/api/schemas.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { sinks as registry } from "../../../sinks/index.ts";
import { FakeClock } from "../../support/clock.ts";
import { anApiSite } from "../../support/api.ts";
import { accessFile, fileProver, sha256 } from "../../support/guarded.ts";
import { MINUTE, NOON, seen, take } from "../../support/history.ts";
import { aPageSite, type PageSite } from "../../support/page.ts";

const ACCESS = `
tokens:
  - { name: shopkeeper, sha256: ${sha256("of-shop")}, namespaces: [shop], may: [read] }
  - { name: operator, sha256: ${sha256("of-ops")}, namespaces: [shop], may: [read, change] }
  - { name: nodes, sha256: ${sha256("of-nodes")}, namespaces: [default], may: [read] }
  - { name: auditor, sha256: ${sha256("of-all")}, namespaces: ["*"], may: [read] }
`;

const as = (token: string) => ({ accept: "application/json", authorization: `Bearer ${token}` });

function guarded(): Promise<PageSite> {
  const file = fileProver(accessFile(ACCESS), new FakeClock());
  return aPageSite({}, { tokens: [file], proxy: null, open: false });
}

const SHOP = seen(1, NOON - MINUTE);
const PAY = seen(2, NOON - MINUTE, { eventNamespace: "pay", object: { namespace: "pay" } });

/** d1, d2: of the one in shop; d3: of the one in pay; d4: a digest of both namespaces. */
async function filled(site: PageSite): Promise<void> {
  await take(site, [SHOP], ["ops", "gone"]);
  await take(site, [PAY, seen(3, NOON - 2 * MINUTE)], ["ops"]);
  const line = { count: 1, severity: "warning", reason: "BackOff", kind: "Pod" } as const;
  const lines = ["shop", "pay"].map((namespace) => ({
    ...line,
    namespace,
    workload: "web",
    objects: 1,
  }));
  const times = { from: SHOP.lastSeen, to: SHOP.lastSeen };
  const digest = { kind: "digest", cluster: "prod-a", total: 2, moreKinds: 0, lines } as const;
  site.outbox.fold("ops", ["d3", "d4"], { ...digest, ...times }, NOON); // d5
  site.outbox.written();
}

const pathOf = (event: KubeEvent) => `/api/v1/explain/${encodeURIComponent(storedKey(event))}`;
const decisionIn = ({ body }: { body: string }) => schemas.decision.parse(JSON.parse(body));

describe("GET /api/v1/explain/ID", () => {
  it("answers what is decided now, what happened then, and where that is not the same", async () => {
    const site = await anApiSite();
    await filled(site);
    site.outbox.settle("d1", {
      kind: "retry",
      at: NOON,
      notBefore: NOON + MINUTE,
      reason: "throttled",
      detail: "429",
      counted: true,
    });
    site.outbox.written();
    const decision = decisionIn(await site.get(pathOf(SHOP)));
    expect(decision).toMatchObject({
      kind: "event",
      id: storedKey(SHOP),
      explanation: {
        passed: true,
        sinks: [
          { sink: "ops", owed: true, allowance: { rates: [], excess: "digest" } },
          { sink: "audit", owed: true },
          { sink: "team", owed: false, tests: [{ list: "namespaces", wanted: ["pay"] }] },
        ],
      },
      deliveries: [
        { id: "d1", sink: "ops", attempts: 1, tries: [{ reason: "throttled", detail: "429" }] },
        { id: "d2", sink: "gone", tries: [] },
      ],
      differences: [
        { sink: "audit", what: "owedNow" },
        { sink: "gone", what: "gone" },
      ],
    });
  });

  it("takes the id of a delivery as well: of its event, or of what it tells of", async () => {
    const site = await anApiSite();
    await filled(site);
    expect(decisionIn(await site.get("/api/v1/explain/d2")).id).toBe(storedKey(SHOP));
    const digest = decisionIn(await site.get("/api/v1/explain/d5"));
    expect(digest).toMatchObject({ kind: "digest", id: null, explanation: null });
    expect(digest.folded.map(({ id }) => id)).toContain(storedKey(PAY));
    expect(digest.deliveries.map(({ id }) => id)).toEqual(["d5"]);
  });

  it("tells who may not see the namespace the very same as of what there is not", async () => {
    const site = await guarded();
    await filled(site);
    const none = await site.get("/api/v1/explain/none", as("of-shop"));
    expect(none.status).toBe(404);
    for (const path of [pathOf(PAY), "/api/v1/explain/d3", "/api/v1/explain/d5"]) {
      const hidden = await site.get(path, as("of-shop"));
      expect([hidden.status, hidden.body]).toEqual([404, none.body]);
      expect((await site.get(path, as("of-all"))).status).toBe(200);
    }
    expect((await site.get(pathOf(SHOP))).status).toBe(401);
  });

  it("names namespaces in filters to nobody who may not see everything, but why it was", async () => {
    const site = await guarded();
    await filled(site);
    const testsFor = async (token: string) => {
      const { explanation } = decisionIn(await site.get(pathOf(SHOP), as(token)));
      return explanation?.sinks.find(({ sink }) => sink === "team")?.tests;
    };
    const test = { list: "namespaces", found: "shop", matched: null, passed: false };
    expect(await testsFor("of-shop")).toEqual([{ ...test, wanted: [] }]);
    for (const token of ["of-all", "of-ops"])
      expect(await testsFor(token)).toEqual([{ ...test, wanted: ["pay"] }]);
  });
});

describe("POST /api/v1/explain", () => {
  const EVENT = {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: "a", namespace: "pay", uid: "u" },
    involvedObject: { kind: "Pod", name: "p", namespace: "pay" },
    type: "Warning",
    reason: "BackOff",
    message: "ok",
    lastTimestamp: "2026-11-20T11:00:00Z",
  };
  const post = async (site: PageSite, token: string, body: unknown) => {
    const response = await fetch(`${site.url}/api/v1/explain`, {
      method: "POST",
      headers: { ...as(token), "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: await response.text() };
  };

  it("is answered for namespaces that one may see, and names what is missing for others", async () => {
    const site = await guarded();
    const refused = await post(site, "of-shop", EVENT);
    expect(refused.status).toBe(403);
    expect(refused.body).toContain("shopkeeper may not read in namespace pay");
    const metadata = { ...EVENT.metadata, namespace: "shop" };
    const object = { ...EVENT.involvedObject, namespace: "shop" };
    const own = await post(site, "of-shop", { ...EVENT, metadata, involvedObject: object });
    expect(own.status).toBe(200);
    expect(schemas.explanation.parse(JSON.parse(own.body)).sinks[2]?.tests[0]?.wanted).toEqual([]);
    expect((await post(site, "of-all", EVENT)).status).toBe(200);
  });

  it("says what is no event", async () => {
    const site = await guarded();
    const { status, body } = await post(site, "of-all", { kind: "Pod" });
    expect(status).toBe(400);
    const { fields } = schemas.problem.parse(JSON.parse(body));
    expect(fields?.map(({ field }) => field)).toEqual(["apiVersion", "kind"]);
    expect(fields?.[1]).toMatchObject({
      found: "Pod",
      expected: "Event: an object as `kubectl get event NAME -o json` prints it",
    });
  });
});

describe("the page of a decision", () => {
  const pageOf = (event: KubeEvent) => `/events/${encodeURIComponent(storedKey(event))}`;

  it("says that the configuration was another one then, in both languages", async () => {
    const site = await aPageSite();
    await filled(site);
    const english = await site.get(pageOf(SHOP));
    expect(english.text).toMatch(
      /The configuration was another one then: audit was not owed it then; .* gone was owed it then; it is no sink/,
    );
    const chinese = await site.get(`${pageOf(SHOP)}?lang=zh`);
    expect(chinese.text).toMatch(/当时的配置与现在不同： audit 当时未通知；按当前配置则会通知/);
  });

  it("says how much a sink may be told, and what becomes of more", async () => {
    const { config } = aConfig(
      "dingtalk:https://oapi.dingtalk.com/robot/send?access_token=t&name=ding",
    );
    const site = await aPageSite({ config });
    await take(site, [SHOP], ["ding"]);
    const { text } = await site.get(pageOf(SHOP));
    expect(text).toContain("at most 20 in 1 min; what is more is told in a digest");
    expect((await site.get(`${pageOf(SHOP)}?lang=zh`)).text).toContain(
      "限额：每 1 分 20 条；超出的合并为汇总通知",
    );
  });

  it("says of a series which occurrence it is", async () => {
    const site = await aPageSite();
    const event = seen(1, NOON - MINUTE, { count: 5, firstSeen: "2026-11-20T11:40:00Z" });
    await take(site, [event]);
    expect((await site.get(pageOf(event))).text).toContain(
      "its occurrence number 5, first seen 11:40:00",
    );
  });

  it("leads to the configuration, for who may see that", async () => {
    const site = await guarded();
    await filled(site);
    const path = `/configuration?${new URLSearchParams({ id: storedKey(SHOP) }).toString()}`;
    const linkFor = async (token: string) => {
      const { body } = await site.get(pageOf(SHOP), { ...as(token), accept: "text/html" });
      return body.includes(`href="${path}"`);
    };
    expect([await linkFor("of-all"), await linkFor("of-ops")]).toEqual([true, true]);
    expect(await linkFor("of-shop")).toBe(false);
  });

  it("of a digest shows how it fared, and leads to each event it tells of", async () => {
    const site = await aPageSite();
    await filled(site);
    const { status, text, body } = await site.get("/deliveries/d5");
    expect(status).toBe(200);
    expect(text).toMatch(
      /Digest of 2 ops .* ops … pending What it tells of 11:58:00 1 BackOff .* 11:59:00 1 BackOff/,
    );
    expect(body).toContain(`href="${pageOf(PAY)}"`);
    // The trace of what was folded leads here.
    expect((await site.get(pageOf(PAY))).body).toContain('href="/deliveries/d5"');
  });

  it("of a single event's delivery is that of the event", async () => {
    const site = await aPageSite();
    await filled(site);
    const { status, headers } = await site.get("/deliveries/d1");
    expect([status, headers.get("location")]).toEqual([303, `${pageOf(SHOP)}#delivery-d1`]);
    expect((await site.get("/deliveries/none")).status).toBe(404);
  });

  it("of a digest of several namespaces is for who may see them all", async () => {
    const site = await guarded();
    await filled(site);
    const none = await site.get("/deliveries/none", as("of-shop"));
    const hidden = await site.get("/deliveries/d5", as("of-shop"));
    expect([hidden.status, hidden.body]).toEqual([404, none.body]);
    expect((await site.get("/deliveries/d5", as("of-all"))).status).toBe(200);
  });

  it("of a digest about nodes is for who may see where their Events are stored", async () => {
    const site = await guarded();
    const object = { kind: "Node", namespace: null, name: "node-3" };
    const homes = ["default", "kube-system"];
    for (const [n, eventNamespace] of homes.entries())
      await take(site, [seen(n, NOON - MINUTE, { object, eventNamespace })]); // d1, d2
    const line = { count: 1, severity: "warning", reason: "BackOff", kind: "Node" } as const;
    const lines = [{ ...line, namespace: null, workload: "node-3", objects: 1 }];
    const times = { from: SHOP.lastSeen, to: SHOP.lastSeen };
    const digest = { kind: "digest", cluster: "prod-a", total: 1, moreKinds: 0, lines } as const;
    for (const id of ["d1", "d2"]) site.outbox.fold("ops", [id], { ...digest, ...times }, NOON); // d3, d4
    site.outbox.written();
    const statusOf = async (path: string, token: string) =>
      (await site.get(path, as(token))).status;
    for (const path of ["/deliveries/d3", "/api/v1/explain/d3"])
      expect([path, await statusOf(path, "of-nodes")]).toEqual([path, 200]);
    for (const path of ["/deliveries/d4", "/api/v1/explain/d4"]) {
      expect([path, await statusOf(path, "of-nodes")]).toEqual([path, 404]);
      expect([path, await statusOf(path, "of-all")]).toEqual([path, 200]);
    }
  });
});

function aConfig(...sink: string[]) {
  return loadConfig({ flags: { sink, clusterName: "prod-a", timezone: "UTC" }, registry, env: {} });
}
