import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono, type Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { html, raw } from "hono/html";
import { type Address, listen as listenPlainly, type Listening } from "./listen.ts";

/**
 * hono's one door. `html` escapes what is interpolated; `raw` marks text of our own that must not be.
 * `run` does not pass it: hono brings along Node's Request and Response, and memory that a few plain answers need not cost.
 */
export { Hono, bodyLimit, html, raw };
export type { Context, HttpBindings, Listening };
/** What `html` gives: escaped text, ready to be interpolated into more of it. */
export type Html = ReturnType<typeof html>;
export type NodeEnv = { Bindings: HttpBindings };

export interface ListenOptions extends Address {
  readonly app: { fetch(request: Request, env: HttpBindings): Response | Promise<Response> };
}

/** Resets the connection a request came on instead of answering it. */
export function cutConnection(c: Context<NodeEnv>): Response {
  c.env.incoming.socket.resetAndDestroy();
  return RESPONSE_ALREADY_SENT;
}

/** A server of pages. @throws Error that says why the address cannot be had */
export function listen({ app, ...address }: ListenOptions): Promise<Listening> {
  const answer = getRequestListener((request, env) => app.fetch(request, env as HttpBindings), {
    // The adapter's faster Request and Response are not worth replacing the process's globals.
    overrideGlobalObjects: false,
  });
  return listenPlainly(address, (request, response) => void answer(request, response));
}
