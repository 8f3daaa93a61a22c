import { cpSync } from "node:fs";
import path from "node:path";
import { onTestFailed, onTestFinished } from "vitest";
import type { Clock } from "../../src/clock.ts";
import type { FlagValues } from "../../src/config/flags.ts";
import {
  type RunningSimulator,
  type StartOptions,
  startSimulator,
} from "../../src/simulate/start.ts";
import { FakeApiServer } from "./apiserver.ts";
import { FakeClock } from "./clock.ts";
import { type Inbox, startInbox } from "./inbox.ts";
import { temporaryDirectory } from "./ledger.ts";
import { Life, type LifeOptions } from "./life.ts";
import { kubeconfigFor } from "./source.ts";
import { watchTraffic } from "./traffic.ts";

/** Time of its own, an API server, receivers, a data directory, and kube-crier living in it, once or several times in a row. */
export class World {
  readonly clock: FakeClock;
  readonly dir = temporaryDirectory();
  readonly lives: Life[] = [];
  #dataDir = path.join(this.dir, "data");
  #copies = 0;
  #api: FakeApiServer | null = null;
  readonly #closing: (() => Promise<void>)[] = [];
  readonly #traffic = watchTraffic();
  #ended: Promise<void> | null = null;

  private constructor() {
    this.clock = new FakeClock("2026-11-20T08:00:00Z", () => this.#traffic.calm());
    onTestFailed(() => void process.stderr.write(this.lives.map((life) => life.story).join("\n")));
    onTestFinished(() => this.end());
  }

  /** With an API server that runs. */
  static async begin(): Promise<World> {
    const world = new World();
    const api = await FakeApiServer.start();
    world.#api = api;
    world.#closing.push(() => api.close());
    return world;
  }

  get api(): FakeApiServer {
    if (this.#api === null) throw new Error("the world begins with begin()");
    return this.#api;
  }

  get dataDir(): string {
    return this.#dataDir;
  }

  file(name: string): string {
    return path.join(this.dir, name);
  }

  /** The chats, in the world's time. */
  async chats(options: Omit<StartOptions, "clock"> = {}): Promise<RunningSimulator> {
    const simulator = await startSimulator({ clock: this.clock, ...options });
    this.#closing.push(() => simulator.close());
    return simulator;
  }

  async inbox(): Promise<Inbox> {
    const inbox = await startInbox();
    this.#closing.push(() => inbox.close());
    return inbox;
  }

  /** The API server as --source takes it. */
  source(): string {
    return `kubernetes:?kubeconfig=${kubeconfigFor(this.api, undefined, {}, this.dir)}`;
  }

  /** Starts kube-crier on the world's API server and data directory. */
  start(flags: FlagValues, clock: Clock = this.clock, options: LifeOptions = {}): Life {
    const life = new Life(
      {
        clusterName: "prod-a",
        dataDir: this.#dataDir,
        ...flags,
        source: flags.source ?? [this.source()],
      },
      clock,
      options,
    );
    this.lives.push(life);
    return life;
  }

  /** Started, caught up, and its watch open. */
  async watching(flags: FlagValues, clock: Clock = this.clock): Promise<Life> {
    // Not the one with which a start finds out what it may do.
    const watches = () =>
      this.api.asked("watch").filter(({ query }) => query.has("allowWatchBookmarks"));
    const before = watches().length;
    const life = this.start(flags, clock);
    await Promise.race([this.api.until(() => watches().length > before), life.summary]);
    // A resumed watch counts once nothing was said against it.
    await this.pass(1);
    await Promise.race([
      life.until("synced", () => life.observed.of("sourceSynced").length > 0),
      life.summary,
    ]);
    return life;
  }

  /** Moves time on. */
  async pass(seconds: number): Promise<void> {
    await this.clock.advance(seconds * 1000);
  }

  /**
   * Ends it as kill -9 does: what the disk has at this moment is what the next one finds. The disk is copied, for in one process
   * the dead one's lock would still be held.
   */
  kill(life: Life): void {
    this.#copies += 1;
    const copy = path.join(this.dir, `data-${this.#copies}`);
    cpSync(this.#dataDir, copy, { recursive: true });
    this.#dataDir = copy;
    life.cut();
  }

  /** Whatever still runs is told to stop, and given the time it takes; the books of all lives are looked at. Ends with the test at the latest. */
  end(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end(): Promise<void> {
    for (const life of this.lives) life.tellToStop();
    while (this.lives.some((life) => !life.ended)) await this.pass(10);
    for (const close of this.#closing) await close();
    this.#traffic.stop();
    for (const life of this.lives) await life.expectLaws();
  }
}
