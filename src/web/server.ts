import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono, type Context, type MiddlewareHandler } from "hono";
import { html, raw } from "hono/html";
import { secureHeaders } from "hono/secure-headers";
import { type Address, listen as listenPlainly, type Listening } from "./listen.ts";

/**
 * hono's one door. `html` escapes what is interpolated; `raw` marks text of our own that must not be.
 * `run` passes it for the page alone: hono brings along Node's Request and Response, and memory that a few plain answers need not cost.
 */
export { Hono, html, raw, secureHeaders };
export type { Context, HttpBindings, Listening, MiddlewareHandler };
/** What `html` gives: escaped text, ready to be interpolated into more of it. */
export type Html = ReturnType<typeof html>;
/** Its text. Nothing that we draw has to be waited for. */
export function textOf(drawn: Html): string {
  if (drawn instanceof Promise) throw new Error("a part of it has to be waited for");
  return drawn.toString();
}
export type NodeEnv = { Bindings: HttpBindings };

/** A request's body up to a size, of a length that is said or not. Handlers read it by `c.req`, which then has it already. */
export function bodyLimit(
  maxSize: number,
  tooLarge: (c: Context) => Response | Promise<Response> = (c) => c.text("Payload Too Large", 413),
): MiddlewareHandler {
  return async (c, next) => {
    if (Number(c.req.header("content-length") ?? 0) > maxSize) return tooLarge(c);
    const { body, signal } = c.req.raw;
    if (body === null || c.req.header("transfer-encoding") === undefined) return next();
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of body) {
      size += part.length;
      if (size > maxSize) return tooLarge(c);
      parts.push(part);
    }
    // hono's own limit copies the request, which those of the adapter are not fit for.
    const { url, method } = c.req;
    const headers = new Headers(c.req.header());
    c.req.raw = new Request(url, { method, headers, signal, body: Buffer.concat(parts) });
    return next();
  };
}

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
