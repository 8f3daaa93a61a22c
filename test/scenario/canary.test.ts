import { describe, expect, it } from "vitest";
import { openHistory } from "../../src/ledger/open.ts";
import { isWrite, type Request } from "../support/apiserver.ts";
import type { Inbox } from "../support/inbox.ts";
import { World } from "../support/world.ts";

const SECONDS = 'canary_seconds_count{source="kubernetes"}';
const OK = 'canary_ok{source="kubernetes"}';
const MISSED = 'canary_missed_total{source="kubernetes"}';
const UNWRITTEN = 'canary_writes_failed_total{source="kubernetes"}';

/** Two webhooks that want warnings only, the canary followed to the first, the second told. */
async function story(flags: Readonly<Record<string, unknown>> = {}) {
  const world = await World.begin();
  const [ops, pager] = [await world.inbox(), await world.inbox()];
  const life = await world.watching({
    canary: "5m",
    listen: "127.0.0.1:0",
    sink: [
      `webhook:${ops.url}/?name=ops&level=Warning`,
      `webhook:${pager.url}/?name=pager&level=Warning&lang=zh`,
    ],
    ...flags,
  });
  await world.pass(0);
  const series = (name: string) => life.series(`kube_crier_${name}`);
  const readyz = async () => {
    const response = await fetch(`${await life.url()}/readyz`);
    return [response.status, (await response.text()).trim()] as const;
  };
  return { world, life, ops, pager, series, readyz };
}

/** The reasons of what an inbox was told, in order. */
const reasons = (inbox: Inbox) =>
  inbox.requests.map(({ body }) => /KubeCrierCanary(?:Missing|Back)?|BackOff/.exec(body)?.[0]);

/** Of the Event that is the canary. */
function nameOf({ api }: World): string {
  const metadata = api.written[0]?.body["metadata"] as { name: string } | undefined;
  return metadata?.name ?? "";
}

const TO_OPS = { canarySink: "ops", canaryTell: "pager" };
const status = (code: number, message = "made up") => ({
  status: code,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ kind: "Status", status: "Failure", code, message }),
});

describe("a canary to the ledger alone", () => {
  it("arrives every five minutes, one object in the cluster, and no sink sees it", async () => {
    const { world, ops, pager, series, readyz } = await story();
    expect(await series(OK)).toBe(1);
    await world.pass(600);
    expect(await series(SECONDS)).toBe(3);
    expect(await series(MISSED)).toBe(0);
    expect(await readyz()).toEqual([200, "ok"]);
    expect([ops.requests, pager.requests]).toEqual([[], []]);
    const { written } = world.api;
    expect(written.map(({ method }) => method)).toEqual(["POST", "PATCH", "PATCH"]);
    const name = nameOf(world);
    expect(written.map(({ path }) => path)).toEqual([
      "/api/v1/namespaces/default/events",
      `/api/v1/namespaces/default/events/${name}`,
      `/api/v1/namespaces/default/events/${name}`,
    ]);
    expect(written[0]?.body).toMatchObject({
      type: "Normal",
      reason: "KubeCrierCanary",
      reportingComponent: "kube-crier",
      involvedObject: { kind: "Namespace", name: "default", namespace: "default" },
      count: 1,
    });
  });

  it("is in the history as what it is, owed to nobody", async () => {
    const { world, life } = await story();
    await life.stop();
    const history = openHistory(world.dataDir, "read");
    const rows = history.events({ reason: "KubeCrierCanary" });
    history.close();
    expect(rows.map(({ event, deliveries }) => [event.reason, event.type, deliveries])).toEqual([
      ["KubeCrierCanary", "Normal", []],
    ]);
    expect(rows[0]?.event.message).toMatch(/^Nothing happened: /);
  });

  it("does so in events.k8s.io, where nothing but the series may change", async () => {
    const world = await World.begin();
    const life = await world.watching({
      canary: "1m",
      source: [`${world.source()}&api=events.k8s.io`],
      sink: [`webhook:${(await world.inbox()).url}/`],
    });
    await world.pass(180);
    expect(await life.series(`kube_crier_${SECONDS}`)).toBe(4);
    expect(world.api.written[2]).toMatchObject({
      method: "PATCH",
      path: expect.stringContaining("/apis/events.k8s.io/v1/namespaces/default/events/") as string,
      body: { series: { count: 3, lastObservedTime: "2026-11-20T08:02:00.000000Z" } },
    });
  });

  it("is made anew when the cluster has forgotten it, or somebody deleted it", async () => {
    const { world, series } = await story();
    const name = nameOf(world);
    world.api.remove(name, "default");
    await world.pass(300);
    expect(world.api.written.map(({ method }) => method)).toEqual(["POST", "PATCH", "POST"]);
    expect(await series(SECONDS)).toBe(2);
    expect(await series(MISSED)).toBe(0);
  });
});

describe("a canary to a sink", () => {
  it("is accepted past the sink's filter, by no other sink, and warnings go on", async () => {
    const { world, life, ops, pager, series } = await story(TO_OPS);
    world.api.create("web-1");
    await life.delivered(3);
    expect(reasons(ops)).toEqual(["KubeCrierCanary", "BackOff"]);
    expect(reasons(pager)).toEqual(["BackOff"]);
    expect(await series(SECONDS)).toBe(1);
  });

  it("that refuses: not ready, another sink told once in its language, and once when it is back", async () => {
    const { world, ops, pager, series, readyz } = await story(TO_OPS);
    ops.reply({ status: 503, body: "maintenance" });
    // The first was written a second ago.
    await world.pass(299 + 59);
    expect(await readyz()).toEqual([200, "ok"]);
    await world.pass(1);
    const [code, why] = await readyz();
    expect(code).toBe(503);
    expect(why).toContain(
      "the canary of kubernetes did not arrive: it is in the ledger, and ops has not accepted it",
    );
    expect(why).toContain("503");
    expect([await series(OK), await series(MISSED)]).toEqual([0, 1]);
    expect(reasons(pager)).toEqual(["KubeCrierCanaryMissing"]);
    expect(pager.requests[0]?.body).toContain("探测事件没有按时到达");
    expect(pager.requests[0]?.body).toContain("它已写入账本，但 ops 还没有接受");

    // Long after there is still one, and one message.
    await world.pass(1800);
    expect(world.api.written).toHaveLength(2);
    expect(reasons(pager)).toHaveLength(1);
    expect(await series(MISSED)).toBe(7);

    const before = ops.requests.length;
    ops.reply({ status: 200 });
    await world.pass(120);
    expect(await readyz()).toEqual([200, "ok"]);
    expect(await series(OK)).toBe(1);
    expect(ops.requests.length - before, "the late one, and one that was in time").toBe(2);
    expect(reasons(pager)).toEqual(["KubeCrierCanaryMissing", "KubeCrierCanaryBack"]);
    expect(pager.requests[1]?.body).toContain("又能按时到达了");
    await world.pass(1200);
    expect(reasons(pager)).toHaveLength(2);
  });

  it("that refuses for good: known at once, and tried again at the next interval", async () => {
    const { world, ops, pager, series, readyz } = await story({ ...TO_OPS, lang: "en" });
    ops.reply({ status: 400, body: "no such robot" });
    await world.pass(301);
    expect((await readyz())[1]).toContain("ops refused it");
    expect(await series(MISSED)).toBe(1);
    expect(reasons(pager)).toEqual(["KubeCrierCanaryMissing"]);
    ops.reply({ status: 200 });
    await world.pass(300);
    expect(await readyz()).toEqual([200, "ok"]);
    expect(reasons(pager)).toEqual(["KubeCrierCanaryMissing", "KubeCrierCanaryBack"]);
  });

  it("that hangs longer than the deadline allows is missed, and forgiven", async () => {
    const { world, ops, series } = await story({ ...TO_OPS, canaryDeadline: "20s" });
    ops.reply("hang");
    await world.pass(300 + 20);
    expect([await series(OK), await series(MISSED)]).toEqual([0, 1]);
    ops.reply({ status: 200 });
    await world.pass(120);
    expect(await series(OK)).toBe(1);
  });
});

describe("several lives, and several clusters", () => {
  it("killed while the sink is away: the next one owes the old canary, and no more than its own", async () => {
    const { world, life, ops } = await story(TO_OPS);
    ops.reply({ status: 503 });
    await world.pass(301);
    world.kill(life);
    const next = await world.watching({
      canary: "5m",
      canarySink: "ops",
      sink: [`webhook:${ops.url}/?name=ops&level=Warning`],
    });
    await world.pass(30);
    const before = ops.requests.length;
    ops.reply({ status: 200 });
    await world.pass(60);
    expect(ops.requests.length - before).toBe(2);
    expect(await next.series(`kube_crier_${OK}`)).toBe(1);
    await next.stop();
  });

  it("each source has its own, and none takes another's for its own", async () => {
    const world = await World.begin();
    const ops = await world.inbox();
    const life = world.start({
      canary: "1m",
      canarySink: "ops",
      source: [world.source(), `${world.source()}&namespaces=default`],
      sink: [`webhook:${ops.url}/?name=ops`],
    });
    await life.delivered(2);
    await world.pass(1);
    const count = (source: string) =>
      life.series(`kube_crier_canary_seconds_count{source="${source}"}`);
    expect([await count("kubernetes"), await count("kubernetes-2")]).toEqual([1, 1]);
    expect(ops.requests).toHaveLength(2);
    expect(await life.series('kube_crier_events_filtered_total{reason="canary"}')).toBe(2);
    expect(
      new Set(world.api.written.map(({ body }) => JSON.stringify(body["metadata"]))).size,
    ).toBe(2);
  });
});

describe("a start without an API server", () => {
  it("is told after an interval: nobody would hear of it otherwise", async () => {
    const world = await World.begin();
    const pager = await world.inbox();
    const source = [world.source()];
    await world.api.down();
    const life = world.start({
      canary: "2m",
      canaryTell: "pager",
      source,
      sink: [`webhook:${pager.url}/?name=pager&level=Warning`],
    });
    await world.pass(181);
    expect(reasons(pager)).toEqual(["KubeCrierCanaryMissing"]);
    expect(pager.requests[0]?.body).toContain("the API server did not take it: no connection to");
    await world.api.up();
    await world.pass(180);
    expect(reasons(pager)).toEqual(["KubeCrierCanaryMissing", "KubeCrierCanaryBack"]);
    await life.stop();
  });
});

describe("a watch that is dead", () => {
  it("shows though the API server takes every write, and recovers by itself", async () => {
    const { world, pager, series, readyz } = await story(TO_OPS);
    world.api.fallSilent();
    await world.pass(361);
    expect((await readyz())[1]).toContain(
      "the API server has it, and it did not come on the watch",
    );
    expect(reasons(pager)).toEqual(["KubeCrierCanaryMissing"]);
    world.api.speakAgain();
    world.api.resetConnections();
    await world.pass(360);
    expect(await readyz()).toEqual([200, "ok"]);
    expect(await series(OK)).toBe(1);
    expect(reasons(pager)).toEqual(["KubeCrierCanaryMissing", "KubeCrierCanaryBack"]);
  });

  it("ends with one canary and not with all that were written meanwhile", async () => {
    const { world, ops } = await story(TO_OPS);
    world.api.fallSilent();
    await world.pass(3600);
    expect(world.api.written.length).toBeGreaterThan(5);
    const before = ops.requests.length;
    world.api.speakAgain();
    world.api.resetConnections();
    await world.pass(60);
    expect(ops.requests.length - before).toBeLessThanOrEqual(2);
  });
});

describe("an API server that does not take it", () => {
  const writes = (request: Request) => isWrite(request);

  it.each([
    [403, "events is forbidden", /403.*bind a Role in namespace default .*"create", "patch"/],
    [500, "etcdserver: request timed out", /500.*etcdserver: request timed out/],
    [429, "too many requests", /429/],
  ])(
    "with %i: counted, said once, tried again, and well as soon as it does",
    async (code, message, said) => {
      const { world, life, pager, series, readyz } = await story(TO_OPS);
      world.api.answer(status(code, message), writes, 10_000);
      await world.pass(301);
      expect(life.lines("warn").filter((line) => line.includes("could not be written"))).toEqual([
        expect.stringMatching(said),
      ]);
      await world.pass(60);
      expect(await series(UNWRITTEN)).toBeGreaterThan(3);
      expect(await readyz()).toEqual([503, expect.stringMatching(said)]);
      expect(pager.requests[0]?.body).toContain("API server 没有接受它");
      expect(
        life.lines("warn").filter((line) => line.includes("could not be written")),
      ).toHaveLength(1);
      world.api.takeEverything();
      await world.pass(61);
      expect(await readyz()).toEqual([200, "ok"]);
      expect(reasons(pager)).toEqual(["KubeCrierCanaryMissing", "KubeCrierCanaryBack"]);
    },
  );

  it("because it is down: the second sink hears of it, and of its end", async () => {
    const { world, pager, readyz } = await story(TO_OPS);
    await world.api.down();
    await world.pass(361);
    expect((await readyz())[1]).toMatch(/no connection to http/);
    await world.api.up();
    await world.pass(180);
    expect(await readyz()).toEqual([200, "ok"]);
    expect(reasons(pager)).toEqual(["KubeCrierCanaryMissing", "KubeCrierCanaryBack"]);
  });

  it("and takes it by the other group, where the source may use both", async () => {
    const world = await World.begin();
    world.api.answer(
      status(403),
      (request) => isWrite(request) && request.path.startsWith("/api/"),
      1_000,
    );
    const life = await world.watching({ canary: "1m", sink: ["stdout:"] });
    await world.pass(61);
    expect(await life.series(`kube_crier_${SECONDS}`)).toBe(2);
    expect(life.stdout).toBe("");
  });

  it("whose answer was lost: the same Event is not written twice", async () => {
    const world = await World.begin();
    world.api.loseAnswers(1);
    const life = await world.watching({ canary: "5m", sink: ["stdout:"] });
    await world.pass(60);
    expect(await life.series(`kube_crier_${SECONDS}`)).toBe(1);
    await world.pass(300);
    expect(await life.series(`kube_crier_${SECONDS}`)).toBe(2);
    expect(world.api.written.map(({ method }) => method)).toEqual(["POST", "POST", "PATCH"]);
  });
});

describe("canaries that are not ours", () => {
  const CANARY = {
    type: "Normal",
    reason: "KubeCrierCanary",
    source: { component: "kube-crier" },
    reportingComponent: "kube-crier",
  };

  it("of another kube-crier are dropped and counted, with and without one of our own", async () => {
    const world = await World.begin();
    const inbox = await world.inbox();
    const life = await world.watching({ sink: [`webhook:${inbox.url}/`] });
    world.api.create("kube-crier-canary.other", CANARY);
    await life.received(1);
    await world.pass(1);
    expect(inbox.requests).toEqual([]);
    expect(await life.series('kube_crier_events_filtered_total{reason="canary"}')).toBe(1);
  });

  it("cannot be told as news of ours, nor pass for ours by their name elsewhere", async () => {
    const { world, ops, pager, series } = await story(TO_OPS);
    const name = nameOf(world);
    world.api.fallSilent();
    await world.pass(301);
    world.api.speakAgain();
    world.api.create(name, { ...CANARY, count: 2 }, "shop");
    world.api.create("news", { ...CANARY, type: "Warning", reason: "KubeCrierCanaryMissing" });
    await world.pass(30);
    expect(reasons(ops)).toEqual(["KubeCrierCanary"]);
    expect(reasons(pager)).toEqual([]);
    expect(await series(SECONDS)).toBe(1);
  });

  it("nor the one of the process before, which the cluster still holds", async () => {
    const { world, life } = await story();
    await life.stop();
    const inbox = await world.inbox();
    const next = await world.watching({
      canary: "5m",
      canarySink: "ops",
      dataDir: world.file("another"),
      source: [`${world.source()}&replay=1h`],
      sink: [`webhook:${inbox.url}/?name=ops`],
    });
    await next.delivered(1);
    expect(reasons(inbox)).toEqual(["KubeCrierCanary"]);
    expect(await next.series('kube_crier_events_filtered_total{reason="canary"}')).toBe(1);
  });
});

describe("the end", () => {
  it("in the middle of a canary counts for nothing and keeps nobody waiting", async () => {
    const { world, life, ops, pager, series } = await story(TO_OPS);
    ops.reply("hang");
    await world.pass(301);
    const stopped = life.stop();
    await world.pass(40);
    expect(await stopped).toMatchObject({ pending: 1, lost: 0 });
    expect(await series(MISSED)).toBe(0);
    expect(pager.requests).toEqual([]);
  });

  it("while the API server refuses comes at once", async () => {
    const { world, life, series } = await story(TO_OPS);
    world.api.answer(null, isWrite, 1_000);
    await world.pass(310);
    const started = world.clock.now();
    await life.stop();
    expect(world.clock.now()).toBe(started);
    expect(await series(MISSED)).toBe(0);
  });
});
