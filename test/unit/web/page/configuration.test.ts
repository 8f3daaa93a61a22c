import { describe, expect, it } from "vitest";
import { storedKey } from "../../../../src/ledger/key.ts";
import { sinks as registry } from "../../../../sinks/index.ts";
import { loadConfig } from "../../../../src/config/load.ts";
import * as schemas from "../../../../src/web/api/schemas.ts";
import { HOSTILE } from "../../../fixtures/hostile.ts";
import { FakeClock } from "../../../support/clock.ts";
import { accessFile, fileProver, sha256 } from "../../../support/guarded.ts";
import { MINUTE, NOON, seen, take } from "../../../support/history.ts";
import { aPageSite, type PageSite, SINKS } from "../../../support/page.ts";

const EVENT = {
  apiVersion: "v1",
  kind: "Event",
  metadata: { name: "a", namespace: "shop", uid: "u" },
  involvedObject: { kind: "Pod", name: "web-1", namespace: "shop" },
  type: "Normal",
  reason: "Scheduled",
  message: "Successfully assigned shop/web-1 to node-1",
  lastTimestamp: "2026-11-20T11:00:00Z",
};

const csrfIn = (body: string) => /name="_csrf" value="([^"]*)"/.exec(body)?.[1] ?? "";

/** As the form sends it. */
async function tryIt(site: PageSite, fields: { event?: string; id?: string }, lang = "en") {
  const { body } = await site.get("/configuration");
  return site.post(`/configuration?lang=${lang}`, {
    event: "",
    id: "",
    ...fields,
    _csrf: csrfIn(body),
  });
}

describe("the page of the configuration", () => {
  it("has each option as it counts, with where it is from, and no secret", async () => {
    const site = await aPageSite();
    const { status, text } = await site.get("/configuration");
    expect(status).toBe(200);
    expect(text).toMatch(/General Option Value Where it is from cluster prod-a --cluster-name/);
    expect(text).toMatch(/Sink ops .* type webhook --sink #1 url &lt;redacted&gt; --sink #1/);
    expect(text).toMatch(/filter\.level Warning --sink #1/);
    expect(text).toMatch(/\d+ more, as they are by default .* digestEvery 5s default/);
    expect(text).not.toContain("127.0.0.1:1/ops");
  });

  it("speaks Chinese", async () => {
    const site = await aPageSite();
    const { text } = await site.get("/configuration?lang=zh");
    expect(text).toMatch(/通用 选项 值 来源 cluster prod-a --cluster-name/);
    expect(text).toMatch(/试一个事件/);
  });

  it("explains an event that is pasted, and sends nothing", async () => {
    const site = await aPageSite();
    const { status, text } = await tryIt(site, { event: JSON.stringify(EVENT) });
    expect(status).toBe(200);
    expect(text).toMatch(/Scheduled Normal · shop\/Pod web-1 Successfully assigned/);
    expect(text).toMatch(/Filter of all sinks ✓ passes no filter/);
    expect(text).toMatch(/ops webhook ✗ would not be told level Normal ✗/);
    expect(text).toMatch(/audit stdout ✓ would be told no filter/);
    expect(text).toMatch(/team webhook ✗ would not be told .*namespaces shop ✗/);
    expect((await site.get("/api/v1/events?kept=all")).body).toContain('"events":[]');
  });

  it("explains a stored one by its id, by its address and by the form alike", async () => {
    const site = await aPageSite();
    const event = seen(1, NOON - MINUTE);
    await take(site, [event]);
    const id = storedKey(event);
    const path = `/events/${encodeURIComponent(id)}`;
    const byAddress = await site.get(`/configuration?id=${encodeURIComponent(id)}`);
    const byForm = await tryIt(site, { id: ` ${id} ` });
    for (const { status, text, body } of [byAddress, byForm]) {
      expect(status).toBe(200);
      expect(text).toMatch(/ops webhook ✓ would be told level Warning ✓/);
      expect(body).toContain(`href="${path}"`);
    }
  });

  it("says of a canary where it goes, and asks no filter", async () => {
    const site = await aPageSite();
    const canary = { ...EVENT, reason: "KubeCrierCanary", reportingComponent: "kube-crier" };
    const { text, body } = await tryIt(site, { event: JSON.stringify(canary) });
    expect(text).toContain("A canary: it goes to where its own kube-crier follows it to");
    expect(text).not.toMatch(
      /would (not )?be told (level|no filter|namespaces)|Nobody would be told/,
    );
    expect(body).not.toContain('<ol class="trace">');
    // Of another reporter it is an event like any other.
    const other = { ...canary, reportingComponent: "kubelet" };
    expect((await tryIt(site, { event: JSON.stringify(other) })).text).not.toContain("A canary");
  });

  it("says which filter drops what nobody is told, and what each sink would have done", async () => {
    const flags = { sink: SINKS, clusterName: "prod-a", excludeNamespaces: ["shop"] };
    const { config } = loadConfig({ flags, registry, env: {} });
    const site = await aPageSite({ config });
    const { text } = await tryIt(site, { event: JSON.stringify(EVENT) });
    expect(text).toMatch(/Filter of all sinks ✗ dropped for every sink exclude\.namespaces shop ✗/);
    expect(text).toMatch(/audit stdout ✗ would not be told the filter of all sinks drops it/);
    // Its own filter would have kept it from this one as well.
    expect(text).toMatch(/ops webhook ✗ would not be told (?!the filter of all)/);
    expect(text).toContain("Nobody would be told.");
    const chinese = await tryIt(site, { event: JSON.stringify(EVENT) }, "zh");
    expect(chinese.text).toContain("被全局过滤器排除");
    expect(chinese.text).toContain("不会通知任何渠道。");
  });

  it("names an object of no namespace by its kind alone", async () => {
    const site = await aPageSite();
    const node = { ...EVENT, involvedObject: { kind: "Node", name: "node-1" } };
    const { text } = await tryIt(site, { event: JSON.stringify(node) });
    expect(text).toContain("Normal · Node node-1");
  });

  it("says at the field what cannot be read, and keeps what was written", async () => {
    const site = await aPageSite();
    const wrong = await tryIt(site, { event: '{"kind":"Pod"}' });
    expect(wrong.status).toBe(400);
    expect(wrong.body).toMatch(/<textarea name="event"[^>]*aria-invalid="true"/);
    expect(wrong.body).toContain("{&quot;kind&quot;:&quot;Pod&quot;}</textarea>");
    expect(wrong.text).toContain("expected an Event as `kubectl get event NAME -o json` prints it");
    const none = await tryIt(site, { id: "none@1" });
    expect(none.status).toBe(400);
    expect(none.body).toMatch(/name="id"[^>]*aria-invalid="true"/s);
    expect(none.body).toContain('value="none@1"');
    // Nothing was asked: nothing is wrong.
    expect((await tryIt(site, {})).status).toBe(200);
  });

  it("lets no event write into it", async () => {
    const site = await aPageSite();
    const tagsWith = async (text: string) => {
      const event = { ...EVENT, message: text, reason: text.slice(0, 100) || "x" };
      const { status, body } = await tryIt(site, { event: JSON.stringify(event) });
      expect(status).toBe(200);
      return body.match(/<[a-z/!][^>]*>/gi)?.map((tag) => tag.replace(/value="[^"]*"/, ""));
    };
    const harmless = await tagsWith("Scheduled");
    for (const { name, text } of HOSTILE) expect(await tagsWith(text), name).toEqual(harmless);
  });

  it("takes no form of another page", async () => {
    const site = await aPageSite();
    expect((await site.post("/configuration", { event: JSON.stringify(EVENT) })).status).toBe(403);
  });
});

describe("who may see how it is set up", () => {
  const ACCESS = `
tokens:
  - { name: shopkeeper, sha256: ${sha256("of-shop")}, namespaces: [shop], may: [read] }
  - { name: operator, sha256: ${sha256("of-ops")}, namespaces: [shop], may: [read, change] }
  - { name: auditor, sha256: ${sha256("of-all")}, namespaces: ["*"], may: [read] }
`;
  const as = (token: string) => ({
    accept: "text/html, application/json",
    authorization: `Bearer ${token}`,
  });

  it.each(["/configuration", "/api/v1/config", "/templates"])(
    "%s is for who reads everywhere, or runs it; others are told what is missing",
    async (path) => {
      const file = fileProver(accessFile(ACCESS), new FakeClock());
      const site = await aPageSite({}, { tokens: [file], proxy: null, open: false });
      const refused = await site.get(path, as("of-shop"));
      expect(refused.status).toBe(403);
      expect(refused.body).toContain("shopkeeper may not read in all namespaces");
      expect(refused.body).not.toContain("--sink #1");
      for (const token of ["of-all", "of-ops"])
        expect((await site.get(path, as(token))).status).toBe(200);
      expect((await site.get(path, { accept: "application/json" })).status).toBe(401);
    },
  );

  it("a stored event is explained to who may see its namespace", async () => {
    const file = fileProver(accessFile(ACCESS), new FakeClock());
    const site = await aPageSite({}, { tokens: [file], proxy: null, open: false });
    const event = seen(1, NOON, { eventNamespace: "pay", object: { namespace: "pay" } });
    await take(site, [event]);
    const path = `/configuration?id=${encodeURIComponent(storedKey(event))}`;
    const hidden = await site.get(path, as("of-ops"));
    expect(hidden.status).toBe(400);
    expect(hidden.text).not.toContain("BackOff");
    expect((await site.get(path, as("of-all"))).text).toContain("BackOff");
  });
});

describe("GET /api/v1/config", () => {
  it("answers what the page shows", async () => {
    const site = await aPageSite();
    const { body } = await site.get("/api/v1/config", { accept: "application/json" });
    const { cluster, options } = schemas.configuration.parse(JSON.parse(body));
    expect(cluster).toBe("prod-a");
    expect(options).toContainEqual(
      expect.objectContaining({
        section: "sinks.team",
        name: "filter.namespaces",
        value: "pay",
        where: "--sink #3",
        referred: false,
      }),
    );
  });
});
