import type { Context } from "../server.ts";
import type { GuardedEnv } from "./caller.ts";
import { Refusal } from "./refusal.ts";

const FORM = /^(application\/x-www-form-urlencoded|multipart\/form-data)\b/i;

/**
 * The texts of a form, of a name that stands there twice the last; what is no form has none.
 * @throws Refusal 400 where it cannot be read
 */
export async function formOf(c: Context<GuardedEnv>): Promise<ReadonlyMap<string, string>> {
  if (!FORM.test(c.req.header("content-type") ?? "")) return new Map();
  try {
    const fields: Readonly<Record<string, unknown>> = await c.req.parseBody();
    return new Map(
      Object.entries(fields).filter((one): one is [string, string] => typeof one[1] === "string"),
    );
  } catch {
    throw new Refusal(400, "the form cannot be read; send it as a browser does");
  }
}
