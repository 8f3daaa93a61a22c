import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach } from "vitest";
import type { KubernetesSourceConfig } from "../../src/config/config.ts";
import type { KubeEvent } from "../../src/event/event.ts";
import type { Observer } from "../../src/observe/observer.ts";
import { createKubeClient } from "../../src/source/kubernetes/client.ts";
import { createKubernetesSource } from "../../src/source/kubernetes/source.ts";
import type { KubeClient } from "../../src/source/kubernetes/transport.ts";
import type { Checkpoint, PreflightSource, SourceItem } from "../../src/source/source.ts";
import { FakeApiServer } from "./apiserver.ts";
import { FakeClock } from "./clock.ts";

/** A kubeconfig file for a server; JSON is YAML. */
export function kubeconfigFor(
  server: FakeApiServer,
  user: Record<string, unknown> = { token: "s3cret-token" },
  cluster: Record<string, unknown> = {},
  folder: string = mkdtempSync(path.join(tmpdir(), "kube-crier-")),
): string {
  const file = path.join(folder, "kubeconfig");
  const ca = server.url.startsWith("https:")
    ? { "certificate-authority-data": Buffer.from(FakeApiServer.ca).toString("base64") }
    : {};
  writeFileSync(
    file,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "test",
      clusters: [{ name: "test", cluster: { server: server.url, ...ca, ...cluster } }],
      users: [{ name: "tester", user }],
      contexts: [{ name: "test", context: { cluster: "test", user: "tester" } }],
    }),
  );
  return file;
}

/** Everything that was observed, as `[name, ...arguments]`. */
export type Observed = readonly [string, ...unknown[]];

/** Remembers what it is told; `onCall` sees each. */
export function recordingObserver(onCall: (call: Observed) => void = () => undefined): {
  observer: Observer;
  calls: Observed[];
} {
  const calls: Observed[] = [];
  const observer = new Proxy({} as Observer, {
    get:
      (_, name) =>
      (...values: unknown[]) => {
        calls.push([String(name), ...values]);
        onCall([String(name), ...values]);
      },
  });
  return { observer, calls };
}

export interface RunningOptions {
  readonly config?: Partial<KubernetesSourceConfig>;
  readonly resume?: readonly Checkpoint[];
  readonly onlyNotNormal?: boolean;
  readonly client?: KubeClient;
  readonly clock?: FakeClock;
  /** Time is moved over each announced wait. Without it a wait lasts until the test moves time. */
  readonly skipWaits?: boolean;
  readonly random?: () => number;
  /** Takes nothing until `consume` is called. */
  readonly paused?: boolean;
}

/** A source at work against a server, with all it gave. */
export class RunningSource {
  readonly items: SourceItem[] = [];
  readonly batches: number[] = [];
  readonly clock: FakeClock;
  readonly calls: Observed[];
  readonly source: PreflightSource;
  readonly #client: KubeClient;
  readonly #abort = new AbortController();
  readonly #resume: ReadonlyMap<string, Checkpoint>;
  #waiting: { condition: () => boolean; resolve: () => void }[] = [];
  #done: Promise<void> = Promise.resolve();

  constructor(server: FakeApiServer, options: RunningOptions = {}) {
    this.clock = options.clock ?? new FakeClock();
    const skip = options.skipWaits ?? true;
    const recording = recordingObserver((call) => {
      if (skip && call[0] === "sourceFailed") void this.clock.advance(Number(call[4]));
      this.#changed();
    });
    this.calls = recording.calls;
    this.#client =
      options.client ??
      createKubeClient({ kubeconfig: kubeconfigFor(server), context: null }, { clock: this.clock });
    this.#resume = new Map((options.resume ?? []).map((one) => [one.scope, one]));
    this.source = createKubernetesSource(
      {
        type: "kubernetes",
        kubeconfig: null,
        context: null,
        api: "auto",
        namespaces: [],
        replayMs: 0,
        maxAgeMs: 3_600_000,
        ...options.config,
      },
      {
        client: this.#client,
        clock: this.clock,
        random: options.random ?? (() => 0),
        observer: recording.observer,
        cluster: "prod-a",
        name: "kubernetes",
        onlyNotNormal: options.onlyNotNormal ?? false,
      },
    );
    if (options.paused !== true) this.consume();
  }

  consume(): void {
    this.#done = this.#consume();
  }

  async #consume(): Promise<void> {
    for await (const batch of this.source.batches(this.#resume, this.#abort.signal)) {
      this.batches.push(batch.length);
      this.items.push(...batch);
      this.#changed();
    }
  }

  get events(): readonly KubeEvent[] {
    return this.items.flatMap((item) => (item.kind === "event" ? [item.event] : []));
  }

  get names(): readonly string[] {
    return this.events.map((event) => `${event.eventName}@${event.count}`);
  }

  /** Of later than the first start. */
  get gaps(): readonly string[] {
    return this.items.flatMap((item) =>
      item.kind === "relisted" && item.gap !== null && item.gap.cause !== "firstStart"
        ? [item.gap.cause]
        : [],
    );
  }

  /** What a ledger would remember now. */
  get checkpoints(): readonly Checkpoint[] {
    const last = new Map<string, Checkpoint>();
    for (const item of this.items)
      if ((item.kind === "event" || item.kind === "checkpoint") && item.checkpoint !== null)
        last.set(item.checkpoint.scope, item.checkpoint);
    return [...last.values()];
  }

  get synced(): number {
    return this.items.filter((item) => item.kind === "synced").length;
  }

  called(name: string): readonly Observed[] {
    return this.calls.filter((call) => call[0] === name);
  }

  /** Resolves as soon as `condition` holds, looked at after each batch and each thing observed. */
  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ condition, resolve }));
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#done;
    this.#client.close();
  }

  #changed(): void {
    const ready = this.#waiting.filter((one) => one.condition());
    this.#waiting = this.#waiting.filter((one) => !ready.includes(one));
    for (const one of ready) one.resolve();
  }
}

/** A fresh server for each test, and sources that end with it. */
export function useServer(): {
  readonly server: () => FakeApiServer;
  readonly run: (options?: RunningOptions) => RunningSource;
  /** Running, caught up, and its watch open. */
  readonly watching: (options?: RunningOptions) => Promise<RunningSource>;
} {
  const running: RunningSource[] = [];
  const current: { server: FakeApiServer | null } = { server: null };
  const server = (): FakeApiServer => {
    if (current.server === null) throw new Error("the server lives within a test");
    return current.server;
  };
  const run = (options?: RunningOptions): RunningSource => {
    const source = new RunningSource(server(), options);
    running.push(source);
    return source;
  };
  beforeEach(async () => {
    current.server = await FakeApiServer.start();
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((source) => source.stop()));
    await server().close();
  });
  return {
    server,
    run,
    watching: async (options) => {
      const source = run(options);
      await source.until(() => source.synced === 1);
      await server().until(() => server().watching > 0);
      return source;
    },
  };
}
