import { BroadcastChannel, workerData } from "node:worker_threads";
import type { Beginning } from "../../src/app/web-wire.ts";

/** A mistake, all of its memory, a loop without end, a match without end, no processor, never at rest. */
export type Unwell = "throw" | "fill" | "hang" | "match" | "wait" | "work";

/** The page's thread as it is, and ways for a test to make it unwell. */
const { version, arrivals } = workerData as Beginning;
const channel = new BroadcastChannel(version);
const does: Readonly<Record<Unwell, () => void>> = {
  throw() {
    throw new Error("a mistake in the page");
  },
  fill() {
    const kept: number[][] = [];
    for (;;) kept.push(Array.from({ length: 100_000 }, (_, n) => n + 0.5));
  },
  hang() {
    for (;;);
  },
  match() {
    /^(?:a+)+$/.test(`${"a".repeat(99)}b`);
  },
  // Until an event arrives.
  wait() {
    Atomics.wait(new Int32Array(arrivals.buffer), 0, 0);
  },
  work() {
    const until = performance.now() + 20;
    while (performance.now() < until);
    setImmediate(does.work);
  },
};
channel.addEventListener("message", (event) => {
  const what: unknown = (event as MessageEvent).data;
  does[what as Unwell]();
});
// By itself it keeps no thread alive.
channel.unref();
await import("../../src/app/web-worker.ts");
