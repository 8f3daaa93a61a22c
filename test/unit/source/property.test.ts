import {
  type Arbitrary,
  array,
  assert,
  asyncProperty,
  constant,
  constantFrom,
  nat,
  oneof,
  record,
} from "fast-check";
import { describe, expect, it } from "vitest";
import type { Checkpoint } from "../../../src/source/source.ts";
import { FakeApiServer, isWatch, recorded } from "../../support/apiserver.ts";
import { RunningSource } from "../../support/source.ts";

/** What may happen to a cluster and to the way to it. */
type Step =
  | { readonly do: "create" | "count" | "label" | "remove"; readonly which: number }
  | {
      readonly do:
        | "close"
        | "reset"
        | "expire"
        | "compact"
        | "down"
        | "up"
        | "garbage"
        | "half"
        | "unwell"
        | "throttled"
        | "forbidden"
        | "page"
        | "error"
        | "silent"
        | "settle"
        | "restart";
    };

const which = nat({ max: 7 });
const step: Arbitrary<Step> = oneof(
  { weight: 6, arbitrary: record({ do: constant("create" as const), which }) },
  { weight: 6, arbitrary: record({ do: constant("count" as const), which }) },
  { weight: 2, arbitrary: record({ do: constant("label" as const), which }) },
  { weight: 1, arbitrary: record({ do: constant("remove" as const), which }) },
  {
    weight: 5,
    arbitrary: record({
      do: constantFrom(
        "close" as const,
        "reset" as const,
        "expire" as const,
        "compact" as const,
        "down" as const,
        "up" as const,
        "garbage" as const,
        "half" as const,
        "unwell" as const,
        "throttled" as const,
        "forbidden" as const,
        "page" as const,
        "error" as const,
        "silent" as const,
        "settle" as const,
        "restart" as const,
      ),
    }),
  },
);

/** Plays the steps and keeps account of what a watcher is owed. */
class Play {
  readonly server: FakeApiServer;
  source: RunningSource;
  /** Keys of all occurrences there ever were. */
  readonly happened = new Set<string>();
  /** Keys that must arrive, whatever else happens. */
  readonly owed = new Set<string>();
  /** Keys that arrived, over all runs, with how often. */
  readonly arrived = new Map<string, number>();
  readonly #alive = new Map<string, { uid: string; count: number }>();
  /** Not yet arrived for certain: lost to history if it is compacted before they are read. */
  #fresh = new Set<string>();
  /** History was lost and may not have been made up for yet: only what is in the store will be found. */
  #behind = false;
  #up = true;
  #sentinels = 0;
  #remembered: readonly Checkpoint[] = [];

  constructor(server: FakeApiServer) {
    this.server = server;
    this.source = new RunningSource(server);
  }

  async ready(): Promise<void> {
    await this.source.until(() => this.source.synced === 1);
    await this.server.until(() => this.server.watching === 1);
  }

  async step(one: Step): Promise<void> {
    switch (one.do) {
      case "create":
        if (!this.#alive.has(`e${one.which}`)) this.#occurred(this.server.create(`e${one.which}`));
        return;
      case "count":
        if (this.#alive.has(`e${one.which}`)) this.#occurred(this.server.update(`e${one.which}`));
        return;
      case "label": {
        const alive = this.#alive.get(`e${one.which}`);
        if (alive !== undefined) this.server.update(`e${one.which}`, { count: alive.count });
        return;
      }
      case "remove":
        this.#superseded(`e${one.which}`);
        if (this.#alive.delete(`e${one.which}`)) this.server.remove(`e${one.which}`);
        return;
      case "close":
        this.server.closeWatches();
        return;
      case "reset":
        this.server.resetConnections();
        return;
      case "garbage":
        this.server.send("rubbish\n");
        return;
      case "half":
        this.server.send('{"type":"ADDED","object":{');
        this.server.resetConnections();
        return;
      case "unwell":
        this.server.answer({ status: 503, headers: {}, body: "no healthy upstream" }, isWatch);
        return;
      case "throttled":
        this.server.answer({ status: 429, headers: { "Retry-After": "3" }, body: "" }, isWatch);
        return;
      case "forbidden":
        // The next looks at one of the groups: the other one may still be read.
        this.server.answer(
          recorded("list-403-anonymous"),
          (request) => request.path === "/api/v1/events",
          2,
        );
        return;
      case "page":
        this.server.answer({ status: 200, headers: {}, body: "<html>\nLog in\n" }, isWatch);
        return;
      case "error":
        this.server.send('{"type":"ERROR","object":{"kind":"Status","code":500}}\n');
        return;
      case "silent":
        this.server.fallSilent();
        this.server.speakAgain();
        // Longer than any watch may last.
        await this.source.clock.advance(700_000);
        return;
      case "compact":
      case "expire":
        this.#historyLost();
        if (one.do === "compact") this.server.compact();
        else this.server.expireWatches();
        return;
      case "down":
        if (this.#up) await this.server.down();
        this.#up = false;
        return;
      case "up":
        await this.#goUp();
        return;
      case "settle":
        await this.settle();
        return;
      case "restart":
        await this.#restart();
    }
  }

  /** Until everything owed has come. */
  async settle(): Promise<void> {
    await this.#goUp();
    // One more, so that its arrival says that all before it is read.
    this.#sentinels += 1;
    const sentinel = this.server.create(`sentinel-${this.#sentinels}`);
    this.happened.add(`${sentinel.metadata.uid}@1`);
    this.owed.add(`${sentinel.metadata.uid}@1`);
    await this.source.until(() => {
      const here = new Set(this.source.events.map((event) => event.key));
      return [...this.owed].every((key) => here.has(key) || this.arrived.has(key));
    });
    this.#fresh = new Set();
    this.#behind = false;
  }

  account(): void {
    for (const event of this.source.events)
      this.arrived.set(event.key, (this.arrived.get(event.key) ?? 0) + 1);
  }

  async #goUp(): Promise<void> {
    if (!this.#up) await this.server.up();
    this.#up = true;
  }

  /** Killed, and started again with what the ledger last remembered. */
  async #restart(): Promise<void> {
    await this.source.stop();
    this.account();
    if (this.source.checkpoints.length > 0) this.#remembered = this.source.checkpoints;
    this.source = new RunningSource(this.server, { resume: this.#remembered });
  }

  #occurred(event: { metadata: { name: string; uid: string }; count: number }): void {
    const key = `${event.metadata.uid}@${event.count}`;
    this.#superseded(event.metadata.name);
    this.#alive.set(event.metadata.name, { uid: event.metadata.uid, count: event.count });
    this.happened.add(key);
    this.owed.add(key);
    this.#fresh.add(key);
  }

  /** What is not in the store any more, and was perhaps not read in time, is owed no longer: nobody could know it. */
  #historyLost(): void {
    this.#behind = true;
    const inStore = new Set([...this.#alive.values()].map((one) => `${one.uid}@${one.count}`));
    for (const key of this.#fresh) if (!inStore.has(key)) this.owed.delete(key);
  }

  #superseded(name: string): void {
    const alive = this.#alive.get(name);
    if (alive === undefined || !this.#behind) return;
    const key = `${alive.uid}@${alive.count}`;
    if (this.#fresh.has(key)) this.owed.delete(key);
  }
}

describe("whatever happens to the cluster and to the way to it", () => {
  it("each occurrence arrives at least once, and after de-duplication by key exactly once", async () => {
    await assert(
      asyncProperty(array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        const server = await FakeApiServer.start();
        const play = new Play(server);
        try {
          await play.ready();
          for (const one of steps) await play.step(one);
          await play.settle();
          await play.source.stop();
          play.account();
          for (const key of play.owed) expect(play.arrived.has(key)).toBe(true);
          for (const key of play.arrived.keys()) expect(play.happened.has(key)).toBe(true);
        } finally {
          await play.source.stop();
          await server.close();
        }
      }),
      { numRuns: 300, timeout: 5_000 },
    );
  }, 120_000);

  it("no occurrence is told twice within one run", async () => {
    await assert(
      asyncProperty(
        array(
          step.filter((one) => one.do !== "restart"),
          { minLength: 1, maxLength: 40 },
        ),
        async (steps) => {
          const server = await FakeApiServer.start();
          const play = new Play(server);
          try {
            await play.ready();
            for (const one of steps) await play.step(one);
            await play.settle();
            const keys = play.source.events.map((event) => event.key);
            expect(new Set(keys).size).toBe(keys.length);
          } finally {
            await play.source.stop();
            await server.close();
          }
        },
      ),
      { numRuns: 200, timeout: 5_000 },
    );
  }, 120_000);
});
