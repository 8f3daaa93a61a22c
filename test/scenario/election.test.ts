import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../src/config/config.ts";
import { lockDataDir } from "../../src/ledger/lock.ts";
import { isWrite, type Request } from "../support/apiserver.ts";
import type { Inbox } from "../support/inbox.ts";
import { World } from "../support/world.ts";

/**
 * Two replicas on one ledger, in one time. The ledger is a file that each opens when it leads: for the loader that would be a mistake,
 * here it is what the leader before has closed.
 */
const LEASE = "default/kube-crier";

async function replicas(flags: Readonly<Record<string, unknown>> = {}) {
  const world = await World.begin();
  const inbox = await world.inbox();
  const start = (pod: string) =>
    world.start(
      { listen: "127.0.0.1:0", sink: [`webhook:${inbox.url}/?name=ops&timeout=60s`], ...flags },
      world.clock,
      { pod },
    );
  const one = start("crier-1");
  await world.pass(0);
  await one.until("synced", () => one.observed.of("sourceSynced").length > 0);
  const two = start("crier-2");
  await two.said(/candidate for the Lease/);
  await world.pass(1);
  return { world, inbox, one, two };
}

const told = (inbox: Inbox) =>
  inbox.requests.map(({ body }) => /message of (\S+?)"/.exec(body)?.[1] ?? body.slice(0, 60));
const onLease = (request: Request) => request.path.includes("/leases");
const watches = ({ api }: World) =>
  api.asked("watch").filter(({ query }) => query.has("allowWatchBookmarks"));

async function ready(life: { url(): Promise<string> }) {
  const response = await fetch(`${await life.url()}/readyz`);
  return [response.status, (await response.text()).trim()] as const;
}

describe("a standby", () => {
  it("is ready, says who leads, watches nothing and writes nothing", async () => {
    const { world, one, two } = await replicas();
    expect(await ready(one)).toEqual([200, "ok"]);
    expect(await ready(two)).toEqual([
      200,
      expect.stringMatching(/^ok: standby, crier-1_[0-9a-f-]{36} leads$/),
    ]);
    expect(watches(world)).toHaveLength(1);
    expect(await one.series("kube_crier_leader")).toBe(1);
    expect(await two.series("kube_crier_leader")).toBe(0);
    expect(await two.series("kube_crier_lease_term")).toBe(
      await one.series("kube_crier_lease_term"),
    );
    expect((await fetch(`${await two.url()}/livez`)).status).toBe(200);
    expect(two.observed.of("eventReceived")).toEqual([]);
  });

  it("that is told to stop is done at once, and leaves no ledger behind", async () => {
    const world = await World.begin();
    world.api.leases.put(LEASE, { holderIdentity: "somebody", leaseDurationSeconds: 15 });
    const life = world.start({ sink: ["stdout:"] }, world.clock, { pod: "crier-1" });
    await life.said("standby: somebody leads");
    expect(await life.stop()).toMatchObject({ received: 0, pending: 0, deposed: null });
    expect(existsSync(world.dataDir)).toBe(false);
    expect(world.api.leases.get(LEASE)?.spec).toMatchObject({ holderIdentity: "somebody" });
  });

  it("is refused a start with everything that waiting cannot cure, like any replica", async () => {
    const world = await World.begin();
    const denied = { status: { allowed: false, reason: "no rule" } };
    world.api.answer(
      {
        status: 201,
        headers: { "content-type": "application/json" },
        body: JSON.stringify(denied),
      },
      ({ path }) => path.endsWith("/selfsubjectaccessreviews"),
      3,
    );
    const life = world.start({ sink: ["stdout:"] }, world.clock, { pod: "crier-1" });
    const error = await life.summary.catch((refused: unknown) => refused);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).issues).toEqual([
      {
        where: expect.stringMatching(/^--leader-elect \(.*kubeconfig/) as string,
        message:
          "the Lease default/kube-crier may not be held: get leases is not allowed: no rule; create leases is not allowed: no rule; update leases is not allowed: no rule",
        hint: expect.stringMatching(
          /^bind a Role in namespace default with .*resourceNames: \["kube-crier"\], verbs: \["get", "update"\]\} and .*verbs: \["create"\]/,
        ) as string,
      },
    ]);
  });
});

describe("a change of the leader", () => {
  it("on SIGTERM: the next look of the standby takes the Lease, nothing lost, nothing twice, no gap", async () => {
    const { world, inbox, one, two } = await replicas();
    world.api.create("a");
    await one.delivered(1);
    const stopped = one.stop();
    await world.pass(0);
    expect(await stopped).toMatchObject({ delivered: 1, deposed: null });
    expect(world.api.leases.get(LEASE)?.spec).toMatchObject({ holderIdentity: "" });
    // While nobody watches.
    world.api.create("b");
    await world.pass(2.5);
    await two.delivered(1);
    world.api.create("c");
    await two.delivered(2);
    expect(told(inbox)).toEqual(["a", "b", "c"]);
    expect(two.observed.of("sourceGap")).toEqual([]);
    // From the version of the leader before, without a list.
    expect(watches(world)).toHaveLength(2);
    expect(two.tally).toMatchObject({ received: 2, suppressed: 0 });
    expect(await ready(two)).toEqual([200, "ok"]);
    expect(await two.series("kube_crier_leader")).toBe(1);
  });

  it("gives the Lease back after what is under way is told, not before", async () => {
    const { world, inbox, one, two } = await replicas();
    inbox.reply("hang");
    world.api.create("slow");
    await inbox.received(1);
    one.tellToStop();
    await world.pass(20);
    expect(one.ended).toBe(false);
    expect(two.observed.of("leadershipWon")).toEqual([]);
    expect(world.api.leases.get(LEASE)?.spec).not.toMatchObject({ holderIdentity: "" });
    await world.pass(10);
    expect((await one.summary).deposed).toBeNull();
    await world.pass(3);
    expect(two.observed.of("leadershipWon")).toHaveLength(1);
  });

  it("where the leader cannot renew: it sends nothing more from the deadline on, and the other goes on after the Lease has run out", async () => {
    const { world, inbox, one, two } = await replicas();
    world.api.create("a");
    await one.delivered(1);
    // The first replica alone is cut off from the Lease; its watch goes on.
    const holder = one.observed.of("leadershipWon")[0]?.[0] ?? "";
    world.api.leases.refuse(holder);
    inbox.reply("hang");
    world.api.create("in-flight");
    await inbox.received(2);
    await world.pass(8);
    expect(one.ended).toBe(false);
    await world.pass(3);
    const summary = await one.summary;
    expect(summary.deposed).toMatch(/^the Lease could not be renewed within 10 s: .*503/);
    expect(one.lines("error")[0]).toMatch(
      /^leads no more: .*nothing is sent or written from now on$/,
    );
    // Interrupted: neither told nor failed.
    expect(one.observed.of("attemptFailed")).toEqual([]);
    expect(summary).toMatchObject({ delivered: 1, pending: 1 });
    inbox.reply({ status: 200 });
    world.api.create("b");
    await world.pass(8);
    await two.delivered(2);
    // What was in flight is told twice, as it may be, and nothing else.
    expect(told(inbox)).toEqual(["a", "in-flight", "in-flight", "b"]);
    const ids = inbox.requests.map(({ body }) => (JSON.parse(body) as { id: string }).id);
    expect(ids[2]).toBe(ids[1]);
    const won = two.observed.of("leadershipWon")[0];
    expect(won?.[1]).toBe((one.observed.of("leadershipWon")[0]?.[1] ?? 0) + 1);
  });

  it("where somebody else has taken the Lease: over with the next renewal", async () => {
    const { world, one, two } = await replicas();
    world.api.leases.put(LEASE, { holderIdentity: "crier-3", leaseDurationSeconds: 15 });
    await world.pass(2);
    expect((await one.summary).deposed).toBe("crier-3 took the Lease");
    expect(two.observed.of("leadershipWon")).toEqual([]);
    await world.pass(16);
    expect(two.observed.of("leadershipWon")).toHaveLength(1);
  });

  it("gives the Lease back where the ledger cannot be had, so that another one may try", async () => {
    const world = await World.begin();
    const unlock = lockDataDir(world.dataDir);
    const life = world.start({ sink: ["stdout:"] }, world.clock, { pod: "crier-1" });
    const refused = life.summary.catch((error: unknown) => error);
    await world.pass(1);
    expect(String(await refused)).toContain("another kube-crier is running on it");
    expect(world.api.leases.get(LEASE)?.spec).toMatchObject({ holderIdentity: "" });
    unlock();
  });
});

describe("canaries of two replicas", () => {
  it("are written by the leader alone, and by the next one when it leads", async () => {
    const { world, one, two } = await replicas({ canary: "1m" });
    const writers = () => new Set(world.api.written.map(({ path, body }) => nameIn(path, body)));
    await world.pass(200);
    expect(world.api.requests.filter(isWrite).length).toBeGreaterThanOrEqual(3);
    expect(writers().size).toBe(1);
    const stopped = one.stop();
    await world.pass(3);
    await stopped;
    await world.pass(70);
    expect(writers().size).toBe(2);
    expect(two.observed.of("canaryArrived").length).toBeGreaterThanOrEqual(1);
    expect(await two.series('kube_crier_canary_missed_total{source="kubernetes"}')).toBe(0);
  });
});

describe("the API server", () => {
  it("is asked for the Lease every two seconds by each replica, and no more", async () => {
    const { world } = await replicas();
    const before = world.api.requests.filter(onLease).length;
    await world.pass(60);
    const asked = world.api.requests.filter(onLease).slice(before);
    expect(asked.filter(({ method }) => method === "PUT")).toHaveLength(30);
    expect(asked.length).toBeLessThanOrEqual(61);
  });

  it("that goes away and comes back has one leader again, and nothing was lost", async () => {
    const { world, inbox, one, two } = await replicas();
    await world.api.down();
    await world.pass(11);
    expect((await one.summary).deposed).toMatch(/no connection/);
    await world.pass(60);
    expect(two.observed.of("leadershipWon")).toEqual([]);
    await world.api.up();
    world.api.create("meanwhile");
    await world.pass(3);
    await two.delivered(1);
    expect(told(inbox)).toEqual(["meanwhile"]);
  });
});

function nameIn(path: string, body: Readonly<Record<string, unknown>>): string {
  const metadata = body["metadata"] as { readonly name?: string } | undefined;
  return metadata?.name ?? path.slice(path.lastIndexOf("/") + 1);
}
