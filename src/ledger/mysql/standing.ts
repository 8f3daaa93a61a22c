import type { MysqlOutboxPorts } from "./ports.ts";

/** A leader that has not reached the database for so long asks whether it still is one, before it sends. */
const SURE_MS = 5_000;

/** How it stands with the ledger: within reach or away, ours or another's. */
export class Standing {
  readonly #ports: Pick<MysqlOutboxPorts, "clock" | "elected" | "away">;
  readonly #onFenced: (() => void)[] = [];
  #isAway = false;
  #isFenced = false;
  #sureAt: number;

  constructor(ports: Pick<MysqlOutboxPorts, "clock" | "elected" | "away">) {
    this.#ports = ports;
    this.#sureAt = ports.clock.now();
  }

  get isAway(): boolean {
    return this.#isAway;
  }

  /** Another has it, for good. */
  get isFenced(): boolean {
    return this.#isFenced;
  }

  /** It is away, and memory does its work. */
  get isBypassed(): boolean {
    return this.#isAway && this.#ports.away === "bypass";
  }

  /** As far as anybody knows it is still ours. */
  isSure(now: number): boolean {
    return !this.#ports.elected || this.#isAway || now - this.#sureAt <= SURE_MS;
  }

  /** The database has answered that it is. */
  sure(): void {
    this.#sureAt = this.#ports.clock.now();
  }

  left(): void {
    this.#isAway = true;
  }

  back(): void {
    this.#isAway = false;
  }

  fence(): void {
    if (this.#isFenced) return;
    this.#isFenced = true;
    for (const callback of this.#onFenced) callback();
  }

  /** Calls back once, in the order of asking. */
  onFenced(callback: () => void): void {
    this.#onFenced.push(callback);
  }
}
