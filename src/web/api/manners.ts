import type { GuardedEnv } from "../auth/caller.ts";
import { Refusal } from "../auth/refusal.ts";
import type { MiddlewareHandler } from "../server.ts";
import { operationsAt } from "./operations.ts";

const JSON_TYPE = "application/json";

/** What every call of the API has in common: an answer that the caller takes, a body of a kind that is read. */
export const manners: MiddlewareHandler<GuardedEnv> = async (c, next) => {
  const here = operationsAt(c.req.path);
  const method = c.req.method === "HEAD" ? "GET" : c.req.method;
  const operation = here.find((one) => one.method.toUpperCase() === method);
  // The router answers for what there is not.
  if (operation === undefined) return next();
  const type = operation.stream ?? JSON_TYPE;
  const accept = c.req.header("accept") ?? "";
  if (operation.answer !== null && !accepts(accept, type))
    throw new Refusal(406, `Accept: found "${shown(accept)}", but the answer is ${type}`);
  if (operation.body !== undefined) mustBeJson(c.req.header("content-type") ?? "");
  return next();
};

function mustBeJson(found: string): void {
  const [type = ""] = found.toLowerCase().split(";");
  if (type.trim() === JSON_TYPE) return;
  const what = found === "" ? "none" : `"${shown(found)}"`;
  throw new Refusal(415, `Content-Type: found ${what}, expected ${JSON_TYPE}`, {
    Accept: JSON_TYPE,
  });
}

/** Whether a list of media ranges holds a type: of those that fit the narrowest decides, by a weight that is not zero (RFC 9110, 12.5.1). */
function accepts(header: string, type: string): boolean {
  if (header.trim() === "") return true;
  const [family = ""] = type.split("/");
  const ranges = header
    .toLowerCase()
    .split(",")
    .map((range) => range.split(";").map((part) => part.trim()));
  for (const wanted of [type, `${family}/*`, "*/*"]) {
    const found = ranges.filter(([name]) => name === wanted);
    if (found.length > 0)
      return found.some((parts) => !parts.some((one) => /^q=0(\.0{0,3})?$/.test(one)));
  }
  return false;
}

const shown = (text: string): string => text.slice(0, 80);
