import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { FlagValues } from "../../src/config/flags.ts";
import { cli } from "../support/io.ts";
import type { Inbox } from "../support/inbox.ts";
import type { Life } from "../support/life.ts";
import { World } from "../support/world.ts";

/** A troubled cluster, one of each. */
const EVENTS: Readonly<Record<string, [string, Record<string, unknown>]>> = {
  "oom-node": [
    "default",
    {
      reason: "OOMKilling",
      message: "Killed process 4242 (java)",
      involvedObject: { kind: "Node", name: "node-3" },
    },
  ],
  "backoff-shop": ["shop", {}],
  "backoff-pay": ["pay", {}],
  "pulled-shop": ["shop", { type: "Normal", reason: "Pulled", message: "image pulled" }],
  "odd-shop": ["shop", { type: "Alarm", reason: "Odd", message: "a type nobody knows" }],
  "deployment-shop": [
    "shop",
    {
      type: "Normal",
      reason: "ScalingReplicaSet",
      involvedObject: { kind: "Deployment", namespace: "shop", name: "web" },
    },
  ],
  "pull-preprod": [
    "shop-preprod",
    { reason: "Failed", message: "Failed to pull image: 401 Unauthorized, ErrImagePull" },
  ],
};

const names = (inbox: Inbox) =>
  inbox.requests
    .map(({ body }) => (JSON.parse(body) as { event: { eventName: string } }).event.eventName)
    .toSorted();

/** The cluster's events, seen by one kube-crier: which sink told which. */
async function tell(
  sinks: Readonly<Record<string, string>>,
  flags: FlagValues = {},
): Promise<{ told: Record<string, readonly string[]>; life: Life }> {
  const world = await World.begin();
  const inboxes: Record<string, Inbox> = {};
  const sink: string[] = [];
  for (const [name, options] of Object.entries(sinks)) {
    const inbox = (inboxes[name] = await world.inbox());
    sink.push(`webhook:${inbox.url}/hook?name=${name}${options === "" ? "" : `&${options}`}`);
  }
  const life = await world.watching({ ...flags, sink });
  for (const [name, [namespace, fields]] of Object.entries(EVENTS)) {
    world.api.create(name, { ...fields, ...objectIn(namespace, fields) }, namespace);
  }
  await world.pass(2);
  const told = Object.fromEntries(
    Object.entries(inboxes).map(([name, inbox]) => [name, names(inbox)]),
  );
  return { told, life };
}

function objectIn(namespace: string, fields: Record<string, unknown>): Record<string, unknown> {
  const { involvedObject = { kind: "Pod", name: "web-0" } } = fields as { involvedObject?: object };
  return {
    involvedObject: { ...(namespace === "default" ? {} : { namespace }), ...involvedObject },
  };
}

describe("who hears of what", () => {
  it("each sink by its own filter: level, namespaces, kinds, reasons, names, messages", async () => {
    const { told } = await tell({
      all: "",
      warnings: "level=Warning",
      shop: "namespaces=shop",
      shops: "namespaces=shop*&level=Warning",
      nodes: "kinds=Node",
      pulls: "reasons=/^(Failed|Pulled)$/",
      web: "names=web",
      image: "messages=/(?i)errimagepull/",
    });
    expect(told).toEqual({
      all: Object.keys(EVENTS).toSorted(),
      // A type nobody knows is never quieter than a warning.
      warnings: ["backoff-pay", "backoff-shop", "odd-shop", "oom-node", "pull-preprod"],
      shop: ["backoff-shop", "deployment-shop", "odd-shop", "pulled-shop"],
      shops: ["backoff-shop", "odd-shop", "pull-preprod"],
      nodes: ["oom-node"],
      pulls: ["pull-preprod", "pulled-shop"],
      web: ["deployment-shop"],
      image: ["pull-preprod"],
    });
  });

  it("exclusion wins over inclusion", async () => {
    const { told } = await tell({
      but: "namespaces=shop*&exclude_namespaces=*-preprod&level=Warning",
      quiet: "exclude_reasons=BackOff,OOMKilling&exclude_kinds=Deployment&level=Normal",
    });
    expect(told).toEqual({
      but: ["backoff-shop", "odd-shop"],
      quiet: ["odd-shop", "pull-preprod", "pulled-shop"],
    });
  });

  it("objects without a namespace can be chosen, and left out", async () => {
    const { told } = await tell({
      cluster: "namespaces=_cluster",
      both: "namespaces=_cluster,pay",
      neither: "exclude_namespaces=_cluster&level=Warning",
    });
    expect(told).toEqual({
      cluster: ["oom-node"],
      both: ["backoff-pay", "oom-node"],
      neither: ["backoff-pay", "backoff-shop", "odd-shop", "pull-preprod"],
    });
  });

  it("the global filter comes first, and what nobody wants is counted, not owed", async () => {
    const { told, life } = await tell(
      { all: "", pay: "namespaces=pay" },
      { level: "Warning", excludeNamespaces: ["shop-preprod"] },
    );
    expect(told).toEqual({
      all: ["backoff-pay", "backoff-shop", "odd-shop", "oom-node"],
      pay: ["backoff-pay"],
    });
    // Normal events are left on the server, where nobody wants them.
    expect(life.tally).toMatchObject({ received: 5, filtered: 1, enqueued: 4 });
    expect(await life.series('kube_crier_events_filtered_total{reason="globalFilter"}')).toBe(1);
    expect(await life.series('kube_crier_events_received_total{type="Normal"}')).toBe(0);
    expect(await life.series('kube_crier_events_received_total{type="other"}')).toBe(1);
  });

  it("by no sink at all: filtered for want of one", async () => {
    const { told, life } = await tell({ pay: "namespaces=pay&level=Normal" });
    expect(told).toEqual({ pay: ["backoff-pay"] });
    expect(life.tally).toMatchObject({ received: 7, filtered: 6, enqueued: 1 });
    expect(await life.series('kube_crier_events_filtered_total{reason="noSink"}')).toBe(6);
  });

  it("as kube-eventer writes it, and in YAML beside the flags", async () => {
    const world = await World.begin();
    const [flag, yaml] = [await world.inbox(), await world.inbox()];
    const config = world.file("crier.yaml");
    writeFileSync(
      config,
      [
        "filter: { exclude: { reasons: [BackOff] } }",
        "sinks:",
        "  audit:",
        "    type: webhook",
        `    url: ${yaml.url}/hook`,
        "    filter: { level: Normal, kinds: [Deployment, Node] }",
      ].join("\n"),
    );
    const life = await world.watching({
      config: [config],
      sink: [`webhook:${flag.url}/hook?level=Normal&namespaces=shop,pay&kinds=Pod&header=X-A=b`],
    });
    for (const [name, [namespace, fields]] of Object.entries(EVENTS))
      world.api.create(name, { ...fields, ...objectIn(namespace, fields) }, namespace);
    await life.received(7);
    await world.pass(2);
    expect(names(flag)).toEqual(["odd-shop", "pulled-shop"]);
    expect(flag.requests[0]?.headers["x-a"]).toBe("b");
    expect(names(yaml)).toEqual(["deployment-shop", "oom-node"]);
  });

  it("an expression that would stall others does not", async () => {
    const world = await World.begin();
    const inbox = await world.inbox();
    const life = await world.watching({
      sink: [`webhook:${inbox.url}/hook?messages=/^(a%2B)%2B$/`],
    });
    // What tries every way to match would be at it for longer than anybody waits.
    world.api.create("evil", { message: `${"a".repeat(10_000)}!` });
    world.api.create("match", { message: "a".repeat(10_000) });
    await life.delivered(1);
    expect(names(inbox)).toEqual(["match"]);
  });
});

describe("a history that keeps all", () => {
  it.each([
    ["the global filter", { level: "Warning" }, "", "globalFilter"],
    ["any sink", {}, "?level=Warning", "noSink"],
  ])("knows what %s does not want, Normal events among it", async (_, flags, options, why) => {
    const world = await World.begin();
    const { url } = await world.inbox();
    const sink = [`webhook:${url}/hook${options}`];
    const life = await world.watching({ ...flags, sink, historyKeeps: "all" });
    world.api.create("pulled", { type: "Normal", reason: "Pulled" }, "shop");
    world.api.create("backoff", {}, "shop");
    await world.pass(2);
    await life.stop();
    const asked = ["history", "--csv", `--data-dir=${world.dataDir}`];
    const { stdout } = await cli(asked, { clock: world.clock });
    expect(stdout).toMatch(new RegExp(`Normal,Pulled,.*,${why},`));
    expect(stdout).toMatch(/Warning,BackOff,/);
  });
});
