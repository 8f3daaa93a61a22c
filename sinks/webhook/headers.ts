import { createHmac } from "node:crypto";
import { headerValueProblem, type Secret } from "../../src/sink/index.ts";

export const JSON_TYPE = "application/json";

const FORBIDDEN = /^(content-length|transfer-encoding|connection|host)$/i;
const NAME = /^[\w!#$%&'*+.^`|~-]+$/;

/** What is wrong with headers of the user's own; never with a value in it. */
export function* headerProblems(headers: Readonly<Record<string, Secret>>): Generator<string> {
  for (const [name, value] of Object.entries(headers)) {
    if (FORBIDDEN.test(name)) yield `${name} is set by the HTTP client`;
    else if (!NAME.test(name))
      yield "has a name HTTP does not allow; expected letters, digits and dashes";
    else {
      const problem = headerValueProblem(value.reveal());
      if (problem !== null) yield `${name} ${problem}`;
    }
  }
}

interface TypeOptions {
  readonly contentType?: string | undefined;
  readonly headers: Readonly<Record<string, Secret>>;
}

/** A header of the user's own says what the body is, as with kube-eventer; else the option does. */
export function contentTypeOf(options: TypeOptions): string | undefined {
  return ownContentType(options.headers) ?? options.contentType;
}

/** `null`: nobody says. */
export function formatOf(options: TypeOptions): "json" | "text" | null {
  const type = contentTypeOf(options);
  if (type === undefined) return null;
  return /json/i.test(type) ? "json" : "text";
}

/** Of a body that was checked if it is JSON. */
export function typeOf(body: string): string {
  return /^\s*[{[]/.test(body) ? JSON_TYPE : "text/plain; charset=utf-8";
}

export function ownContentType(headers: Readonly<Record<string, Secret>>): string | undefined {
  const given = Object.entries(headers).find(([name]) => name.toLowerCase() === "content-type");
  return given?.[1].reveal();
}

export function revealed(headers: Readonly<Record<string, Secret>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => name.toLowerCase() !== "content-type")
      .map(([name, value]) => [name.toLowerCase(), value.reveal()]),
  );
}

/** Over the time, too: a receiver can refuse what is recorded and played again. */
export function signature(
  secret: string | undefined,
  now: number,
  body: string,
): Record<string, string> {
  if (secret === undefined) return {};
  const timestamp = String(Math.floor(now / 1000));
  const hmac = createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex");
  return { "x-kube-crier-timestamp": timestamp, "x-kube-crier-signature": `sha256=${hmac}` };
}
