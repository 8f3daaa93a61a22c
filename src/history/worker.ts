import { getPriority, setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { setImmediate as nextTurn } from "node:timers/promises";
import { systemClock } from "../clock.ts";
import { placesIn } from "./open.ts";
import type { FromThread, ToThread, Where } from "./thread.ts";
import { BusyError, UnreadableError } from "./history.ts";
import type { Answering } from "./question.ts";
import { Engine } from "./sqlite/engine.ts";

/** What runs in the thread: answers what it is asked, and indexes when nobody asks. */
// Where the processor does not do for everything, what is to be delivered comes first. On Linux it is this thread's priority, elsewhere the process's.
if (process.platform === "linux") setPriority(Math.max(10, getPriority()));
const port = parentPort;
if (port === null) throw new Error("this module is the history's thread");
const where = workerData as Where;

/** Answers, and indexes a batch at a time, whether or not somebody has asked. */
interface Working extends Answering {
  work(): boolean | Promise<boolean>;
}

// Only those who have a database load what asks it.
const engine: Working =
  "dataDir" in where
    ? new Engine(placesIn(where.dataDir), systemClock)
    : new (await import("./mysql/engine.ts")).Engine(where.target, systemClock);
/** A database is asked and written side by side. */
const isShared = !("dataDir" in where);
const running = new Map<number, AbortController>();
const tell = (message: FromThread) => port.postMessage(message);
const state = { indexing: false, closing: false };

port.on("message", (message: ToThread) => {
  switch (message.kind) {
    case "ask":
      void answer(message);
      return;
    case "stop":
      running.get(message.id)?.abort();
      return;
    case "index":
      if (!state.indexing) void index();
      return;
    case "close":
      state.closing = true;
      for (const stopping of running.values()) stopping.abort();
      void engine.close().finally(() => port.close());
      return;
  }
});

async function answer({ id, question }: ToThread & { kind: "ask" }): Promise<void> {
  const stopping = new AbortController();
  running.set(id, stopping);
  try {
    tell({ kind: "answer", id, answer: await engine.answer(question, stopping.signal) });
  } catch (error) {
    tell({ kind: "failed", id, ...problemOf(error) });
  } finally {
    running.delete(id);
  }
}

async function index(): Promise<void> {
  state.indexing = true;
  for (;;) {
    await nextTurn();
    // Whoever asks comes first.
    if ((running.size > 0 && !isShared) || state.closing) break;
    if (!(await engine.work())) break;
  }
  state.indexing = false;
  if (!state.closing) tell({ kind: "indexed" });
}

function problemOf(error: unknown): Pick<FromThread & { kind: "failed" }, "name" | "message"> {
  const known = error instanceof UnreadableError || error instanceof BusyError;
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return known || name === "ConfigError" || name === "AbortError"
    ? { name: known ? name : "UnreadableError", message }
    : { name, message };
}
