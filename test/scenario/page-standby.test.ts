import { describe, expect, it } from "vitest";
import { World } from "../support/world.ts";

/** Two replicas, each with its page: both show what the ledger holds, one can change it. */
async function replicas() {
  const world = await World.begin();
  const inbox = await world.inbox();
  const flags = {
    listen: "127.0.0.1:0",
    webListen: "127.0.0.1:0",
    sink: [`webhook:${inbox.url}/?name=ops`],
  };
  const one = world.start(flags, world.clock, { pod: "crier-1" });
  await world.pass(0);
  await one.until("synced", () => one.observed.of("sourceSynced").length > 0);
  const two = world.start(flags, world.clock, { pod: "crier-2" });
  await two.said(/candidate for the Lease/);
  await world.pass(1);
  return { world, inbox, one, two };
}

const html = async (page: string, place = "/?since=7d&lang=en") => {
  const answer = await fetch(page + place, { headers: { accept: "text/html" } });
  return { status: answer.status, text: await answer.text() };
};

const deadLetters = async (page: string) => {
  const answer = await fetch(`${page}/api/v1/deliveries?state=dead`);
  return ((await answer.json()) as { deliveries: { id: string }[] }).deliveries;
};

const retry = async (page: string, id: string) => {
  const whoami = await fetch(`${page}/api/v1/whoami`);
  const { csrf } = (await whoami.json()) as { csrf: string };
  const answer = await fetch(`${page}/api/v1/deliveries/${id}/retry`, {
    method: "POST",
    headers: { origin: page, "sec-fetch-site": "same-origin", "x-csrf-token": csrf },
  });
  return { status: answer.status, text: await answer.text() };
};

describe("the page of a replica that stands by", () => {
  it("shows what the leader's ledger holds, says who leads, and changes nothing; leading, it changes", async () => {
    const { world, inbox, one, two } = await replicas();
    inbox.reply({ status: 400 });
    world.api.create("a");
    await one.until("dead", () => one.observed.of("dead").length === 1);
    const [leads, stands] = [await one.page(), await two.page()];

    expect((await html(leads)).text).not.toContain("This replica stands by");
    const shown = await html(stands);
    expect(shown.status).toBe(200);
    expect(shown.text).toMatch(/This replica stands by: crier-1_[0-9a-f-]{36} watches and sends/);
    expect(shown.text).toContain("message of a");
    expect((await html(stands, "/?since=7d&lang=zh")).text).toContain("待命");
    expect((await html(stands, "/sinks?lang=en")).status).toBe(200);

    const [dead] = await deadLetters(stands);
    const refused = await retry(stands, dead?.id ?? "");
    expect(refused.status).toBe(503);
    expect(refused.text).toMatch(/this replica stands by; ask crier-1_[0-9a-f-]{36}, which leads/);
    expect(await deadLetters(leads)).toEqual([dead]);

    const stopped = one.stop();
    await world.pass(0);
    await stopped;
    await world.pass(2.5);
    await two.until("leads", () => two.observed.of("leadershipWon").length > 0);
    await two.until("synced", () => two.observed.of("sourceSynced").length > 0);
    expect((await html(stands)).text).not.toContain("This replica stands by");
    expect((await html(stands)).text).toContain("message of a");
    inbox.reply({ status: 200 });
    two.retriedByHand += 1;
    expect((await retry(stands, dead?.id ?? "")).status).toBe(204);
    await two.delivered(1);
    expect(await deadLetters(stands)).toEqual([]);
  });
});
