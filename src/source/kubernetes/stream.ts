import type { Clock } from "../../clock.ts";
import type { KubernetesSourceConfig } from "../../config/config.ts";
import type { Observer, ResumeCause } from "../../observe/observer.ts";
import type { Channel } from "../channel.ts";
import type { Checkpoint, SourceItem } from "../source.ts";
import { chooseGroup, type Chosen } from "./access.ts";
import { Backoff } from "./backoff.ts";
import { after } from "./deadline.ts";
import { ApiError } from "./errors.ts";
import { classify, Interrupted } from "./failure.ts";
import { forgotten, gapOf } from "./forgotten.ts";
import type { Frame } from "./frames.ts";
import { sameCluster } from "./identity.ts";
import { endOfTurn } from "../../turn.ts";
import { Outlet } from "./outlet.ts";
import {
  blindBefore,
  EVER,
  future,
  type Listing,
  type Position,
  relisting,
  replay,
  type Trust,
} from "./position.ts";
import { Progress } from "./progress.ts";
import { relist } from "./relist.ts";
import { eventsPath, selector } from "./resource.ts";
import type { Reunion } from "./reunion.ts";
import type { KubeClient } from "./transport.ts";
import { compareVersions } from "./version.ts";
import { watch } from "./watch.ts";

export interface StreamPorts {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly observer: Observer;
  readonly channel: Channel<SourceItem>;
  /** The name of the source. */
  readonly name: string;
  /** The name of the cluster. */
  readonly cluster: string;
  readonly identity: (signal: AbortSignal) => Promise<string>;
  /** Called once, when this stream has caught up. */
  readonly synced: () => void;
  /** With the other streams of the source. */
  readonly reunion: Reunion;
}

export interface StreamOptions {
  readonly api: KubernetesSourceConfig["api"];
  /** `null`: all. */
  readonly namespace: string | null;
  readonly replayMs: number;
  readonly maxAgeMs: number;
  readonly onlyNotNormal: boolean;
  /** The name of its checkpoints. */
  readonly scope: string;
  readonly resume: Checkpoint | null;
}

/** An expired watch says so in its first line, at once; a quiet one says nothing. */
const ACCEPTED_MS = 200;
/** Unreadable lines in a row before the connection is replaced. */
const GARBAGE_LIMIT = 100;

/** List and watch of one namespace or of all, resumed for as long as it may run. */
export class EventStream {
  readonly #options: StreamOptions;
  readonly #ports: StreamPorts;
  readonly #backoff: Backoff;
  readonly #outlet: Outlet;
  readonly #progress: Progress;
  #position: Position = { kind: "start" };
  #path = "";
  #cause: ResumeCause | null = null;
  #synced = false;
  #expired = 0;
  #garbage = 0;

  constructor(options: StreamOptions, ports: StreamPorts) {
    const { clock, cluster } = ports;
    this.#options = options;
    this.#ports = ports;
    this.#backoff = new Backoff(clock, ports.random);
    this.#outlet = new Outlet(ports.channel, clock);
    this.#progress = new Progress({ scope: options.scope, cluster, clock });
  }

  /** Ends on abort only; throws nothing but bugs. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        this.#position = await this.#step(signal).catch((error: unknown) =>
          this.#recover(error, signal),
        );
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  }

  #step(signal: AbortSignal): Promise<Position> {
    switch (this.#position.kind) {
      case "start":
        return this.#start(signal);
      case "list":
        return this.#list(this.#position.what, signal);
      case "watch":
        return this.#watch(this.#position.trust, signal);
    }
  }

  async #start(signal: AbortSignal): Promise<Position> {
    const { replayMs, resume } = this.#options;
    const chosen = await this.#choose(signal);
    const identity = await this.#ports.identity(signal);
    this.#progress.begin(identity);
    const now = this.#ports.clock.now();

    if (resume !== null && sameCluster(resume.cluster, identity)) {
      this.#progress.resume(resume);
      if (this.#isAhead(chosen.resourceVersion)) return this.#future();
      return { kind: "watch", trust: "usual" };
    }
    const begun = now - replayMs;
    const blind = blindBefore(resume, begun, now);
    if (replayMs > 0) return replay(begun, blind);
    await this.#ports.reunion.listed(this.#options.scope, gapOf(blind, false), signal);
    await this.#outlet.put(this.#progress.reached(chosen.resourceVersion), signal);
    return { kind: "watch", trust: "fresh" };
  }

  async #list(what: Listing, signal: AbortSignal): Promise<Position> {
    const { newerThan, seenSince, isFirst, blind } = what;
    const { client, clock, cluster, observer, name } = this.#ports;
    const relisted = await relist(
      {
        client,
        path: this.#path,
        query: selector(this.#options.onlyNotNormal),
        cluster,
        clock,
        newerThan,
        seenSince,
        oldBefore: isFirst ? EVER : clock.now() - this.#options.maxAgeMs,
        witness: this.#progress.witness?.uid ?? null,
        occurrences: this.#progress.occurrences,
        garbage: (detail) => observer.sourceGarbage(name, detail),
        listed: (read, remaining) => observer.sourceListing(name, read, remaining),
      },
      // No checkpoint before the end: what a list gives is in no order of time.
      (event, isOld) => {
        const listed = isOld ? "old" : "young";
        const after = newerThan === null ? {} : { unfinished: true as const };
        return this.#outlet.put(
          { kind: "event", event, checkpoint: null, listed, ...after },
          signal,
        );
      },
      signal,
    );
    const missing = blind ?? forgotten(this.#progress, relisted, clock.now());
    const gap = missing === null ? null : gapOf(missing, true);
    this.#progress.listed(relisted.newest);
    await this.#ports.reunion.listed(this.#options.scope, gap, signal);
    await this.#outlet.put(this.#progress.reached(relisted.version), signal);
    return { kind: "watch", trust: "fresh" };
  }

  async #watch(trust: Trust, signal: AbortSignal): Promise<Position> {
    const { client, clock, random } = this.#ports;
    // Where we are is in the ledger before anybody asks what comes next: whoever dies in between begins here, and not anew.
    await new Promise<void>((resolve) => endOfTurn.giveOut(resolve));
    signal.throwIfAborted();
    if (trust === "doubtful" && this.#isAhead((await this.#choose(signal)).resourceVersion))
      return this.#future();

    const left: { error: Error | null; held: SourceItem | null } = { error: null, held: null };
    const over = new AbortController();
    const request = {
      path: this.#path,
      query: selector(this.#options.onlyNotNormal),
      resourceVersion: this.#progress.version,
      // Spread, so that a fleet does not come back all at once.
      timeoutSeconds: 300 + Math.floor(random() * 300),
    };
    const opened = (): void => {
      if (trust === "fresh") this.#accepted();
      else void after(clock, ACCEPTED_MS, over.signal, () => this.#accepted());
    };
    const frame = (frame: Frame): boolean | Promise<boolean> => {
      const item = this.#read(frame);
      if (item instanceof Error) left.error = item;
      if (item === null || item instanceof Error) return item === null;
      const taken = this.#outlet.offer(item, signal);
      if (taken === true) return true;
      return Promise.resolve(taken).then((taken) => {
        if (!taken) left.held = item;
        return taken;
      });
    };
    try {
      const end = await watch(client, clock, request, { opened, frame }, signal);
      if (left.error !== null) throw left.error;
      if (left.held !== null) {
        this.#cause = "blocked";
        await this.#outlet.put(left.held, signal);
        return { kind: "watch", trust: "usual" };
      }
      if (end.kind === "stalled")
        throw new Interrupted("stalled", `${client.server} fell silent; connecting anew`);
      if (end.kind === "closed" && end.idle)
        throw new Interrupted("closed", `${client.server} ends each watch at once`);
      this.#cause = "closed";
      this.#expired = 0;
      // Nothing unseen up to now: so the checkpoint of a quiet cluster does not grow old.
      await this.#outlet.put(this.#progress.reached(this.#progress.version), signal);
      return { kind: "watch", trust: "usual" };
    } finally {
      over.abort();
    }
  }

  /** `null`: nothing to put; an Error: leave the watch. */
  #read(frame: Frame): SourceItem | Error | null {
    const reading = this.#progress.read(frame);
    if (reading.kind === "refused") return reading.error;
    if (reading.kind === "garbage") {
      this.#ports.observer.sourceGarbage(this.#ports.name, reading.detail);
      this.#garbage += 1;
      if (this.#garbage <= GARBAGE_LIMIT) return null;
      this.#garbage = 0;
      return new Interrupted("garbage", `nothing readable comes from ${this.#ports.client.server}`);
    }
    this.#garbage = 0;
    this.#expired = 0;
    this.#accepted();
    return reading.kind === "item" ? reading.item : null;
  }

  /** The watch is live: said once, and after each interruption with its cause. */
  #accepted(): void {
    if (!this.#synced) {
      this.#synced = true;
      this.#ports.synced();
    } else if (this.#cause !== null) {
      this.#ports.observer.sourceResumed(this.#ports.name, this.#cause);
    }
    this.#cause = null;
    this.#ports.reunion.back(this.#options.scope);
  }

  /** The group that may be read now, which a change of the Role makes another one; versions are the same in both. */
  async #choose(signal: AbortSignal): Promise<Chosen> {
    const { api, namespace } = this.#options;
    const chosen = await chooseGroup(this.#ports.client, api, namespace, signal);
    this.#path = eventsPath(chosen.group, namespace);
    return chosen;
  }

  /** Whether we know a version that the cluster has not reached yet: it would hang in silence. */
  #isAhead(current: string): boolean {
    return (compareVersions(this.#progress.version, current) ?? 0) > 0;
  }

  #future(): Position {
    return future(this.#progress.at, this.#ports.clock.now());
  }

  /** Where to go on after an error, once it may be tried again. */
  async #recover(error: unknown, signal: AbortSignal): Promise<Position> {
    signal.throwIfAborted();
    this.#ports.reunion.away(this.#options.scope);
    let next = this.#position;
    if (next.kind === "watch") {
      // Also where the server says that the version is of the future: one replica of several may lag behind for a moment.
      next = { kind: "watch", trust: "doubtful" };
      if (error instanceof ApiError && (error.gone || error.malformed)) {
        next = relisting(error.malformed ? null : this.#progress.version);
        this.#cause = "expired";
        this.#expired += 1;
        // Routine. Only a server that expires what it has just listed is waited for.
        if (this.#expired === 1) return next;
      }
    }

    const failure = classify(error);
    if (failure === null) throw error;
    // That a watch had ended as usual says nothing about why it could not be opened again.
    if (this.#cause === null || this.#cause === "closed") this.#cause = failure.cause;
    const waitMs = Math.max(failure.waitMs, this.#backoff.next());
    this.#ports.observer.sourceFailed(this.#ports.name, failure.cause, failure.detail, waitMs);
    await this.#ports.clock.sleep(waitMs, signal);
    return next;
  }
}
