import type { Clock } from "../../clock.ts";
import { ConnectionError, connectionError } from "./errors.ts";
import { type Frame, readFrame } from "./frames.ts";
import { type Line, LineSplitter } from "./lines.ts";
import type { KubeClient, Query } from "./transport.ts";

/** How a watch ended, other than by an error of the connection, which is thrown. */
export type WatchEnd =
  /** As it does every few minutes. `idle`: within a second, and without a word, which is no watch. */
  | { readonly kind: "closed"; readonly idle: boolean }
  /** Nothing came and it did not end when it should have. */
  | { readonly kind: "stalled" }
  /** The consumer of frames had enough. */
  | { readonly kind: "stopped" };

export interface WatchRequest {
  readonly path: string;
  readonly query: Query;
  readonly resourceVersion: string;
  /** Asked of the server, which then ends the watch by itself. */
  readonly timeoutSeconds: number;
}

export interface WatchHandlers {
  /** The server has accepted the watch. */
  opened(): void;
  /** False: stop. A promise holds the stream back (and TCP, and the server) until it is kept. */
  frame(frame: Frame): boolean | Promise<boolean>;
}

/** How long after its own end a silent watch counts as half-open. */
const GRACE_MS = 30_000;
const IDLE_MS = 1_000;
const TOO_LONG: Frame = { kind: "garbage", detail: "a line of more than 8 MiB" };

/** One watch from `resourceVersion` until it ends. Throws ApiError, ConnectionError, CredentialsError. */
export async function watch(
  client: KubeClient,
  clock: Clock,
  request: WatchRequest,
  handlers: WatchHandlers,
  signal: AbortSignal,
): Promise<WatchEnd> {
  const openedAt = clock.now();
  const response = await client.stream(
    request.path,
    {
      watch: "true",
      resourceVersion: request.resourceVersion,
      allowWatchBookmarks: "true",
      timeoutSeconds: String(request.timeoutSeconds),
      ...request.query,
    },
    signal,
  );
  handlers.opened();

  const over = new AbortController();
  const liveness = { lastAt: clock.now(), held: false, stalled: false };
  const deadline = openedAt + request.timeoutSeconds * 1000 + GRACE_MS;
  void guard(clock, deadline, liveness, over.signal, () => response.destroy());

  const lines = new LineSplitter();
  let frames = 0;
  const handle = (line: Line): boolean | Promise<boolean> => {
    frames += 1;
    const answer = handlers.frame(line.kind === "line" ? readFrame(line.text) : TOO_LONG);
    return typeof answer === "boolean" ? answer : held(answer);
  };
  const held = async (answer: Promise<boolean>): Promise<boolean> => {
    liveness.held = true;
    const more = await answer;
    liveness.held = false;
    liveness.lastAt = clock.now();
    return more;
  };
  try {
    for await (const chunk of response) {
      liveness.lastAt = clock.now();
      for (const line of lines.push(chunk as string)) {
        const more = handle(line);
        if (!(typeof more === "boolean" ? more : await more)) return { kind: "stopped" };
      }
    }
    if (liveness.stalled) return { kind: "stalled" };
    // A last line without its end is either whole, or comes again with the next watch.
    const rest = lines.rest();
    if (
      rest !== "" &&
      readFrame(rest).kind !== "garbage" &&
      !(await handle({ kind: "line", text: rest }))
    )
      return { kind: "stopped" };
    return { kind: "closed", idle: frames === 0 && clock.now() - openedAt < IDLE_MS };
  } catch (error) {
    if (liveness.stalled) return { kind: "stalled" };
    const broken = connectionError(error, client.server);
    throw new ConnectionError(broken.message.replace("no connection to", "lost the watch of"));
  } finally {
    over.abort();
    response.destroy();
  }
}

/** Ends a watch that outlived its time in silence. While the consumer holds the stream back, silence says nothing. */
async function guard(
  clock: Clock,
  deadline: number,
  liveness: { lastAt: number; held: boolean; stalled: boolean },
  signal: AbortSignal,
  end: () => void,
): Promise<void> {
  let wakeAt = deadline;
  for (;;) {
    await clock.sleep(wakeAt - clock.now(), signal);
    if (signal.aborted) return;
    const silentUntil = liveness.held ? clock.now() + GRACE_MS : liveness.lastAt + GRACE_MS;
    wakeAt = Math.max(deadline, silentUntil);
    if (clock.now() >= wakeAt) {
      liveness.stalled = true;
      end();
      return;
    }
  }
}
