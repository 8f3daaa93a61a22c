import { describe, expect, it } from "vitest";
import { type Answer, isList, isWatch, recorded } from "../support/apiserver.ts";
import type { Inbox } from "../support/inbox.ts";
import { World } from "../support/world.ts";

/** Names of the events that arrived, in their order. */
const told = (inbox: Inbox) =>
  inbox.requests.map(({ body }) => /message of ([\w-]+)/.exec(body)?.[1] ?? body);

/** A cluster that is watched, and a receiver. */
async function story() {
  const world = await World.begin();
  const inbox = await world.inbox();
  const flags = { sink: [`webhook:${inbox.url}/hook`] };
  const life = await world.watching(flags);
  /** Creates events, lets time pass until they are told, and sees that nothing else was. */
  const arrived = async (...names: string[]) => {
    for (let second = 0; second < 180 && inbox.requests.length < names.length; second += 1)
      await world.pass(1);
    expect(told(inbox)).toEqual(names);
  };
  const { api } = world;
  return { world, api, inbox, life, arrived, flags };
}

const throttled: Answer = {
  status: 429,
  headers: { "retry-after": "7" },
  body: "Too many requests, please try again later.",
};

describe("an API server that is down at the start", () => {
  it("is waited for: /readyz names the source until it has come, and nothing since the first start is lost", async () => {
    const world = await World.begin();
    const inbox = await world.inbox();
    await world.api.down();
    const life = world.start({ sink: [`webhook:${inbox.url}/hook`], listen: "127.0.0.1:0" });
    const url = await life.url();
    await life.said("trying again");
    const readyz = async () => {
      const answer = await fetch(`${url}/readyz`);
      return [answer.status, await answer.text()];
    };
    expect(await readyz()).toEqual([503, "waiting for kubernetes\n"]);
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    await world.pass(120);
    expect(await readyz()).toEqual([503, "waiting for kubernetes\n"]);
    // Said once, not at every try.
    expect(life.lines("warn")).toEqual([expect.stringContaining("ECONNREFUSED")]);
    expect(life.observed.of("sourceFailed").length).toBeGreaterThan(3);
    expect(await life.series('kube_crier_source_synced{source="kubernetes"}')).toBe(0);

    await world.api.up();
    await world.pass(60);
    expect(await readyz()).toEqual([200, "ok\n"]);
    expect(await life.series('kube_crier_source_synced{source="kubernetes"}')).toBe(1);
    world.api.create("first");
    await life.delivered(1);
    expect(told(inbox)).toEqual(["first"]);
  });
});

describe("an API server that goes away", () => {
  it("restarts: what happened meanwhile arrives, and the log has two lines about it", async () => {
    const { world, api, life, arrived } = await story();
    api.create("before");
    await arrived("before");
    await api.down();
    await world.pass(90);
    api.create("meanwhile");
    await api.up();
    await arrived("before", "meanwhile");
    expect(life.lines("warn")).toHaveLength(1);
    expect(life.lines("info").filter((line) => line.includes("watching again"))).toHaveLength(1);
  });

  it("closes the watch as it does every few minutes: nobody notices", async () => {
    const { api, life, arrived } = await story();
    for (const name of ["one", "two", "three"]) {
      api.create(name);
      await life.until(name, () => life.log.includes("delivered"));
      api.closeWatches();
    }
    await arrived("one", "two", "three");
    expect([...life.lines("warn"), ...life.lines("error")]).toEqual([]);
    expect(life.tally.suppressed).toBe(0);
  });

  it("resets connections in the middle of a line: the event comes whole, once", async () => {
    const { api, arrived } = await story();
    api.send('{"type":"ADDED","object":{"metadata":{"name":"ha');
    api.create("whole");
    api.resetConnections();
    await arrived("whole");
  });

  it("leaves a half-open connection behind: noticed, replaced, nothing lost", async () => {
    const { world, api, life, arrived } = await story();
    api.create("heard");
    await arrived("heard");
    api.fallSilent();
    api.create("said-into-the-void");
    await world.pass(60);
    expect(life.tally.received).toBe(1);
    api.speakAgain();
    await world.pass(700);
    await arrived("heard", "said-into-the-void");
    expect(
      await life.series('kube_crier_source_resumes_total{source="kubernetes",cause="stalled"}'),
    ).toBeGreaterThan(0);
  });
});

describe("a version that is compacted away", () => {
  it("is told within the stream or by its status: exactly what was not seen is told", async () => {
    const { world, api, life, arrived } = await story();
    api.create("before");
    await arrived("before");
    await api.down();
    api.create("unseen");
    api.update("unseen");
    api.compact();
    await api.up();
    await world.pass(30);
    await arrived("before", "unseen");
    // An occurrence that was overtaken while nobody watched is one: its count says how many there were.
    expect(life.tally.received).toBe(2);

    api.answer(
      { ...recorded("watch-410-expired"), status: 410 },
      (request) => isWatch(request) && request.query.has("allowWatchBookmarks"),
    );
    api.create("seen");
    await life.delivered(3);
    api.closeWatches();
    await world.pass(1);
    api.create("after");
    await arrived("before", "unseen", "seen", "after");
    expect(
      await life.series('kube_crier_source_resumes_total{source="kubernetes",cause="expired"}'),
    ).toBe(2);
    expect(life.observed.of("sourceGap").map(([, gap]) => gap.cause)).toEqual(["firstStart"]);
    expect(await life.series('kube_crier_source_recovered_total{source="kubernetes"}')).toBe(1);
  });

  it("in the middle of a flood loses none of 1,500 events, over several pages", async () => {
    const { world, api, inbox, life } = await story();
    for (let n = 0; n < 300; n += 1) api.create(`a-${n}`);
    await life.delivered(100);
    await api.down();
    for (let n = 0; n < 1200; n += 1) api.create(`b-${n}`);
    api.compact();
    await api.up();
    await world.pass(30);
    await life.delivered(1500);
    expect(new Set(told(inbox)).size).toBe(1500);
    expect(inbox.requests).toHaveLength(1500);
  });
});

describe("an API server in trouble", () => {
  it("asks for patience with 429 and Retry-After, and gets it", async () => {
    const { world, api, life, arrived } = await story();
    api.answer(throttled, isWatch, 2);
    api.answer(throttled, isList, 1);
    const asked = api.requests.length;
    api.closeWatches();
    await life.said("429");
    await world.pass(6);
    expect(api.requests.length - asked).toBe(1);
    api.create("late");
    await arrived("late");
    expect(
      await life.series('kube_crier_source_resumes_total{source="kubernetes",cause="throttled"}'),
    ).toBe(1);
  });

  it("sends garbage in bursts: counted, said once for each burst, and the stream goes on", async () => {
    const { world, api, life, arrived } = await story();
    const burst = () => api.send("<html>\n{\n\u0000\u0001\n[]\n".repeat(10));
    burst();
    api.create("one");
    await arrived("one");
    await world.pass(3600 / 30);
    burst();
    api.create("two");
    await arrived("one", "two");
    expect(await life.series('kube_crier_source_garbage_total{source="kubernetes"}')).toBe(80);
    expect(life.lines("warn").filter((line) => line.includes("unreadable"))).toHaveLength(2);
    expect(api.asked("watch").filter(({ query }) => query.has("allowWatchBookmarks"))).toHaveLength(
      1,
    );
  });

  it("answers 500 and nonsense for a while: waited for with growing patience, then all is told", async () => {
    const { api, life, arrived } = await story();
    const nonsense = { status: 200, headers: {}, body: "<html>proxy login</html>" };
    api.answer({ status: 500, headers: {}, body: "etcd leader changed" }, isWatch, 4);
    api.answer(nonsense, isList, 3);
    api.resetConnections();
    api.create("late");
    await arrived("late");
    expect(life.lines("warn")).toHaveLength(1);
    const waits = life.observed.of("sourceFailed").map(([, , , retryMs]) => retryMs);
    expect(waits.at(-1)).toBeGreaterThan(waits[0] ?? 0);
  });
});
