import {
  createServer,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { systemClock, type Clock } from "../clock.ts";

export interface Address {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly clock?: Clock;
  /** For a server that strangers reach; without it Node's own. */
  readonly limits?: Limits;
}

/** What a client may take of us, whoever it is. */
export interface Limits {
  /** Until its headers are here. */
  readonly headersMs: number;
  /** Until all of its request is here. */
  readonly requestMs: number;
  readonly headerBytes: number;
  readonly connections: number;
  /** Without a byte that is taken or given; who follows is given one more often. */
  readonly idleMs: number;
  /** How often it is looked who is late. */
  readonly checkMs: number;
}

/** Five hundred live tails and as many readers, and nobody who dawdles. */
export const STRICT_LIMITS: Limits = {
  headersMs: 10_000,
  requestMs: 20_000,
  headerBytes: 16_384,
  connections: 2_000,
  idleMs: 60_000,
  checkMs: 1_000,
};

export interface Listening {
  /** `http://HOST:PORT`, without a slash at its end; a wildcard host is shown as 127.0.0.1. */
  readonly url: string;
  readonly port: number;
  /** Takes no more connections, gives requests in flight one second, then cuts them. May be called twice. */
  close(): Promise<void>;
}

const GRACE_MS = 1000;

/** An HTTP server. @throws Error that says why the address cannot be had */
export async function listen(options: Address, answer: RequestListener): Promise<Listening> {
  const { host, port, clock = systemClock, limits } = options;
  const open = new Set<ServerResponse>();
  let closing: Promise<void> | undefined;
  const server = createServer(
    limits === undefined ? {} : optionsOf(limits),
    (request, response) => {
      response.shouldKeepAlive &&= closing === undefined;
      open.add(response);
      response.once("close", () => open.delete(response));
      answer(request, response);
    },
  );
  if (limits !== undefined) {
    server.maxConnections = limits.connections;
    // Whoever asks for much and takes nothing of it would keep a connection from the others for ever.
    server.setTimeout(limits.idleMs);
  }
  await new Promise<void>((resolve, reject) => {
    // For good: a connection that cannot be taken later is no reason to end.
    server.on("error", (cause: NodeJS.ErrnoException) =>
      reject(new Error(problemOf(cause, host, port), { cause })),
    );
    server.listen(port, host, () => resolve());
  });
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://${shownHost(host)}:${bound}`,
    port: bound,
    close: () => {
      // Otherwise a client's kept connection would hold the close up.
      for (const response of open) response.shouldKeepAlive = false;
      closing ??= closeServer(server, clock);
      return closing;
    },
  };
}

function optionsOf({ headersMs, requestMs, headerBytes, checkMs }: Limits): ServerOptions {
  return {
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    maxHeaderSize: headerBytes,
    connectionsCheckingInterval: checkMs,
  };
}

async function closeServer(server: Server, clock: Clock): Promise<void> {
  const closed = new AbortController();
  const done = new Promise<void>((resolve) => {
    server.close(() => {
      closed.abort();
      resolve();
    });
  });
  await clock.sleep(GRACE_MS, closed.signal);
  server.closeAllConnections();
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
