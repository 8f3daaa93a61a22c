import { isIPv6 } from "node:net";
import type { Clock } from "../../clock.ts";
import { Remembered } from "./remembered.ts";

/** So many wrong tokens from one place, then a wait. */
const MOST = 10;
const PER_MS = 60_000;
const MOST_PLACES = 10_000;
/** Whoever waits longer for those before them is told so. */
const PATIENCE_MS = 10_000;

/** Questions of one place that are under way, and who waits for one of them to end. */
interface UnderWay {
  count: number;
  readonly waiting: (() => void)[];
}

/** Counts wrong tokens by where they come from, in bounded memory. */
export class Limiter {
  readonly #clock: Clock;
  readonly #failed: Remembered<readonly number[]>;
  readonly #underWay = new Map<string, UnderWay>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#failed = new Remembered(clock, MOST_PLACES);
  }

  failed(address: string): void {
    const place = placeOf(address);
    this.#failed.set(place, [...this.#recent(place), this.#clock.now()].slice(-MOST), PER_MS);
  }

  /** Milliseconds until this place may try again; 0: now. */
  waitMs(address: string): number {
    const recent = this.#recent(placeOf(address));
    const [first] = recent;
    return recent.length < MOST || first === undefined ? 0 : first + PER_MS - this.#clock.now();
  }

  /**
   * Before a token is asked about, whose end has to be told. No more of one place are under way than may still turn out to be wrong, the
   * others wait for them: many at once are no way around the limit.
   * @returns milliseconds until this place may try again; 0: now; `late`: they have no answer yet, and none of it is under way
   */
  async begin(address: string): Promise<number | "late"> {
    const place = placeOf(address);
    const through = new AbortController();
    let late: Promise<"late"> | null = null;
    try {
      for (;;) {
        const wait = this.waitMs(address);
        if (wait > 0) return wait;
        const here = this.#underWay.get(place) ?? { count: 0, waiting: [] };
        if (this.#recent(place).length + here.count < MOST) {
          here.count += 1;
          this.#underWay.set(place, here);
          return 0;
        }
        late ??= this.#clock.sleep(PATIENCE_MS, through.signal).then(() => "late");
        const turn = new Promise<void>((resolve) => here.waiting.push(resolve));
        if ((await Promise.race([turn, late])) === "late") return "late";
      }
    } finally {
      through.abort();
    }
  }

  /** @param isWrong the token was nobody's */
  end(address: string, isWrong: boolean): void {
    const place = placeOf(address);
    if (isWrong) this.failed(address);
    const here = this.#underWay.get(place);
    if (here === undefined) return;
    here.count -= 1;
    if (here.count === 0) this.#underWay.delete(place);
    for (const resume of here.waiting.splice(0)) resume();
  }

  #recent(place: string): readonly number[] {
    const since = this.#clock.now() - PER_MS;
    return (this.#failed.get(place) ?? []).filter((at) => at > since);
  }
}

/** Whoever has one IPv6 address has the 2^64 beside it. */
function placeOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = "", tail = ""] = address.split("::");
  const left = head.split(":").filter((part) => part !== "");
  const right = tail.split(":").filter((part) => part !== "");
  const missing = address.includes("::") ? Math.max(0, 8 - left.length - right.length) : 0;
  const parts = [...left, ...Array.from({ length: missing }, () => "0"), ...right];
  return parts
    .slice(0, 4)
    .map((part) => Number.parseInt(part, 16).toString(16))
    .join(":");
}
