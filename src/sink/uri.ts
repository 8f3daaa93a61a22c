import type { SinkDefinition, UriMapping } from "./define.ts";
import { type OptionInfo, optionsOf } from "./schema.ts";

/** What a `--sink=TYPE:URL?NAME=VALUE&…` says, not yet validated: values are text as a person wrote it. */
export interface SinkUri {
  /** Input for the definition's schema. */
  readonly options: Readonly<Record<string, unknown>>;
  /** House parameters by the name asked for, each with all its values in order. */
  readonly house: Readonly<Record<string, readonly string[]>>;
  /** Never with a value in them: it may be a secret. */
  readonly issues: readonly SinkUriIssue[];
  /** What is taken and changes nothing. */
  readonly notes?: readonly SinkUriIssue[];
}

export interface SinkUriIssue {
  readonly message: string;
  readonly hint: string | null;
}

/** `dingtalk` of `dingtalk:https://…`, `stdout` of `stdout`; lower case. */
export function sinkTypeOf(text: string): string {
  const colon = text.indexOf(":");
  return (colon < 0 ? text : text.slice(0, colon)).trim().toLowerCase();
}

/**
 * Splits a `--sink` value into the sink's own options, the house's parameters, and the address with what belongs to it.
 * Names are the same in kebab-case, snake_case and camelCase. A comma or a repeated name makes a list.
 * Where all that is unknown stays in the address (`keep: "*"`), so does a percent-encoded name, known or not: `%6cevel=…`.
 * @param houseNames parameters that every sink takes (`level`, `namespaces`, …)
 * @param nearest the candidate a typing mistake away, or `null`
 */
export function parseSinkUri(
  definition: SinkDefinition,
  text: string,
  houseNames: readonly string[],
  nearest: (text: string, candidates: readonly string[]) => string | null,
): SinkUri {
  const { target, keep, ignored = {}, yieldsTo } = definition.uri;
  const known = optionsByName(definition);
  const house = new Map(houseNames.map((name) => [plain(name), name]));
  const idle = new Map(Object.entries(ignored).map(([name, why]) => [plain(name), why]));
  const kept = keep === "*" ? null : new Set(keep.map(plain));
  const names = [
    ...optionsOf(definition.options).flatMap(({ name, meta }) => [name, ...(meta.aliases ?? [])]),
    ...houseNames,
  ].map(snake);

  const { address: written, parameters } = split(text, definition.uri);
  const address = addressOf(written, definition.uri);
  const given = new Map<OptionInfo, string[]>();
  /** As they were written, last. */
  const called = new Map<OptionInfo, string>();
  const forHouse: Record<string, string[]> = {};
  const stay: string[] = [];
  const swallowed = secretWithin(definition);
  const issues: SinkUriIssue[] = [];
  const notes: SinkUriIssue[] = [];
  const problem = (message: string, hint: string | null = null) => issues.push({ message, hint });

  for (const raw of parameters) {
    const equals = raw.indexOf("=");
    const rawName = equals < 0 ? raw : raw.slice(0, equals);
    const name = decode(rawName);
    const option = known.get(plain(name));
    // A word alone says yes, as with kube-eventer's `sigv4`.
    const alone = option?.form === "yes or no" ? "true" : "";
    const value = equals < 0 ? alone : decode(raw.slice(equals + 1));
    const houseName = house.get(plain(name));
    const why = idle.get(plain(name));
    const isShown = option === undefined ? !PATTERNS.has(houseName ?? "") : !option.meta.secret;
    const inside = isShown ? swallowed.exec(raw.slice(equals + 1))?.[0] : undefined;
    if (inside !== undefined && (option ?? houseName) !== undefined) {
      problem(`${shown(rawName, equals)} has ${inside} in its value`, "an & is missing before it");
      continue;
    }
    // Where everything may belong to the address, a percent-encoded name says that it does.
    const escaped = kept === null && equals > 0 && rawName !== name;
    if (escaped || kept?.has(plain(name))) stay.push(raw);
    else if (option !== undefined) {
      given.set(option, [...(given.get(option) ?? []), value]);
      called.set(option, name);
    } else if (houseName !== undefined) (forHouse[houseName] ??= []).push(value);
    else if (why !== undefined)
      notes.push({ message: `${name} of kube-eventer changes nothing here`, hint: why });
    else {
      const close = nearest(snake(name), names);
      if (kept === null && close === null) stay.push(raw);
      else if (close === null) {
        problem(
          `${shown(rawName, equals)} is no parameter of ${definition.type}`,
          `expected one of ${names.toSorted().join(", ")}`,
        );
      } else {
        problem(
          `${shown(rawName, equals)} is no parameter of ${definition.type}`,
          kept === null
            ? `did you mean ${close}? If it belongs to the address, percent-encode its first letter: ${escapedFirst(name)}`
            : `did you mean ${close}?`,
        );
      }
    }
  }

  const options: Record<string, unknown> = {};
  for (const [option, all] of given) {
    // A chart writes `sign=` where nobody gave a value.
    const values = all.filter((value) => value !== "");
    if (values.length === 0 && option.form !== "list" && option.form !== "map") {
      if (option.meta.secret === true)
        notes.push({
          message: `${called.get(option)} is empty`,
          hint: "it counts as not given",
        });
      continue;
    }
    const outcome = valueOf(option, values);
    if (outcome.problem !== null) problem(`${called.get(option)} ${outcome.problem}`);
    else options[option.name] = outcome.value;
  }
  const whole = stay.length === 0 ? address : `${address}?${stay.join("&")}`;
  const instead = yieldsTo === undefined ? [] : [options[yieldsTo] ?? []].flat();
  if (yieldsTo !== undefined && instead.length > 0 && address !== "")
    notes.push({
      message: "the address changes nothing here",
      hint: `${snake(yieldsTo)} counts in place of it`,
    });
  else if (target !== null && options[target] !== undefined && whole !== "")
    problem(`${snake(target)} is given twice: as the address and as a parameter`);
  else if (target !== null && whole !== "") options[target] = whole;
  else if (target === null && whole !== "") {
    problem(`${definition.type} has no address`, `expected ${definition.example.uri}`);
  }
  for (const [name, values] of Object.entries(forHouse))
    if (values.every((value) => value === "")) delete forHouse[name];
  return { options, house: forHouse, issues, ...(notes.length === 0 ? {} : { notes }) };
}

/** Go's DSN behind the question mark that kube-eventer puts before it, up to its own: `?user:password@tcp(host)/db`. A password may hold anything. */
const GO_DSN = /^\?(?:[^]*?@)?(?:[a-z0-9]+\([^)]*\)|tcp|unix)?\/[^/?&]*(?=[?&]|$)/i;

function split(
  text: string,
  { dsn: isDsn, rawQuery }: UriMapping,
): { address: string; parameters: readonly string[] } {
  const colon = text.indexOf(":");
  const given = colon < 0 ? "" : text.slice(colon + 1).trim();
  const rest = rawQuery ? given.replace(/^\?(?=[a-z][a-z+]*:)/i, "") : given;
  const dsn = isDsn ? (GO_DSN.exec(rest)?.[0].length ?? 0) : 0;
  const mark = rest.indexOf("?", dsn);
  // `lark:https://HOST/hook/ID&level=Warning`: written so because the address of other robots has its `?` already.
  const question = mark < 0 || rest[dsn] === "&" ? indexFrom(rest, /&[A-Za-z][\w-]*=/g, dsn) : mark;
  if (question < 0) return { address: rest, parameters: [] };
  return {
    address: rest.slice(0, question),
    parameters: rest
      .slice(question + 1)
      .split("&")
      .filter((part) => part !== ""),
  };
}

function addressOf(written: string, { nowhere, alwaysHttps }: UriMapping): string {
  if (nowhere?.test(written) === true) return "";
  return alwaysHttps?.test(written) === true ? written.replace(/^http:/i, "https:") : written;
}

/** Filters of texts that may be anything. */
const PATTERNS: ReadonlySet<string> = new Set([
  "messages",
  "excludeMessages",
  "reason",
  "reasons",
  "excludeReasons",
]);

/** Finds `sign=` in `level=Warningsign=SEC…`: the secret would be shown with what it was taken for. */
function secretWithin(definition: SinkDefinition): RegExp {
  const names = optionsOf(definition.options)
    .filter(({ meta, form }) => meta.secret === true && form !== "url")
    .flatMap(({ name, meta }) => [name, ...(meta.aliases ?? [])])
    .flatMap((name) => [name, snake(name), snake(name).replaceAll("_", "-")]);
  return names.length === 0 ? /^(?!)/ : new RegExp(`(?<!\\?)(?:${names.join("|")})=`, "i");
}

function indexFrom(text: string, pattern: RegExp, start: number): number {
  pattern.lastIndex = start;
  return pattern.exec(text)?.index ?? -1;
}

function optionsByName(definition: SinkDefinition): ReadonlyMap<string, OptionInfo> {
  return new Map(
    optionsOf(definition.options)
      // Where all that is unknown stays in the address, so does a parameter of this name: it is the receiver's.
      .filter(({ name }) => name !== definition.uri.target || definition.uri.keep !== "*")
      .flatMap((option) =>
        [option.name, ...(option.meta.aliases ?? [])].map((name) => [plain(name), option] as const),
      ),
  );
}

function valueOf(
  { form }: OptionInfo,
  values: readonly string[],
): { value: unknown; problem: string | null } {
  const fail = (problem: string) => ({ value: undefined, problem });
  if (form === "list") {
    const items = values.flatMap((value) => value.split(",")).map((item) => item.trim());
    return { value: items.filter((item) => item !== ""), problem: null };
  }
  if (form === "map") {
    const entries = values.map((value) => {
      const equals = value.indexOf("=");
      return equals < 1 ? null : ([value.slice(0, equals), value.slice(equals + 1)] as const);
    });
    const whole = entries.filter((entry) => entry !== null);
    if (whole.length < entries.length) return fail("has no “=”; expected NAME=VALUE");
    return { value: Object.fromEntries(whole), problem: null };
  }
  if (values.length > 1) return fail(`is given ${values.length} times; expected once`);
  return { value: values[0], problem: null };
}

/** By the rules of a URL's query: `+` is a space, `%41` an A; total. */
function decode(raw: string): string {
  return new URLSearchParams(`v=${raw.replaceAll("&", "%26")}`).get("v") ?? "";
}

/** `msg_type`, `msg-type`, `msgType` and `MSGTYPE` are one name. */
function plain(name: string): string {
  return name.replaceAll(/[_-]/g, "").toLowerCase();
}

function snake(name: string): string {
  return name
    .replaceAll(/(?<=[a-z0-9])[A-Z]/g, (letter) => `_${letter}`)
    .replaceAll("-", "_")
    .toLowerCase();
}

/** What has no `=` may be a secret that lost its name, and what is long or odd, too. */
function shown(rawName: string, equals: number): string {
  return equals > 0 && /^[\w.-]{1,40}$/.test(rawName) ? `"${rawName}"` : "an unreadable name";
}

function escapedFirst(name: string): string {
  const code = name.charCodeAt(0).toString(16).padStart(2, "0");
  return `%${code}${name.slice(1)}`;
}
