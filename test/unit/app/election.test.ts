import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createClients } from "../../../src/app/clients.ts";
import { createElection, leaseOf, whileLeading } from "../../../src/app/election.ts";
import type { Config } from "../../../src/config/config.ts";
import type { Sender } from "../../../src/delivery/sender.ts";
import type { Leadership } from "../../../src/election/leadership.ts";
import { FakeApiServer } from "../../support/apiserver.ts";
import { FakeClock } from "../../support/clock.ts";
import { load } from "../../support/config.ts";
import { recordingObserver } from "../../support/observer.ts";
import { kubeconfigFor } from "../../support/source.ts";

let api: FakeApiServer;
let file: string;

beforeEach(async () => {
  api = await FakeApiServer.start();
  file = kubeconfigFor(api);
});

afterEach(() => api.close());

/** With `--leader-elect`, whatever the ledger. */
function config(flags: Readonly<Record<string, unknown>> = {}): Config {
  const loaded = load({ flags: { source: [`kubernetes:?kubeconfig=${file}`], ...flags } }).config;
  return { ...loaded, election: { ...loaded.election, enabled: true } };
}

function ports(env: Readonly<Record<string, string>> = {}, of: Config = config()) {
  const clock = new FakeClock();
  const { observer } = recordingObserver();
  const clients = createClients(of.sources, clock);
  return { clients, env, clock, random: () => 0, makeId: randomUUID, observer };
}

const POD = { POD_NAME: "crier-7d4b9c-x2x4z", POD_NAMESPACE: "monitoring" };
const never = new AbortController().signal;

describe("where the Lease is", () => {
  it("is nowhere without --leader-elect", () => {
    const { config: plain } = load({ flags: {} });
    expect(leaseOf(plain, ports())).toBeNull();
    expect(createElection(plain, ports())).toBeNull();
  });

  it("is named as the configuration says, in the namespace that it names", () => {
    const named = config({
      leaderElectResourceName: "crier-b",
      leaderElectResourceNamespace: "ops",
    });
    expect(leaseOf(named, ports(POD))?.place).toEqual({ namespace: "ops", name: "crier-b" });
  });

  it("is in the Pod's own namespace where the source is the Pod's cluster", () => {
    const { clients } = ports();
    const home = { ...config(), sources: load({ flags: {} }).config.sources };
    expect(leaseOf(home, { clients, env: POD })?.place.namespace).toBe("monitoring");
    expect(leaseOf(home, { clients, env: {} })?.place.namespace).toBe("default");
  });

  it("is where the kubeconfig's context says for another cluster, which knows no Pod of ours", () => {
    expect(leaseOf(config(), ports(POD))?.place.namespace).toBe("default");
  });

  it("is left to the source to say where the kubeconfig cannot be used", () => {
    const broken = config({ source: ["kubernetes:?kubeconfig=/nowhere/at/all"] });
    expect(createElection(broken, ports({}, broken))).toBeNull();
  });
});

describe("a replica", () => {
  it("is known by its Pod and its process, and says who leads", async () => {
    const election = createElection(config(), ports(POD));
    const leadership = await election?.lead(never);
    const holder = api.leases.get("default/kube-crier")?.spec["holderIdentity"];
    expect(holder).toMatch(/^crier-7d4b9c-x2x4z_[0-9a-f-]{36}$/);
    expect(election?.leader()).toBe(holder);
    await leadership?.release();
  });

  it("has no other one's name, even on the same host", async () => {
    const first = await createElection(config(), ports())?.lead(never);
    const one = api.leases.get("default/kube-crier")?.spec["holderIdentity"];
    await first?.release();
    const second = await createElection(config(), ports())?.lead(never);
    expect(api.leases.get("default/kube-crier")?.spec["holderIdentity"]).not.toBe(one);
    await second?.release();
  });
});

describe("a sender of a replica", () => {
  const sender = (): Sender & { sent: number; closed: number } => ({
    sent: 0,
    closed: 0,
    send() {
      this.sent += 1;
      return Promise.resolve({ verdict: { kind: "accepted", detail: "" }, sent: "", answer: "" });
    },
    close() {
      this.closed += 1;
      return Promise.resolve();
    },
  });
  const delivery = {} as Parameters<Sender["send"]>[0];

  it("sends while the Lease is held, and from then on nothing more, without a verdict", async () => {
    const inner = sender();
    let held = true;
    const leading = whileLeading(inner, { holds: () => held } as Leadership);
    await leading.send(delivery, never, 0);
    held = false;
    const late = leading.send(delivery, never, 0);
    const nothing = Symbol("nothing");
    const turn = new Promise((resolve) => setImmediate(() => resolve(nothing)));
    expect(await Promise.race([late, turn])).toBe(nothing);
    expect(inner.sent).toBe(1);
    await leading.close();
    expect(inner.closed).toBe(1);
  });

  it("of the only replica is as it was", () => {
    const inner = sender();
    expect(whileLeading(inner, null)).toBe(inner);
  });
});
