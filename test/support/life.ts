import { randomUUID } from "node:crypto";
import { PassThrough, Readable } from "node:stream";
import { type AppPorts, runApp, type Summary } from "../../src/app/app.ts";
import { createCanarySites } from "../../src/app/canaries.ts";
import { createClients } from "../../src/app/clients.ts";
import { createSenders, httpClient } from "../../src/app/senders.ts";
import { createElection } from "../../src/app/election.ts";
import { remember } from "../../src/app/recall.ts";
import { rememberedBy } from "../../src/app/remembered.ts";
import { createSources, sourceNames } from "../../src/app/sources.ts";
import { loadTemplates } from "../../src/app/templates.ts";
import { createWebSite } from "../../src/app/web.ts";
import type { Clock } from "../../src/clock.ts";
import type { Config } from "../../src/config/config.ts";
import type { FlagValues } from "../../src/config/flags.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { Sender } from "../../src/delivery/sender.ts";
import type { Ledger } from "../../src/ledger/open.ts";
import { jsonLog } from "../../src/observe/log.ts";
import { createMetrics, type Metrics } from "../../src/observe/metrics.ts";
import { createObserver, type Tally } from "../../src/observe/observe.ts";
import type { Observer } from "../../src/observe/observer.ts";
import { sinks as registry } from "../../sinks/index.ts";
import { expectLaws, type Owed, owedIn } from "./laws.ts";
import { recordingObserver } from "./observer.ts";

export interface LifeOptions {
  readonly random?: () => number;
  /** One of several replicas, by the name of its Pod. Also with a ledger in a file, which has one owner at a time here. */
  readonly pod?: string;
}

/** kube-crier from its start to its end, in this process and in a time of the test's. */
export class Life {
  readonly config: Config;
  readonly observed = recordingObserver();
  readonly metrics: Metrics;
  readonly tally: Readonly<Tally>;
  /** Everything it logged, at level debug, and printed. */
  log = "";
  stdout = "";
  /** Dead letters made pending again by hand, which no metric of this process counts. */
  retriedByHand = 0;
  /** The disk refused until the end: the ledger does not hold what was owed. */
  unwritten = false;
  /** Settles with the end; rejects with ConfigError where it would not start. */
  readonly summary: Promise<Summary>;
  readonly #pod: string | null;
  readonly #stop = new AbortController();
  readonly #before: Owed;
  #after: Owed | null = null;
  readonly #network: { close(): void }[] = [];
  #waiting: { what: string; condition: () => boolean; resolve: () => void }[] = [];
  #cut = false;

  constructor(flags: FlagValues, clock: Clock, options: LifeOptions = {}) {
    const { random = seeded(1), pod = null } = options;
    const { config } = loadConfig({ flags, registry, env: {} });
    this.config =
      pod === null ? config : { ...config, election: { ...config.election, enabled: true } };
    this.#pod = pod;
    this.#before = owedIn(config);
    const sinks = config.sinks.map(({ name }) => name);
    this.metrics = createMetrics("test", sourceNames(config.sources), sinks);
    const log = jsonLog("debug", { write: (text) => (this.log += text) });
    const { observer, tally } = createObserver(log, this.metrics, clock);
    this.tally = tally;
    this.summary = this.#run(clock, random, this.#noted(observer));
    const over = () => {
      this.#after = owedIn(config);
      this.#changed();
    };
    this.summary.then(over, over);
  }

  async #run(clock: Clock, random: () => number, noted: Observer): Promise<Summary> {
    const { config, metrics, tally } = this;
    const remembered = remember(noted, () => clock.now());
    const observer = config.web.listen === null ? noted : remembered.observer;
    const env = this.#pod === null ? {} : { POD_NAME: this.#pod, POD_NAMESPACE: "crier" };
    const clients = createClients(config.sources, clock);
    const client = httpClient("test");
    this.#network.push(client, clients);
    const stdout = new PassThrough();
    stdout.setEncoding("utf8").on("data", (text: string) => (this.stdout += text));
    const openSenders: AppPorts["openSenders"] = async (signal) => {
      const templates = await loadTemplates(config, { clients, clock, observer }, signal);
      const senders = createSenders(config, templates, { client, stdout, clock, observer });
      return new Map([...senders].map(([name, sender]) => [name, this.#mortal(sender)]));
    };
    try {
      const stdin = () => Readable.from([""]);
      const sources = createSources(config, { clients, clock, random, observer, stdin });
      const makeId = randomUUID;
      const canarySites = createCanarySites(config, { clients, env: {}, makeId });
      const common = { clock, random, makeId, observer, tally, metrics };
      const election = createElection(config, { ...common, clients, env });
      const { recall } = remembered;
      const texts = () => null;
      const web = createWebSite(
        config,
        { clients, clock, observer, version: "test", recall, texts, options: () => [] },
        this.#stop.signal,
      );
      const remembers = (ledger: Ledger) => rememberedBy(recall.memory, ledger, clock);
      const page = web === null ? {} : { web, remembers };
      const ports = { ...common, sources, canarySites, election, openSenders, ...page };
      return await runApp(config, ports, this.#stop.signal);
    } finally {
      client.close();
      clients.close();
    }
  }

  get ended(): boolean {
    return this.#after !== null;
  }

  /** What it waits for in vain, and what it said: for a test that failed. */
  get story(): string {
    return [...this.#waiting.map(({ what }) => `waiting for ${what}`), this.log].join("\n");
  }

  /** Resolves as soon as `condition` holds, looked at after each thing observed. */
  until(what: string, condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ what, condition, resolve }));
  }

  received(count: number): Promise<void> {
    return this.until(`${count} received`, () => this.tally.received >= count);
  }

  delivered(count: number): Promise<void> {
    return this.until(`${count} delivered`, () => this.tally.delivered >= count);
  }

  said(words: string | RegExp): Promise<void> {
    const found = () =>
      typeof words === "string" ? this.log.includes(words) : words.test(this.log);
    return this.until(`the words ${String(words)}`, found);
  }

  /** Where it listens. */
  async url(): Promise<string> {
    const said = /listening on (http:\/\/127\.0\.0\.1:\d+)/;
    await this.said(said);
    return said.exec(this.log)?.[1] ?? "";
  }

  /** Where its page is. */
  async page(): Promise<string> {
    const said = /the page is at (http:\/\/127\.0\.0\.1:\d+)/;
    await this.said(said);
    return said.exec(this.log)?.[1] ?? "";
  }

  /** The log's lines of a level, without their times. */
  lines(level: "warn" | "error" | "info"): readonly string[] {
    return this.log
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as { level: string; msg: string })
      .filter((line) => line.level === level)
      .map((line) => line.msg);
  }

  /** A series as Prometheus would scrape it, labels and all: `kube_crier_events_enqueued_total`. */
  async series(name: string): Promise<number> {
    const text = await this.metrics.text();
    const line = text.split("\n").find((candidate) => candidate.startsWith(`${name} `));
    if (line === undefined) throw new Error(`there is no series ${name}`);
    return Number(line.slice(name.length + 1));
  }

  tellToStop(): void {
    this.#stop.abort();
  }

  /** SIGTERM, and the end. */
  stop(): Promise<Summary> {
    this.tellToStop();
    return this.summary;
  }

  /** From here on nothing leaves it, and nothing it does matters. */
  cut(): void {
    this.#cut = true;
    for (const one of this.#network) one.close();
    this.tellToStop();
  }

  /** Once it has ended: everything it took is accounted for. A killed one has no books. */
  async expectLaws(): Promise<void> {
    // What a replica owes another one may tell.
    if (this.#cut || this.unwritten || this.#after === null || this.#pod !== null) return;
    const { config, metrics, retriedByHand: retried } = this;
    await expectLaws({ config, metrics, before: this.#before, after: this.#after, retried });
  }

  #mortal(sender: Sender): Sender {
    return {
      ...sender,
      send: (...args) => (this.#cut ? new Promise<never>(() => undefined) : sender.send(...args)),
    };
  }

  #noted(observer: Observer): Observer {
    return new Proxy(observer, {
      get:
        (target, name: keyof Observer) =>
        (...args: readonly unknown[]) => {
          (this.observed.observer[name] as (...all: readonly unknown[]) => void)(...args);
          (target[name] as (...all: readonly unknown[]) => void)(...args);
          this.#changed();
        },
    });
  }

  #changed(): void {
    const ready = this.#waiting.filter((one) => one.condition());
    this.#waiting = this.#waiting.filter((one) => !ready.includes(one));
    for (const one of ready) one.resolve();
  }
}

/** Chance that is the same in every run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
