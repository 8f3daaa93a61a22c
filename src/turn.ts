/**
 * The end of a turn of the event loop: after everything that the network brought, before it is asked again. First comes what takes in,
 * then what gives out; so what a turn brought becomes one transaction of the ledger, the more of it the less the processor keeps up.
 */
class EndOfTurn {
  #in: (() => void)[] = [];
  #out: (() => void)[] = [];
  #awaited = false;

  /** For what takes in. Promises it settles have had their effect before anything gives out. */
  takeIn(callback: () => void): void {
    this.#in.push(callback);
    this.#await();
  }

  /** For what gives out; in this same turn also where what was taken in asks for it. */
  giveOut(callback: () => void): void {
    this.#out.push(callback);
    this.#await();
  }

  #await(): void {
    if (this.#awaited) return;
    this.#awaited = true;
    // Two, because promises are seen to between them.
    setImmediate(() => {
      const callbacks = this.#in;
      this.#in = [];
      for (const callback of callbacks) callback();
    });
    setImmediate(() => {
      const callbacks = this.#out;
      this.#out = [];
      this.#awaited = false;
      if (this.#in.length > 0) this.#await();
      for (const callback of callbacks) callback();
    });
  }
}

/** A thread has one event loop. */
export const endOfTurn = new EndOfTurn();
