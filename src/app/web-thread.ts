import { Worker } from "node:worker_threads";
import type { Config, ConfigIssue } from "../config/config.ts";
import type { Origin } from "../config/origin.ts";
import type { Observer } from "../observe/observer.ts";
import type { Listening } from "../web/listen.ts";
import { Calls, LostError } from "./calls.ts";
import type { Live } from "./desk.ts";
import type { WebSite } from "./web.ts";
import { deliveringSide, type StatePorts } from "./web-state.ts";
import { HANGS_AFTER_MS, hangs } from "./web-watchdog.ts";
import type { Beginning, PageSide } from "./web-wire.ts";

export interface WebThreadPorts extends StatePorts {
  readonly observer: StatePorts["observer"] & Pick<Observer, "pageEnded">;
  readonly version: string;
  /** What it loads its configuration from. */
  readonly origin: Origin;
  /** Ends it where nobody has closed it. */
  readonly signal: AbortSignal;
  /** What the thread runs instead of its program: for tests that make it die. */
  readonly program?: URL;
  /** Less than usual: for tests that make it hang. */
  readonly hangsAfterMs?: number;
}

interface Running {
  readonly worker: Worker;
  readonly calls: Calls<PageSide>;
  readonly ended: Promise<void>;
  /** What it ended of is known to be this. */
  readonly blame: (why: string) => void;
}

/** With 500 who follow and 200 who read the whole process grows by some 50 MiB. */
const HEAP_MB = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16 } as const;
/** A thread that does not end in this time is ended. */
const CLOSE_MS = 1_800;
const RESTART_MS = { first: 1_000, most: 60_000 } as const;

/** What runs before it is known. */
const NOTHING_RUNS: Live = {
  history: () => null,
  lane: () => null,
  standby: () => null,
  waitingFor: () => [],
  canaries: () => [],
};

/**
 * The page in a thread of its own, so that no reader holds up what is delivered. It begins with the first question and is begun again where
 * it dies: that is no reason to stop delivering.
 */
export class WebThread implements WebSite {
  readonly #config: Config;
  readonly #ports: WebThreadPorts;
  readonly #closing = new AbortController();
  #running: Running | null = null;
  #live: Live = NOTHING_RUNS;
  /** Where it listens, once it has. */
  #port: number | null = null;
  #openedAt = 0;
  #waitMs: number = RESTART_MS.first;
  #isBeginningAgain = false;
  #closed: Promise<void> | null = null;

  constructor(config: Config, ports: WebThreadPorts) {
    this.#config = config;
    this.#ports = ports;
    ports.signal.addEventListener("abort", () => void this.#close(), { once: true });
  }

  async problems(within: AbortSignal): Promise<readonly ConfigIssue[]> {
    const over = Promise.withResolvers<readonly ConfigIssue[]>();
    const give = () => over.resolve([]);
    if (within.aborted) give();
    within.addEventListener("abort", give, { once: true });
    try {
      return await Promise.race([this.#thread().calls.ask("problems"), over.promise]);
    } catch (error) {
      // That is told where it happens.
      if (error instanceof LostError) return [];
      throw error;
    } finally {
      within.removeEventListener("abort", give);
    }
  }

  async open(live: Live, stop: AbortSignal): Promise<Listening> {
    this.#live = live;
    const close = () => void this.#close();
    if (stop.aborted) close();
    stop.addEventListener("abort", close, { once: true });
    const { url, port } = await this.#open();
    return { url, port, close: () => this.#close() };
  }

  async #open() {
    const running = this.#thread();
    const opened = await running.calls.ask("open");
    this.#port = opened.port;
    this.#openedAt = this.#ports.clock.now();
    void this.#watch(running);
    return opened;
  }

  /** A thread that hangs is ended, and begun again as one that died. */
  async #watch({ worker, calls, ended, blame }: Running): Promise<void> {
    const { clock, hangsAfterMs = HANGS_AFTER_MS } = this.#ports;
    const over = new AbortController();
    void ended.then(() => over.abort());
    const alive = () => calls.ask("alive");
    const why = await hangs({ worker, alive, hangsAfterMs }, clock, over.signal);
    if (why === null) return;
    blame(why);
    await worker.terminate();
  }

  #thread(): Running {
    if (this.#closing.signal.aborted) throw new LostError("the page is closed");
    this.#running ??= this.#begin();
    return this.#running;
  }

  #begin(): Running {
    const { origin, version, recall, program } = this.#ports;
    const beginning: Beginning = {
      origin,
      version,
      port: this.#port,
      arrivals: recall.arrivals,
    };
    const file = globalThis.BUNDLED === true ? "./web-worker.js" : "./web-worker.ts";
    const worker = new Worker(program ?? new URL(file, import.meta.url), {
      name: "page",
      workerData: beginning,
      resourceLimits: HEAP_MB,
    });
    const calls = new Calls<PageSide>(
      worker,
      deliveringSide(this.#config, this.#ports, () => this.#live),
    );
    const ended = Promise.withResolvers<void>();
    let why = "it ended by itself";
    const blame = (reason: string) => (why = reason);
    const running = { worker, calls, ended: ended.promise, blame };
    worker.on("error", (error) => blame(error.message));
    worker.once("exit", () => {
      calls.lose(`the page's thread has ended: ${why}`);
      ended.resolve();
      if (this.#running !== running) return;
      this.#running = null;
      // Before it was open, whoever opens it is told.
      if (this.#port !== null && !this.#isBeginningAgain) void this.#beginAgain(why);
    });
    return running;
  }

  async #beginAgain(first: string): Promise<void> {
    const { clock, observer } = this.#ports;
    const closing = this.#closing.signal;
    let why = first;
    this.#isBeginningAgain = true;
    if (clock.now() - this.#openedAt >= RESTART_MS.most) this.#waitMs = RESTART_MS.first;
    while (!closing.aborted) {
      const waitMs = this.#waitMs;
      this.#waitMs = Math.min(RESTART_MS.most, waitMs * 2);
      observer.pageEnded(why, waitMs);
      await clock.sleep(waitMs, closing);
      if (closing.aborted) return;
      try {
        const { url } = await this.#open();
        this.#isBeginningAgain = false;
        observer.notice(`the page is served again at ${url}`);
        return;
      } catch (error) {
        why = error instanceof Error ? error.message : String(error);
        await this.#end();
      }
    }
  }

  #close(): Promise<void> {
    this.#closed ??= this.#closeIt();
    return this.#closed;
  }

  async #closeIt(): Promise<void> {
    this.#closing.abort();
    const running = this.#running;
    if (running === null) return;
    const patience = new AbortController();
    await Promise.race([
      running.calls.ask("close").catch(() => undefined),
      this.#ports.clock.sleep(CLOSE_MS, patience.signal),
    ]);
    patience.abort();
    await this.#end();
  }

  /** At once, whatever it does. */
  async #end(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    await running?.worker.terminate();
    await running?.ended;
  }
}
