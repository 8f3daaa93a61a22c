import { createAdaptorServer, type HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono, type Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { html, raw } from "hono/html";
import type { AddressInfo } from "node:net";
import { systemClock, type Clock } from "../clock.ts";

/** hono's one door. `html` escapes what is interpolated; `raw` marks text of our own that must not be. */
export { Hono, bodyLimit, html, raw };
export type { Context, HttpBindings };
/** What `html` gives: escaped text, ready to be interpolated into more of it. */
export type Html = ReturnType<typeof html>;
export type NodeEnv = { Bindings: HttpBindings };

export interface ListenOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly app: { fetch(request: Request, env: HttpBindings): Response | Promise<Response> };
  readonly clock?: Clock;
}

export interface Listening {
  /** `http://HOST:PORT`, without a slash at its end; a wildcard host is shown as 127.0.0.1. */
  readonly url: string;
  readonly port: number;
  /** Takes no more connections, gives requests in flight one second, then cuts them. May be called twice. */
  close(): Promise<void>;
}

const GRACE_MS = 1000;

/** Resets the connection a request came on instead of answering it. */
export function cutConnection(c: Context<NodeEnv>): Response {
  c.env.incoming.socket.resetAndDestroy();
  return RESPONSE_ALREADY_SENT;
}

export async function listen(options: ListenOptions): Promise<Listening> {
  const { host, port, app, clock = systemClock } = options;
  let closing: Promise<void> | undefined;
  const server = createAdaptorServer({
    fetch: async (request, env) => {
      const bindings = env as HttpBindings;
      const response = await app.fetch(request, bindings);
      // Otherwise a client's kept connection would hold the close up.
      if (closing !== undefined) bindings.outgoing.shouldKeepAlive = false;
      return response;
    },
    // The adapter's faster Request and Response are not worth replacing the process's globals.
    overrideGlobalObjects: false,
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) =>
      reject(new Error(problemOf(cause, host, port), { cause })),
    );
    server.listen(port, host, () => resolve());
  });
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://${shownHost(host)}:${bound}`,
    port: bound,
    close: () => {
      closing ??= closeServer(server, clock);
      return closing;
    },
  };
}

async function closeServer(
  server: ReturnType<typeof createAdaptorServer>,
  clock: Clock,
): Promise<void> {
  const closed = new AbortController();
  const done = new Promise<void>((resolve) => {
    server.close(() => {
      closed.abort();
      resolve();
    });
  });
  await clock.sleep(GRACE_MS, closed.signal);
  if ("closeAllConnections" in server) server.closeAllConnections();
  await done;
}

function shownHost(host: string): string {
  if (host === "0.0.0.0" || host === "::" || host === "") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

function problemOf(cause: NodeJS.ErrnoException, host: string, port: number): string {
  const where = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  switch (cause.code) {
    case "EADDRINUSE":
      return `cannot listen on ${where}: another program listens there; stop it, or choose another port (0 picks a free one)`;
    case "EACCES":
      return `cannot listen on ${where}: not permitted; choose a port above 1023 (0 picks a free one)`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `cannot listen on ${where}: this machine has no such address; expected one of its own, such as 127.0.0.1 or 0.0.0.0`;
    case undefined:
    default:
      return `cannot listen on ${where}: ${cause.message}`;
  }
}
