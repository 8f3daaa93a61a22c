import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, it, onTestFinished } from "vitest";
import { hangs } from "../../../src/app/web-watchdog.ts";
import { FakeClock } from "../../support/clock.ts";

const LOOK_MS = 10_000;
const HANGS_AFTER_MS = 100;

/** Answers once it was told to go on and has had more of the processor than one that hangs. */
const SLOW = `
  const { parentPort, workerData } = require("node:worker_threads");
  const flags = new Int32Array(workerData);
  parentPort.on("message", () => {
    while (Atomics.load(flags, 0) === 0);
    const { user } = process.threadCpuUsage();
    while (process.threadCpuUsage().user - user < ${5 * HANGS_AFTER_MS * 1000});
    parentPort.postMessage("alive");
    Atomics.store(flags, 1, 1);
    Atomics.notify(flags, 1);
  });
`;

it(
  "hears what was answered while this thread was held up itself",
  { timeout: 60_000 },
  async () => {
    const flags = new Int32Array(new SharedArrayBuffer(8));
    const worker = new Worker(SLOW, { eval: true, workerData: flags.buffer });
    onTestFinished(async () => void (await worker.terminate()));
    await once(worker, "online");
    // What is woken does not wait for what the other thread sent.
    const clock = new FakeClock("2026-11-20T08:00:00Z", () => Promise.resolve());
    const over = new AbortController();
    const alive = async () => {
      worker.postMessage("alive?", []);
      await once(worker, "message");
    };
    const told = hangs({ worker, alive, hangsAfterMs: HANGS_AFTER_MS }, clock, over.signal);
    const looked = async () => {
      await expect.poll(() => clock.sleeping, { timeout: 30_000 }).toBe(1);
    };
    await clock.advance(LOOK_MS);
    await looked();
    Atomics.store(flags, 0, 1);
    Atomics.wait(flags, 1, 0);
    await clock.advance(LOOK_MS);
    await looked();
    over.abort();
    expect(await told).toBeNull();
  },
);

it("ends with the thread that it watches", async () => {
  const worker = new Worker("setInterval(() => {}, 1000)", { eval: true });
  await once(worker, "online");
  const clock = new FakeClock();
  const alive = () => once(worker, "exit").then(() => Promise.reject(new Error("it has ended")));
  const told = hangs(
    { worker, alive, hangsAfterMs: HANGS_AFTER_MS },
    clock,
    new AbortController().signal,
  );
  await worker.terminate();
  await clock.advance(LOOK_MS);
  expect(await told).toBeNull();
  expect(clock.sleeping).toBe(0);
});
