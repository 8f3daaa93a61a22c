import { PLAIN_HEADERS } from "../config/sinks.ts";
import { isMap } from "../config/tree.ts";
import type { SinkDefinition } from "../sink/index.ts";
import { type OptionInfo, optionsOf } from "../sink/schema.ts";
import type { References } from "./references.ts";
import { asText } from "./words.ts";

/** A variable that the printed configuration refers to and somebody must make. */
export interface NewVariable {
  readonly name: string;
  /** Where its value stands now; never the value. */
  readonly what: string;
}

/** What stands before a token in a header's value. */
const SCHEME = /^(Bearer|Basic|Token|ApiKey|Splunk|GenieKey) /i;
/** A user and password in a URL, whatever the option is. */
export const CREDENTIALS = /:\/\/[^/@\s]*:[^/@\s]+@/;

interface Given {
  /** The sink's. */
  readonly name: string;
  readonly definition: SinkDefinition;
  readonly options: Readonly<Record<string, unknown>>;
  /** `--sink #1`. */
  readonly where: string;
}

/**
 * The options of a sink as the configuration writes them: what the schema calls a secret, and what looks like one, is a reference to a
 * variable, by a name that is not `taken`. A secret that is given by a variable already stays with it, where nothing beside the variable may be secret.
 */
export function withoutSecrets(
  { name, definition, options, where }: Given,
  references: References,
  taken: Set<string>,
): {
  readonly options: Readonly<Record<string, unknown>>;
  readonly variables: readonly NewVariable[];
} {
  const variables: NewVariable[] = [];
  const infos = new Map(optionsOf(definition.options).map((info) => [info.name, info]));
  const variable = (part: string, what: string, refers = false): string => {
    const made = free(screaming(`${name}_${part}`), taken);
    const filled = refers ? "; with the variables in it filled in" : "";
    variables.push({ name: made, what: `${what} in ${where}${filled}` });
    return `\${${made}}`;
  };
  const hidden = (info: OptionInfo, text: string): string =>
    isHarmless(text, definition, info, references)
      ? references.written(text)
      : variable(info.name, whatOf(definition, info), references.isIn(text));
  const header = (key: string, text: string): string => {
    const [scheme = ""] = SCHEME.exec(text) ?? [];
    if (PLAIN_HEADERS.test(key) || isOnlyReference(text.slice(scheme.length), references))
      return references.written(text);
    return (
      scheme +
      variable(
        `header_${key}`,
        `the header ${key}, behind "${key}=${scheme}",`,
        references.isIn(text),
      )
    );
  };
  const written = (option: string, value: unknown): unknown => {
    const info = infos.get(option);
    if (info !== undefined && info.meta.secret === true) {
      if (isMap(value)) return mapped(value, (key, item) => header(key, asText(item)));
      return hidden(info, asText(value));
    }
    if (Array.isArray(value)) return value.map((item) => written(option, item));
    if (isMap(value)) return mapped(value, (_, item) => written(option, item));
    if (typeof value !== "string") return value;
    return info !== undefined && CREDENTIALS.test(value)
      ? variable(option, whatOf(definition, info))
      : references.written(value);
  };
  return { options: mapped(options, written), variables };
}

function mapped(
  map: Readonly<Record<string, unknown>>,
  change: (key: string, value: unknown) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(key, value)]));
}

function whatOf({ type, uri }: SinkDefinition, { name, meta }: OptionInfo): string {
  if (name !== uri.target) {
    const also = meta.aliases === undefined ? "" : ` (${meta.aliases.join(", ")})`;
    return `the value of ${name}${also}`;
  }
  const kept = uri.keep === "*" ? "what is none of the options beside it" : uri.keep.join(", ");
  return `the address behind "${type}:"${kept === "" ? "" : `, with ${kept},`}`;
}

function isOnlyReference(text: string, references: References): boolean {
  return references.isIn(text) && references.filled(text, () => "") === "";
}

/** Nothing but references, a bare host, or the platform's documented address around a reference; a DSN whose password is one. */
function isHarmless(
  text: string,
  definition: SinkDefinition,
  info: OptionInfo,
  references: References,
): boolean {
  if (isOnlyReference(text, references)) return true;
  const url = URL.parse(text);
  const isWeb = url !== null && /^https?:$/.test(url.protocol);
  if (isWeb && url.username === "" && url.password === "" && url.search === "")
    if (/^\/*$/.test(url.pathname) && !references.isIn(url.host)) return true;
  if (!references.isIn(text)) return false;
  if (isWeb)
    return (
      url.username === "" &&
      url.password === "" &&
      isAsDocumented(url, definition, info, references)
    );
  return (
    /^[^:@/]*:[^@/]+@/.test(text) && isOnlyReference(/:([^@]+)@/.exec(text)?.[1] ?? "", references)
  );
}

function isAsDocumented(
  url: URL,
  definition: SinkDefinition,
  info: OptionInfo,
  references: References,
): boolean {
  const example = URL.parse(asText(definition.example.yaml[info.name]));
  const documented = example?.pathname.split("/") ?? [];
  const segments = url.pathname.split("/");
  return (
    segments.length === documented.length &&
    segments.every((one, at) => one === documented[at] || isOnlyReference(one, references)) &&
    [...url.searchParams.values()].every((value) => isOnlyReference(value, references))
  );
}

/** `dingtalk-2`, `accessKeySecret` → `DINGTALK_2_ACCESS_KEY_SECRET`. */
function screaming(text: string): string {
  const name = text.replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2").replaceAll(/[^A-Za-z0-9]+/g, "_");
  return (/^\d/.test(name) ? `SINK_${name}` : name).toUpperCase();
}

function free(name: string, taken: Set<string>): string {
  let candidate = name;
  for (let number = 2; taken.has(candidate); number += 1) candidate = `${name}_${number}`;
  taken.add(candidate);
  return candidate;
}
