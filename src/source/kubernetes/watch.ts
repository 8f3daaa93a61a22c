import type { Clock } from "../../clock.ts";
import { ConnectionError, connectionError } from "./errors.ts";
import { type Frame, readFrame } from "./frames.ts";
import { type Line, LineSplitter } from "./lines.ts";
import type { KubeClient, Query } from "./transport.ts";

/** How a watch ended, other than by an error of the connection, which is thrown. */
export type WatchEnd =
  /** As it does every few minutes. `idle`: within a second, and without a word of what changed, which is no watch. */
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
  const over = new AbortController();
  const liveness = { heard: 0, held: false, stalled: false, young: true };
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

  void guard(clock, request.timeoutSeconds * 1000, liveness, over.signal, () => response.destroy());

  const lines = new LineSplitter();
  let idle = true;
  const handle = (line: Line): boolean | Promise<boolean> => {
    const frame = line.kind === "line" ? readFrame(line.text) : TOO_LONG;
    // A page for people in place of a watch has lines as well.
    if (frame.kind !== "garbage" && frame.kind !== "bookmark") idle = false;
    const answer = handlers.frame(frame);
    return typeof answer === "boolean" ? answer : held(answer);
  };
  const held = async (answer: Promise<boolean>): Promise<boolean> => {
    liveness.held = true;
    const more = await answer;
    liveness.held = false;
    liveness.heard += 1;
    return more;
  };
  try {
    for await (const chunk of response) {
      liveness.heard += 1;
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
    return { kind: "closed", idle: idle && liveness.young };
  } catch (error) {
    if (liveness.stalled) return { kind: "stalled" };
    // Whatever breaks a stream has a code; the rest is a mistake of ours with what it brought.
    if (typeof (error as { code?: unknown }).code !== "string") throw error;
    const broken = connectionError(error, client.server);
    throw new ConnectionError(broken.message.replace("no connection to", "lost the watch of"));
  } finally {
    over.abort();
    response.destroy();
  }
}

/**
 * Ends a watch that outlived its time in silence. While the consumer holds the stream back, silence says nothing. Told by timers alone:
 * where somebody sets the time of day back, a half-open connection would be believed in for as long.
 */
async function guard(
  clock: Clock,
  ms: number,
  liveness: { readonly heard: number; readonly held: boolean; stalled: boolean; young: boolean },
  signal: AbortSignal,
  end: () => void,
): Promise<void> {
  await clock.sleep(IDLE_MS, signal);
  if (signal.aborted) return;
  liveness.young = false;
  await clock.sleep(ms - IDLE_MS, signal);
  for (;;) {
    const { heard } = liveness;
    await clock.sleep(GRACE_MS, signal);
    if (signal.aborted) return;
    if (liveness.held || liveness.heard !== heard) continue;
    liveness.stalled = true;
    end();
    return;
  }
}
