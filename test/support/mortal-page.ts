import { BroadcastChannel, workerData } from "node:worker_threads";
import type { Beginning } from "../../src/app/web-wire.ts";

/** The page's thread as it is, and ways for a test to end it: by a mistake, by all of its memory, by a loop without end. */
const channel = new BroadcastChannel((workerData as Beginning).version);
channel.addEventListener("message", (event) => {
  const what: unknown = (event as MessageEvent).data;
  if (what === "throw") throw new Error("a mistake in the page");
  const kept: number[][] = [];
  for (;;) if (what === "fill") kept.push(Array.from({ length: 100_000 }, (_, n) => n + 0.5));
});
// By itself it keeps no thread alive.
channel.unref();
await import("../../src/app/web-worker.ts");
