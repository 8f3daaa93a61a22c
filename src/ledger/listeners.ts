/** Who wants to know when something falls due of a sink. */
export class Listeners {
  readonly #of = new Map<string, Set<() => void>>();

  /** @returns the way to stop listening */
  add(sink: string, callback: () => void): () => void {
    const of = this.#of.get(sink) ?? new Set();
    this.#of.set(sink, of.add(callback));
    return () => of.delete(callback);
  }

  tell(sinks: Iterable<string>): void {
    for (const sink of sinks) for (const callback of this.#of.get(sink) ?? []) callback();
  }

  tellAll(): void {
    this.tell(this.#of.keys());
  }
}
