import { writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createClients } from "../../../src/app/clients.ts";
import { createSenders, httpClient } from "../../../src/app/senders.ts";
import { loadTemplates } from "../../../src/app/templates.ts";
import { loadConfig } from "../../../src/config/load.ts";
import type { Sender } from "../../../src/delivery/sender.ts";
import type { Alert } from "../../../src/event/alert.ts";
import { sinks as registry } from "../../../sinks/index.ts";
import { FakeClock } from "../../support/clock.ts";
import { anEvent } from "../../support/events.ts";
import { type Inbox, startInbox } from "../../support/inbox.ts";
import { never, temporaryDirectory } from "../../support/ledger.ts";
import { recordingObserver } from "../../support/observer.ts";

let inbox: Inbox;
beforeEach(async () => {
  inbox = await startInbox();
});
afterEach(() => inbox.close());

/** The senders of a configuration, and what they said. */
async function senders(...sink: string[]) {
  const flags = { source: ["file:-"], sink, clusterName: "prod-a" };
  const { config } = loadConfig({ flags, registry, env: {} });
  const clock = new FakeClock();
  const clients = createClients(config.sources, clock);
  const recorded = recordingObserver();
  const { observer } = recorded;
  const templates = await loadTemplates(config, { clients, clock, observer }, never);
  const client = httpClient("1.2.3");
  const ports = { client, stdout: process.stdout, clock, observer };
  const all = createSenders(config, templates, ports);
  const first = all.values().next().value as Sender;
  const tell = (alert: Alert = { kind: "event", event: anEvent() }, now = clock.now()) =>
    first.send(
      { id: "d1", sink: "ops", alert, attempts: 0, owedAt: now, notBefore: now },
      never,
      now,
    );
  return { all, recorded, tell, config };
}

describe("a sender", () => {
  it("composes, sends and judges; the house's name and the delivery's key go with it", async () => {
    const { tell } = await senders(`webhook:${inbox.url}/x`);
    const { verdict, answer } = await tell();
    expect(verdict).toEqual({ kind: "accepted" });
    expect(answer).toBe("HTTP 200: ok");
    expect(inbox.requests[0]?.headers).toMatchObject({
      "user-agent": "kube-crier/1.2.3",
      "idempotency-key": "d1",
    });
    expect(JSON.parse(inbox.requests[0]?.body ?? "")).toMatchObject({
      event: { cluster: "prod-a" },
    });
  });

  it("signs anew at each attempt", async () => {
    const { tell } = await senders(`webhook:${inbox.url}/x?signing_secret=hush-hush-hush`);
    await tell(undefined, 1_000_000);
    await tell(undefined, 2_000_000);
    const stamps = inbox.requests.map(({ headers }) => headers["x-kube-crier-timestamp"]);
    expect(stamps).toEqual(["1000", "2000"]);
    const signatures = inbox.requests.map(({ headers }) => headers["x-kube-crier-signature"]);
    expect(new Set(signatures).size).toBe(2);
  });

  it("sends nothing that cannot be composed", async () => {
    const file = path.join(temporaryDirectory(), "body.hbs");
    writeFileSync(file, '{"n": {{reason}} }');
    const { tell } = await senders(`webhook:${inbox.url}/x?body_file=${file}`);
    const { verdict, sent } = await tell();
    expect(verdict).toMatchObject({ kind: "permanent", reason: "template" });
    expect(sent).toBe("");
    expect(inbox.connections).toBe(0);
  });

  it("tells that a text was cut to the platform's size", async () => {
    const { tell, recorded } = await senders(`dingtalk:${inbox.url}/robot/send?access_token=x`);
    inbox.reply({ status: 200, body: { errcode: 0, errmsg: "ok" } });
    await tell();
    expect(recorded.of("messageCut")).toEqual([]);
    await tell({ kind: "event", event: anEvent({ message: "内存不足".repeat(20_000) }) });
    expect(recorded.of("messageCut")).toEqual([["dingtalk"]]);
    expect(Buffer.byteLength(inbox.requests[1]?.body ?? "")).toBeLessThan(20_000);
  });

  it("keeps neither the address nor its token in what history keeps", async () => {
    const { tell } = await senders(`webhook:${inbox.url}/x?token=very-secret-token`);
    inbox.reply((request) => ({ status: 400, body: `no route for ${request.url}` }));
    const { verdict, sent, answer } = await tell();
    expect(inbox.requests[0]?.url).toContain("very-secret-token");
    expect(JSON.stringify([verdict, sent, answer])).not.toContain("very-secret-token");
  });

  it("is made for each sink that has a template", async () => {
    const { all, config } = await senders(
      `webhook:${inbox.url}/x?name=a`,
      `webhook:${inbox.url}/y?name=b`,
      "stdout:?name=c",
    );
    expect([...all.keys()]).toEqual(["a", "b", "c"]);
    const none = createSenders(config, new Map(), {
      client: httpClient("1"),
      stdout: process.stdout,
      clock: new FakeClock(),
      observer: recordingObserver().observer,
    });
    expect(none.size).toBe(0);
    for (const sender of all.values()) await sender.close();
  });
});
