import type { Observer } from "../../src/observe/observer.ts";

/** One call as it was made: the name, then the arguments. */
export type ObserverCall = {
  [Name in keyof Observer]: readonly [Name, ...Parameters<Observer[Name]>];
}[keyof Observer];

export interface RecordingObserver {
  readonly observer: Observer;
  /** Everything observed, in order; a test may empty it (`calls.length = 0`). */
  readonly calls: ObserverCall[];
  /** The arguments of every call of that name, in order. */
  of<Name extends keyof Observer>(name: Name): readonly Parameters<Observer[Name]>[];
}

/** An Observer that remembers. */
export function recordingObserver(): RecordingObserver {
  const calls: ObserverCall[] = [];
  const observer = new Proxy({} as Observer, {
    // Symbols and `then` are asked for by printing and awaiting, not by anything observed.
    get: (_, name) =>
      typeof name === "symbol" || name === "then"
        ? undefined
        : (...args: readonly unknown[]) => {
            calls.push([name, ...args] as unknown as ObserverCall);
          },
  });
  return {
    observer,
    calls,
    of: <Name extends keyof Observer>(name: Name) =>
      calls
        .filter((call) => call[0] === name)
        .map((call) => call.slice(1) as unknown as Parameters<Observer[Name]>),
  };
}
