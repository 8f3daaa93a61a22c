import type { Clock } from "../../clock.ts";
import type { Gap } from "../source.ts";

/** Nobody who has caught up waits longer for those who have not. */
const PATIENCE_MS = 30_000;

/**
 * The streams of a source lose sight of the cluster together and find it again one by one. What their lists have brought is told
 * once for all of them: twenty namespaces are no reason to say it twenty times.
 */
export class Reunion {
  readonly #clock: Clock;
  readonly #tell: (gap: Gap | null) => void;
  readonly #away: Set<string>;
  #gap: Gap | null = null;
  #waiting: (() => void)[] = [];
  #over = new AbortController();

  /** @param scopes of the streams: all of them are away at first */
  constructor(scopes: readonly string[], clock: Clock, tell: (gap: Gap | null) => void) {
    this.#away = new Set(scopes);
    this.#clock = clock;
    this.#tell = tell;
  }

  /** The stream cannot watch. */
  away(scope: string): void {
    this.#away.add(scope);
  }

  /** The stream watches. */
  back(scope: string): void {
    this.#away.delete(scope);
    if (this.#away.size === 0) this.#all();
  }

  /** The stream has handed on its list. Resolves once that is told, so that no checkpoint after it is earlier. Throws on abort. */
  async listed(scope: string, gap: Gap | null, signal: AbortSignal): Promise<void> {
    this.#gap = widest(this.#gap, gap);
    const told = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.back(scope);
    if (this.#waiting.length === 1) void this.#patience(signal);
    await told;
    signal.throwIfAborted();
  }

  async #patience(signal: AbortSignal): Promise<void> {
    const over = this.#over;
    const stop = () => over.abort();
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    await this.#clock.sleep(PATIENCE_MS, over.signal);
    signal.removeEventListener("abort", stop);
    if (signal.aborted) this.#release();
    else if (!over.signal.aborted) this.#all();
  }

  #all(): void {
    if (this.#waiting.length === 0) return;
    this.#tell(this.#gap);
    this.#gap = null;
    this.#release();
  }

  #release(): void {
    this.#over.abort();
    this.#over = new AbortController();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** From the earliest beginning to the latest end, for the first cause. */
function widest(a: Gap | null, b: Gap | null): Gap | null {
  if (a === null || b === null) return a ?? b;
  return {
    cause: a.cause,
    since: a.since < b.since ? a.since : b.since,
    until: a.until > b.until ? a.until : b.until,
    listed: a.listed || b.listed,
  };
}
