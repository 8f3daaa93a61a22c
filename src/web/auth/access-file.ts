import type { ConfigIssue } from "../../config/config.ts";
import { parseYaml } from "../../config/yaml.ts";
import { anyOf, type Matcher, patternProblem } from "../../pipeline/matcher.ts";
import type { Purpose } from "./identity.ts";

/** What a token or a group may do, by patterns of namespaces. */
export interface Role {
  readonly matches: Matcher;
  /** No namespace is left out: `*` is among the patterns. */
  readonly everywhere: boolean;
  readonly may: ReadonlySet<Purpose>;
}

export interface FileToken {
  readonly name: string;
  /** Of the token; the token itself is in no file of ours. */
  readonly sha256: Buffer;
  readonly role: Role;
}

export interface GroupRole {
  readonly groups: ReadonlySet<string>;
  readonly role: Role;
}

export interface AccessFile {
  readonly tokens: readonly FileToken[];
  /** For who comes by the proxy. */
  readonly roles: readonly GroupRole[];
}

export interface ReadAccess {
  readonly access: AccessFile;
  readonly issues: readonly ConfigIssue[];
}

type Fields = Readonly<Record<string, unknown>>;

const NONE: AccessFile = { tokens: [], roles: [] };
const PURPOSES: readonly Purpose[] = ["read", "change"];

/** `tokens:` and `roles:` of a YAML file; each mistake with the place it stands at. Values are never repeated: one may be a token put there by mistake. */
export function readAccessFile(file: string, text: string): ReadAccess {
  const { yaml, issues: syntax } = parseYaml(file, text);
  if (yaml === null) return { access: NONE, issues: syntax };
  const issues: ConfigIssue[] = [];
  type Place = readonly (string | number)[];
  const wrong = (path: Place, at: "key" | "value", message: string, hint: string | null = null) =>
    void issues.push({ where: yaml.where(path, at), message, hint });

  function onlyKeys(value: unknown, path: Place, allowed: readonly string[]): Fields | null {
    if (!isFields(value)) {
      wrong(path, "value", `expected a map with ${allowed.join(", ")}`);
      return null;
    }
    for (const key of Object.keys(value))
      if (!allowed.includes(key))
        wrong([...path, key], "key", "this key is unknown", `expected ${allowed.join(", ")}`);
    return value;
  }

  function listOf(value: unknown, path: Place, what: string): readonly unknown[] {
    if (Array.isArray(value)) return value as readonly unknown[];
    if (value !== undefined && value !== null) wrong(path, "value", `expected a list of ${what}`);
    return [];
  }

  function textsOf(value: unknown, path: Place, what: string): readonly string[] {
    if (!Array.isArray(value) || value.length === 0) {
      wrong(path, "value", `expected a list of ${what}, at least one`);
      return [];
    }
    return value.flatMap((one: unknown, index) => {
      if (typeof one === "string" && one !== "") return one;
      wrong([...path, index], "value", `expected one of ${what}, as text`);
      return [];
    });
  }

  function roleOf(entry: Fields, path: Place): Role {
    const patterns = textsOf(entry["namespaces"], [...path, "namespaces"], "namespaces").filter(
      (pattern, index) => {
        const here = [...path, "namespaces", index];
        const problem =
          pattern === "_cluster"
            ? "events about nodes and other objects without a namespace are stored in namespace default"
            : patternProblem(pattern);
        if (problem === null) return true;
        wrong(here, "value", problem, "expected exact names, glob* or /regex/");
        return false;
      },
    );
    const may = new Set(
      textsOf(entry["may"], [...path, "may"], "read, change").flatMap((one, index) => {
        const purpose = PURPOSES.find((known) => known === one);
        if (purpose === undefined)
          wrong([...path, "may", index], "value", "is no right", "expected read or change");
        return purpose ?? [];
      }),
    );
    if (may.has("change") && !may.has("read"))
      wrong([...path, "may"], "value", "change without read", "give both: [read, change]");
    return { matches: anyOf(patterns), everywhere: patterns.includes("*"), may };
  }

  const root = onlyKeys(yaml.value ?? {}, [], ["tokens", "roles"]);
  const names = new Set<string>();
  const hashes = new Map<string, string>();
  const tokens = listOf(root?.["tokens"], ["tokens"], "tokens").flatMap((item, index) => {
    const path = ["tokens", index];
    const entry = onlyKeys(item, path, ["name", "sha256", "namespaces", "may"]);
    if (entry === null) return [];
    const { name, sha256 } = entry;
    const role = roleOf(entry, path);
    if (typeof name !== "string" || !/^[\w.@:-]{1,80}$/.test(name))
      wrong([...path, "name"], "value", "expected a name of letters, digits and .@:_-");
    else if (names.has(name)) wrong([...path, "name"], "value", "another token has this name");
    else names.add(name);
    if (typeof sha256 !== "string" || !/^[0-9a-fA-F]{64}$/.test(sha256)) {
      const how = 'printf %s "$TOKEN" | sha256sum';
      wrong([...path, "sha256"], "value", "expected the SHA-256 of the token, 64 hex digits", how);
      return [];
    }
    const first = hashes.get(sha256.toLowerCase());
    if (first !== undefined)
      wrong([...path, "sha256"], "value", "another token is the same", `see ${first}`);
    hashes.set(sha256.toLowerCase(), yaml.where([...path, "sha256"], "value"));
    return { name: String(name), sha256: Buffer.from(sha256, "hex"), role };
  });
  const roles = listOf(root?.["roles"], ["roles"], "roles").flatMap((item, index) => {
    const path = ["roles", index];
    const entry = onlyKeys(item, path, ["groups", "namespaces", "may"]);
    if (entry === null) return [];
    const groups = new Set(textsOf(entry["groups"], [...path, "groups"], "groups"));
    return { groups, role: roleOf(entry, path) };
  });
  if (issues.length === 0 && tokens.length === 0 && roles.length === 0)
    wrong([], "value", "names nobody", "expected tokens: or roles:, as docs/web-access.md shows");
  return { access: issues.length === 0 ? { tokens, roles } : NONE, issues };
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
