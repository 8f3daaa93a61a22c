import { expect } from "vitest";
import type { Provers } from "../../src/web/auth/prove.ts";
import type { Desk } from "../../src/web/page/desk.ts";
import { Contract } from "./openapi.ts";
import { type Answer, aPageSite, type PageSite } from "./page.ts";

export interface ApiSite extends PageSite {
  readonly contract: Contract;
  /** As a program sends it: JSON, and whatever else of headers. Every answer is held against the description. */
  ask(method: string, path: string, options?: Asking): Promise<Answer>;
}

interface Asking {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; a text as it is. */
  readonly body?: unknown;
}

/** The API, each answer of which is what its description promises: whoever tests one tests the other. */
export async function anApiSite(changes: Partial<Desk> = {}, provers?: Provers): Promise<ApiSite> {
  const site = await aPageSite(changes, provers);
  const contract = new Contract();
  let csrf: string | null = null;
  const send = async (method: string, path: string, { headers = {}, body }: Asking = {}) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const response = await fetch(site.url + path, {
      method,
      redirect: "manual",
      headers: {
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(csrf === null ? {} : { "x-csrf-token": csrf }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: text }),
    });
    const answer = {
      status: response.status,
      headers: response.headers,
      body: await response.text(),
    };
    return { ...answer, text: answer.body };
  };
  const ask: ApiSite["ask"] = async (method, path, options) => {
    const answer = await send(method, path, options);
    expect(contract.problems(method, path, answer), `${method} ${path}: ${answer.body}`).toEqual(
      [],
    );
    return answer;
  };
  // Nobody has to prove anything on loopback; a change still has to be meant.
  if (provers === undefined) {
    const { body } = await send("GET", "/api/v1/whoami");
    csrf = (JSON.parse(body) as { csrf: string | null }).csrf;
  }
  return {
    ...site,
    contract,
    ask,
    get: (path, headers) => ask("GET", path, { headers: headers ?? {} }),
  };
}
