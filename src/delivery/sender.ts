import type { Delivery } from "../event/delivery.ts";
import type { Observer } from "../observe/observer.ts";
import type { SinkCheck } from "../sink/define.ts";
import type { Verdict } from "../sink/verdict.ts";

/** What came of one request. `sent` and `answer` are for the history: without secrets, of bounded length. */
export interface Sent {
  readonly verdict: Verdict;
  readonly sent: string;
  readonly answer: string;
}

/** One sink instance, as a lane uses it: render, build the request, send it, judge the answer. */
export interface Sender {
  /** @param now milliseconds since the epoch, for what is signed anew at each attempt. Stops early when `signal` aborts. */
  send(delivery: Delivery, signal: AbortSignal, now: number): Promise<Sent>;
  /** Before the first; `null` where there is no harmless way to know. */
  check?(signal: AbortSignal): Promise<SinkCheck | null>;
  close(): Promise<void>;
}

/** Closes it; that it cannot be is said, and is no reason to let what else ends wait or fail. */
export async function closed(
  name: string,
  sender: Pick<Sender, "close">,
  observer: Pick<Observer, "error">,
): Promise<void> {
  try {
    await sender.close();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    observer.error(`${name}: cannot be closed: ${why}`);
  }
}
