import { suggestion } from "./nearest.ts";
import { nameShown } from "./shown.ts";

/** A `--source` as an entry of `sources`, or what is wrong with it. */
export type SourceEntry =
  | { readonly ok: true; readonly entry: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly message: string; readonly hint: string | null };

const TYPES = ["kubernetes", "file"];

/** Parameters of `kubernetes:` → options, kube-eventer's spellings included. */
const PARAMETERS: Readonly<Record<string, string>> = {
  kubeconfig: "kubeconfig",
  auth: "kubeconfig",
  localKubeConfig: "kubeconfig",
  context: "context",
  api: "api",
  namespaces: "namespaces",
  namespace: "namespaces",
  replay: "replay",
  maxAge: "maxAge",
};

/** As in a `--sink`, `&` may stand where a `?` should. */
const QUERY = /\?|&(?=[A-Za-z]\w*=)/;
/** As Go's strconv.ParseBool. */
const YES = /^(1|t|true)$/i;
const NO = /^(0|f|false)$/i;

/**
 * `kubernetes:[https://HOST][?kubeconfig=FILE&context=…&api=…&namespaces=a,b&replay=15m&maxAge=1h]`, `file:PATH`, `file:-`.
 * kube-eventer's `inClusterConfig`, `auth` and `localKubeConfig` are understood; quotes that a shell would have removed are removed.
 */
export function parseSource(text: string): SourceEntry {
  const colon = text.indexOf(":");
  const type = colon === -1 ? text : text.slice(0, colon);
  const rest = colon === -1 ? "" : text.slice(colon + 1).replace(/^(["'])(.*)\1$/, "$2");
  if (type === "kubernetes") return kubernetes(rest);
  if (type === "file") {
    if (rest !== "") return { ok: true, entry: { file: { path: rest } } };
    return wrong("file: names no file", "write file:PATH, or file:- for standard input");
  }
  return wrong(
    `there is no source type "${nameShown(type)}"`,
    suggestion(type, TYPES, "there are"),
  );
}

function kubernetes(rest: string): SourceEntry {
  const query = rest.search(QUERY);
  const server = query === -1 ? rest : rest.slice(0, query);
  const options: Record<string, unknown> = {};
  if (server !== "") {
    // It would be in every line that says where this is connected to.
    if (/\/\/[^/]*@/.test(server))
      return wrong(
        "a password stands in the API server's address",
        "put it into a kubeconfig and name that: --source=kubernetes:?auth=FILE",
      );
    if (!URL.canParse(server) || !/^https?:$/.test(new URL(server).protocol))
      return wrong(
        `the API server's address "${server.slice(0, 80)}" is not a URL`,
        "write kubernetes:https://HOST:PORT, or kubernetes: for the cluster of the kubeconfig",
      );
    if (!isOwnCluster(server)) options["server"] = server;
  }
  for (const [name, value] of new URLSearchParams(query === -1 ? "" : rest.slice(query + 1))) {
    const problem = parameter(name, value, options);
    if (problem !== null) return problem;
  }
  return { ok: true, entry: { kubernetes: options } };
}

function parameter(
  name: string,
  value: string,
  options: Record<string, unknown>,
): Extract<SourceEntry, { ok: false }> | null {
  const option = Object.hasOwn(PARAMETERS, name) ? PARAMETERS[name] : undefined;
  if (option === "namespaces") {
    const before = Array.isArray(options[option]) ? (options[option] as string[]) : [];
    options[option] = [
      ...before,
      ...value
        .split(",")
        .map((part) => part.trim())
        .filter((part) => part !== ""),
    ];
    return null;
  }
  if (option !== undefined) {
    // kube-eventer's `auth=` without a file means none.
    if (value !== "") options[option] = value;
    return null;
  }
  switch (name) {
    case "inClusterConfig":
    case "useServiceAccount":
      // Whether in a cluster or not is found out: a kubeconfig that is given or found comes first.
      return YES.test(value) || NO.test(value) || value === "" ? null : notABoolean(name, value);
    case "insecure":
      if (NO.test(value) || value === "") return null;
      return YES.test(value)
        ? wrong(
            "insecure: connections that trust any certificate are not made",
            "name the cluster's certificate authority in the kubeconfig",
          )
        : notABoolean(name, value);
    default:
      return wrong(
        `there is no parameter "${nameShown(name)}" of kubernetes:`,
        suggestion(name, [...Object.keys(PARAMETERS), "inClusterConfig"], "there are"),
      );
  }
}

/** kube-eventer's documents write `kubernetes:https://kubernetes.default` for the cluster it runs in. */
function isOwnCluster(server: string): boolean {
  return /^kubernetes(\.default(\.svc(\.cluster\.local)?)?)?$/.test(new URL(server).hostname);
}

function notABoolean(name: string, value: string): Extract<SourceEntry, { ok: false }> {
  return wrong(`${name}: expected true or false; found "${value.slice(0, 60)}"`, null);
}

function wrong(message: string, hint: string | null): Extract<SourceEntry, { ok: false }> {
  return { ok: false, message, hint };
}
