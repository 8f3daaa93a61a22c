import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FakeApiServer } from "../support/apiserver.ts";
import { Crier } from "../support/crier.ts";
import { cli } from "../support/io.ts";
import { kubeconfigFor } from "../support/source.ts";
import { World } from "../support/world.ts";

async function story(options = "") {
  const world = await World.begin();
  const inbox = await world.inbox();
  const flags = { sink: [`webhook:${inbox.url}/hook${options}`], listen: "127.0.0.1:0" };
  return { world, inbox, flags };
}

describe("told to stop", () => {
  it("with nothing under way it is gone at once, and nothing is owed", async () => {
    const { world, inbox, flags } = await story();
    const life = await world.watching(flags);
    world.api.create("one");
    await life.delivered(1);
    // In no time of the world.
    expect(await life.stop()).toMatchObject({ received: 1, delivered: 1, pending: 0, lost: 0 });
    expect(inbox.requests).toHaveLength(1);
    await expect(fetch(`${await life.url()}/livez`)).rejects.toThrow("fetch failed");
    await world.api.until(() => world.api.watching === 0);
  });

  it("waits for the answer that is on its way, and takes nothing new", async () => {
    const { world, inbox, flags } = await story();
    inbox.reply("hang");
    const life = await world.watching(flags);
    world.api.create("one");
    const request = await inbox.received(1);
    const ending = life.stop();
    const readyz = await fetch(`${await life.url()}/readyz`);
    expect([readyz.status, await readyz.text()]).toEqual([503, "stopping\n"]);
    world.api.create("too-late");
    await world.pass(5);
    expect(life.ended).toBe(false);
    request.answer({ status: 200, body: "just in time" });
    expect(await ending).toMatchObject({ received: 1, delivered: 1, pending: 0 });
    const second = await world.watching(flags);
    await inbox.received(2);
    expect(inbox.requests[1]?.body).toContain("too-late");
    expect(second.tally.received).toBe(1);
  });

  it("does not wait longer than it has: what hangs stays owed, uncounted, and comes again with the same key", async () => {
    const { world, inbox, flags } = await story("?timeout=60s");
    inbox.reply("hang");
    const life = await world.watching(flags);
    world.api.create("one");
    const request = await inbox.received(1);
    const ending = life.stop();
    await world.pass(24);
    expect(life.ended).toBe(false);
    await world.pass(2);
    expect(await ending).toMatchObject({ delivered: 0, dead: 0, pending: 1, lost: 0 });
    await request.closed;
    expect(life.observed.of("attemptFailed"), "nobody's fault").toEqual([]);
    expect(life.log).not.toContain("did not end within");

    inbox.reply({ status: 200 });
    const second = await world.watching(flags);
    await second.delivered(1);
    expect(inbox.requests[1]?.headers["idempotency-key"]).toBe(request.headers["idempotency-key"]);
  });

  it("while the receiver is down: everything owed is counted, kept, and told after the next start", async () => {
    const { world, inbox, flags } = await story();
    inbox.reply("reset");
    const life = await world.watching(flags);
    for (let n = 0; n < 30; n += 1) world.api.create(`event-${n}`);
    await life.received(30);
    await world.pass(30);
    expect(await life.stop()).toMatchObject({ received: 30, delivered: 0, pending: 30, dead: 0 });
    inbox.reply({ status: 200 });
    const second = await world.watching(flags);
    await world.pass(10);
    expect(second.tally).toMatchObject({ received: 0, delivered: 30 });
    expect(await second.stop()).toMatchObject({ pending: 0 });
  });

  it("before the API server has ever answered: it ends at once and says nothing of errors", async () => {
    const { world, flags } = await story();
    await world.api.down();
    const life = world.start(flags);
    await life.said("trying again");
    expect(await life.stop()).toMatchObject({ received: 0, pending: 0, problems: [] });
    expect(life.lines("error")).toEqual([]);
  });

  it(
    "twice: it ends at once, with 1, and what was under way is owed",
    { timeout: 30_000 },
    async () => {
      const { world, inbox } = await story();
      inbox.reply("hang");
      const api = await FakeApiServer.start();
      const crier = new Crier([
        "run",
        `--source=kubernetes:?kubeconfig=${kubeconfigFor(api, undefined, {}, world.dir)}`,
        `--sink=webhook:${inbox.url}/hook`,
        `--data-dir=${world.dataDir}`,
        "--listen=127.0.0.1:0",
      ]);
      try {
        await crier.ready();
        api.create("one");
        await inbox.received(1);
        crier.kill("SIGTERM");
        await crier.says("told to stop");
        crier.kill("SIGTERM");
        expect(await crier.ended()).toBe(1);
      } finally {
        await crier.destroy();
        await api.close();
      }
      const { stdout } = await cli([
        "history",
        "--reason=BackOff",
        "--json",
        `--data-dir=${world.dataDir}`,
      ]);
      expect(JSON.parse(stdout)).toMatchObject({ deliveries: [{ state: "pending", attempts: 0 }] });
    },
  );
});

describe("when all sources have ended", () => {
  const events = (world: World, names: readonly string[]) => {
    const file = world.file(`${names.join("-")}.jsonl`);
    const lines = names.map((name) => JSON.stringify(world.api.create(name)));
    writeFileSync(file, lines.join("\n"));
    return `file:${file}`;
  };

  it("stays until what is owed is delivered, through an outage of an hour", async () => {
    const { world, inbox, flags } = await story("?give_up_after=6h");
    inbox.reply({ status: 502 });
    const life = world.start({
      ...flags,
      source: [events(world, ["a", "b"]), events(world, ["c"])],
    });
    await life.received(3);
    await world.pass(3600);
    expect(life.ended).toBe(false);
    inbox.reply({ status: 200 });
    await world.pass(10);
    expect(await life.summary).toMatchObject({ delivered: 3, pending: 0, dead: 0, problems: [] });
    // The hour is walked through second by second.
  }, 60_000);

  it("a cluster among them keeps it running, and --stay does so without one", async () => {
    const { world, flags } = await story();
    const both = await world.watching({ ...flags, source: [events(world, ["a"]), world.source()] });
    await both.delivered(1);
    await world.pass(60);
    expect(both.ended).toBe(false);
    world.api.create("b");
    await both.delivered(2);
    await both.stop();
    const staying = world.start({ ...flags, source: [events(world, ["c"])], stay: true });
    await staying.delivered(1);
    await world.pass(3600);
    expect(staying.ended).toBe(false);
    expect(await staying.stop()).toMatchObject({ delivered: 1, pending: 0 });
  }, 60_000);

  it("a source that breaks is named with its place, what stood before is told, and the end is 2", async () => {
    const { world, inbox, flags } = await story();
    const broken = events(world, ["a", "b"]);
    writeFileSync(
      broken.slice(5),
      `${JSON.stringify(world.api.create("c"))}\n{"kind":"Event",,}\n`,
    );
    const life = world.start({ ...flags, source: [broken] });
    const { problems } = await life.summary;
    expect(problems).toEqual([expect.stringMatching(/^file: .*a-b\.jsonl:2:/)]);
    expect(inbox.requests).toHaveLength(1);
    const { code, stderr } = await cli([
      "run",
      `--source=${broken}`,
      `--sink=${flags.sink[0]}`,
      `--data-dir=${world.dataDir}`,
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain("a-b.jsonl:2:");
    expect(inbox.requests, "told before").toHaveLength(1);
  });
});
