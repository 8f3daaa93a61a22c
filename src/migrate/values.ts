import { isMap, type Path, valueAt } from "../config/tree.ts";
import type { YamlFile } from "../config/yaml.ts";
import type { Variable } from "./references.ts";
import {
  type Found,
  fromFirstFlag,
  isOfKubeEventer,
  unwrapped,
  variablesOf,
  wordsAt,
} from "./workload.ts";
import { asText, type Word } from "./words.ts";

/**
 * Helm values. There is no chart of kube-eventer's own; charts of others have its flags in a list (`args`, `command`, `extraArgs`), URIs
 * under `sink` or `sinks`, or, as Alibaba Cloud's ack-node-problem-detector, the options of each sink below its type.
 */
export function foundInValues(yaml: YamlFile, file: string): Found | null {
  const words: Word[] = [];
  const variables: Variable[] = [];
  const seen = new Set<unknown>();
  const walk = (path: Path): void => {
    const value = valueAt(yaml.value, path);
    const key = String(path.at(-1) ?? "");
    // What an anchor names twice is there once.
    if (seen.has(value)) return;
    if (typeof value === "object") seen.add(value);
    if (/^(extra)?env(s|vars)?$/i.test(key)) {
      const env = isMap(value)
        ? Object.entries(value).map(([name, of]) => ({ name, ...(isMap(of) ? of : { value: of }) }))
        : value;
      variables.push(...variablesOf({ env }).variables);
    } else if (/^sinks?$/i.test(key)) words.push(...sinksAt(yaml, path));
    else if (key === "source" && /^kubernetes\b/.test(asText(value)))
      words.push(flag("source", asText(value), yaml, path));
    else if (key === "frequency" && typeof value === "string")
      words.push(flag("frequency", value, yaml, path));
    else if (key === "frequency" && typeof value === "number")
      words.push(flag("frequency", `${value}s`, yaml, path));
    else if (Array.isArray(value) || isLineOfFlags(value)) {
      const list = unwrapped(wordsAt(yaml, path), file);
      if (list.some(isOfKubeEventer)) words.push(...fromFirstFlag(list));
      else if (Array.isArray(value)) value.forEach((_, index) => walk([...path, index]));
    } else if (isMap(value)) for (const below of Object.keys(value)) walk([...path, below]);
  };
  walk([]);
  if (!words.some(isOfKubeEventer)) return null;
  const what = "Helm values";
  return { what, words, variables, isWhole: false, namespace: null, serviceAccount: null };
}

/** `command: /kube-eventer --sink=…`, in one text. */
function isLineOfFlags(value: unknown): value is string {
  return typeof value === "string" && /(^|[\s"'])--?(sink|source)[=\s]/.test(value);
}

function flag(name: string, value: string, yaml: YamlFile, path: Path): Word {
  return { text: `--${name}=${value}`, where: yaml.where(path, "value") };
}

function sinksAt(yaml: YamlFile, path: Path): readonly Word[] {
  const value = valueAt(yaml.value, path);
  if (typeof value === "string")
    return value === "" ? [] : [flag("sink", value.replace(/^--sink[= ]/, ""), yaml, path)];
  if (Array.isArray(value))
    return value.flatMap((item: unknown, index) => {
      const type = isMap(item) ? (item["type"] ?? item["name"]) : undefined;
      return typeof type === "string"
        ? ofType(yaml, [...path, index], type)
        : sinksAt(yaml, [...path, index]);
    });
  if (!isMap(value)) return [];
  return Object.keys(value).flatMap((type) => ofType(yaml, [...path, type], type));
}

/** Where charts put the address. */
const ADDRESS = ["url", "uri", "endpoint", "address", "webhook"];
/** Helm reads YAML 1.1, in which more words than one mean no; `--set-string` makes texts of them. */
const OFF = /^(false|no|off)$/i;
const NOT_OPTIONS = ["enabled", "type", "name", "token", ...ADDRESS];
/** ack-node-problem-detector's names. */
const NAMES: Readonly<Record<string, string>> = {
  monitorkinds: "kinds",
  monitornamespaces: "namespaces",
};

function ofType(yaml: YamlFile, path: Path, type: string): readonly Word[] {
  const value = valueAt(yaml.value, path);
  if (typeof value === "string" && value !== "")
    return [flag("sink", value.startsWith(`${type}:`) ? value : `${type}:${value}`, yaml, path)];
  if (!isMap(value) || OFF.test(asText(value["enabled"]))) return [];
  const { token } = value;
  const address =
    ADDRESS.map((name) => value[name]).find((text) => typeof text === "string" && text !== "") ??
    (type === "dingtalk" && token !== undefined
      ? `https://oapi.dingtalk.com/robot/send?access_token=${asText(token)}`
      : "");
  const options = Object.entries(value).flatMap(([name, given]) =>
    NOT_OPTIONS.includes(name) ? [] : parametersOf(NAMES[name] ?? name, given),
  );
  const text = asText(address);
  const uri = text.startsWith(`${type}:`) ? text : `${type}:${text}`;
  const first = options.length === 0 ? "" : uri.includes("?") ? "&" : "?";
  return [flag("sink", `${uri}${first}${options.join("&")}`, yaml, path)];
}

function parametersOf(name: string, value: unknown): readonly string[] {
  if (value === null || value === undefined || value === "") return [];
  if (Array.isArray(value)) {
    const texts = value.map(asText);
    return name === "label" || name === "header" || name === "nodes" || name === "brokers"
      ? texts.flatMap((text) => parametersOf(name, text))
      : parametersOf(name, texts.join(","));
  }
  if (isMap(value) && name === "header")
    return Object.entries(value).flatMap(([key, text]) =>
      parametersOf(name, `${key}=${asText(text)}`),
    );
  const text = name === "level" ? capitalised(asText(value)) : asText(value);
  return [`${name}=${text.replace(/[%&+#\s]/g, (char) => encodeURIComponent(char))}`];
}

/** That chart writes levels in small letters. */
function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
