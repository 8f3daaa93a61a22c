import type { Files } from "./files.ts";
import { nameShown } from "./shown.ts";

export type Env = Readonly<Record<string, string | undefined>>;

/** The environment of this process: read here and nowhere else. */
export function processEnv(): Env {
  return process.env;
}

/** Where values come from that are not to be seen. */
export interface SecretStore {
  readonly env: Env;
  readonly files: Files;
}

/** Text after expansion, or what is missing. `values` are what was put in: never to be printed. */
export interface Expanded {
  readonly text: string;
  readonly values: readonly string[];
  readonly problems: readonly { readonly message: string; readonly hint: string }[];
}

const REFERENCE = /\$?\$\{([^}]*)\}/g;
/** As Go's os.ExpandEnv takes it, which kube-eventer's URIs go through: the longest name counts. */
const BARE_TOO = /\$?\$\{([^}]*)\}|\$([A-Za-z_]\w*)/g;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * `${NAME}` → the variable's value; `$${NAME}` → the text `${NAME}`. A lone `$` stays what it is: passwords have them.
 * @param encode applied to what is put in behind `before` (percent-encoding inside a query)
 * @param bare `$NAME`, too, is the value of a variable that is set
 */
export function expand(
  text: string,
  env: Env,
  encode: (value: string, before: string) => string = (value) => value,
  { bare = false }: { readonly bare?: boolean } = {},
): Expanded {
  const values: string[] = [];
  const problems: { message: string; hint: string }[] = [];
  let done = "";
  let end = 0;
  for (const match of text.matchAll(bare ? BARE_TOO : REFERENCE)) {
    const [whole, braced, name = braced ?? ""] = match;
    done += text.slice(end, match.index);
    end = match.index + whole.length;
    if (whole.startsWith("$$")) {
      done += whole.slice(1);
      continue;
    }
    if (braced === undefined && (env[name] ?? "") === "") {
      done += whole;
      continue;
    }
    const found = VARIABLE.test(name) ? envValue(name, env) : notAName(name);
    if (typeof found === "string") {
      values.push(found);
      done += encode(found, done);
    } else {
      problems.push(found);
      done += whole;
    }
  }
  return { text: done + text.slice(end), values, problems };
}

/** `${TOKEN:-…}` is a shell's; what follows a name may be the secret. */
function notAName(name: string): { message: string; hint: string } {
  return {
    message: `"\${${nameShown(name)}}" does not name an environment variable`,
    hint: "write $${ for the text ${ itself",
  };
}

/** `{ $env: NAME }` or `{ $file: PATH }`, the whole value of an option. A last line break is not part of the secret. */
export function dereference(
  reference: { readonly kind: "$env" | "$file"; readonly target: string },
  store: SecretStore,
): Expanded {
  const found =
    reference.kind === "$env"
      ? envValue(reference.target, store.env)
      : fileValue(reference.target, store.files);
  if (typeof found !== "string") return { text: "", values: [], problems: [found] };
  return { text: found, values: [found], problems: [] };
}

/** The reference a map of one key `$env` or `$file` stands for. */
export function asReference(
  value: Readonly<Record<string, unknown>>,
): { readonly kind: "$env" | "$file"; readonly target: string } | null {
  const [[kind, target] = [], ...rest] = Object.entries(value);
  if (rest.length > 0 || (kind !== "$env" && kind !== "$file")) return null;
  return typeof target === "string" && target !== "" ? { kind, target } : null;
}

/** As with a file, the last line break is not part of it: `echo TOKEN | base64` puts one into a Secret. */
function envValue(name: string, env: Env): string | { message: string; hint: string } {
  const value = withoutBreak(env[name] ?? "");
  if (value !== "") return value;
  return {
    message: `the environment variable ${nameShown(name)} is ${env[name] === undefined ? "not set" : "empty"}`,
    hint: "set it, in a Pod by env or envFrom with a Secret",
  };
}

function fileValue(path: string, files: Files): string | { message: string; hint: string } {
  const shown = /:\/\/|[?&=]/.test(path) || !path.includes("/") ? nameShown(path) : path;
  const read = files.read(path);
  if (!read.ok)
    return {
      message: `the secret file ${shown} cannot be read: ${read.problem}`,
      hint: "mount the Secret, or mend the path",
    };
  const value = withoutBreak(read.text);
  if (value !== "") return value;
  return { message: `the secret file ${shown} is empty`, hint: "put the secret into it" };
}

/** What `echo` puts behind a secret is no part of it. */
export function withoutBreak(text: string): string {
  return text.replace(/\r?\n$/, "");
}
