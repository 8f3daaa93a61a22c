import { isMap, type Path, valueAt } from "../config/tree.ts";
import type { YamlFile } from "../config/yaml.ts";
import type { Variable } from "./references.ts";
import { asText, shellWords, type Word } from "./words.ts";

/** What was found of kube-eventer. */
export interface Found {
  /** `Deployment kube-system/kube-eventer`. */
  readonly what: string;
  /** From the first flag on. */
  readonly words: readonly Word[];
  readonly variables: readonly Variable[];
  /** Whether `variables` are all there are. */
  readonly isWhole: boolean;
  readonly namespace: string | null;
  readonly serviceAccount: string | null;
}

/** Where a Pod's spec stands, by kind. */
const SPEC: Readonly<Record<string, Path>> = {
  Pod: ["spec"],
  Deployment: ["spec", "template", "spec"],
  DaemonSet: ["spec", "template", "spec"],
  StatefulSet: ["spec", "template", "spec"],
  ReplicaSet: ["spec", "template", "spec"],
  ReplicationController: ["spec", "template", "spec"],
  Job: ["spec", "template", "spec"],
};

const textAt = (value: unknown, path: Path): string | null => {
  const found = valueAt(value, path);
  return typeof found === "string" ? found : null;
};

export function isManifest(value: unknown): boolean {
  return isMap(value) && typeof value["kind"] === "string" && "apiVersion" in value;
}

/** `Deployment kube-system/kube-eventer`, for each object of a manifest. */
export function namesOf(yaml: YamlFile): readonly string[] {
  return objectsOf(yaml).map((path) => nameOf(valueAt(yaml.value, path)));
}

function nameOf(object: unknown): string {
  const name = textAt(object, ["metadata", "name"]) ?? "without a name";
  const namespace = textAt(object, ["metadata", "namespace"]);
  return `${textAt(object, ["kind"])} ${namespace === null ? "" : `${namespace}/`}${name}`;
}

function objectsOf({ value }: YamlFile): readonly Path[] {
  const items = valueAt(value, ["items"]);
  if (textAt(value, ["kind"])?.endsWith("List") === true && Array.isArray(items))
    return items.map((_, index) => ["items", index]);
  return [[]];
}

/** The containers that run kube-eventer: by its flags, or by the name of the image. */
export function containersOf(yaml: YamlFile, file: string): readonly Found[] {
  return objectsOf(yaml).flatMap((path) => {
    const object = valueAt(yaml.value, path);
    const below = SPEC[textAt(object, ["kind"]) ?? ""];
    if (below === undefined) return [];
    const spec = [...path, ...below];
    const containers = valueAt(yaml.value, [...spec, "containers"]);
    return (Array.isArray(containers) ? containers : []).flatMap((container: unknown, index) => {
      const at = [...spec, "containers", index];
      const given = ["command", "args"].flatMap((key) => wordsAt(yaml, [...at, key]));
      const words = unwrapped(given, file);
      const image = textAt(container, ["image"]) ?? "";
      if (!words.some(isOfKubeEventer) && !/eventer[^/]*$/.test(image)) return [];
      return [
        {
          what: nameOf(object),
          words: fromFirstFlag(words),
          ...variablesOf(container),
          namespace: textAt(object, ["metadata", "namespace"]),
          serviceAccount:
            textAt(yaml.value, [...spec, "serviceAccountName"]) ??
            textAt(yaml.value, [...spec, "serviceAccount"]),
        },
      ];
    });
  });
}

/** `--sink=…`, `--source`. */
export function isOfKubeEventer({ text }: Word): boolean {
  return /^--?(sink|source)(=|$)/.test(text);
}

/** The program or its image. */
const PROGRAM = /^([^?&=]*\/)?(kube-)?eventer(-[a-z0-9]+)?(:[\w.-]+)?$/;
/** Between two commands of a shell, or before a file that one of them writes or reads. */
const OPERATOR = /^(\n|;|&&?|\|[|&]?|\(|\)|\d?[<>].*|&>.*)$/;

/**
 * kube-eventer's flags of a line: what stands before its name belongs to another program (`docker run -d …`, `exec`), and so does what
 * stands before or behind the line's other commands.
 */
export function ownFlags(line: readonly Word[]): readonly Word[] {
  const words = line.filter(
    ({ text }, at) => text !== "\n" || !isGoingOn(line[at - 1]?.text, line[at + 1]?.text),
  );
  const first = words.findIndex(isOfKubeEventer);
  const before = words.slice(0, Math.max(0, first));
  const begin = before.findLastIndex(({ text }) => OPERATOR.test(text) || text.endsWith(";")) + 1;
  const program = before.findLastIndex(({ text }) => PROGRAM.test(text)) + 1;
  const rest = words.slice(Math.max(begin, program));
  const end = rest.findIndex(({ text }) => OPERATOR.test(text));
  const own = end === -1 ? rest : rest.slice(0, end);
  const last = own.findIndex(({ text }) => text.endsWith(";"));
  return fromFirstFlag(
    last === -1
      ? own
      : own.slice(0, last + 1).map(({ text, where }) => ({ text: text.replace(/;$/, ""), where })),
  );
}

/** Flags below each other are one command, though a shell wants a backslash at the end of their lines. */
function isGoingOn(before = "", after = ""): boolean {
  return after.startsWith("-") || /^--?(sink|source)$/.test(before);
}

export function fromFirstFlag(words: readonly Word[]): readonly Word[] {
  const first = words.findIndex(({ text }) => text.startsWith("-"));
  return first === -1 ? [] : words.slice(first);
}

/** A list of words as it stands; a text in its place is one line. */
export function wordsAt(yaml: YamlFile, path: Path): readonly Word[] {
  const value = valueAt(yaml.value, path);
  const list = typeof value === "string" ? [value] : Array.isArray(value) ? value : [];
  return list.map((item: unknown, index) => ({
    text: asText(item),
    where: yaml.where(typeof value === "string" ? path : [...path, index], "value"),
  }));
}

/** `/bin/sh -c 'exec kube-eventer --sink=…'`: the line that is for the shell, split as that would do it; what the shell is told of itself is no flag of kube-eventer. */
export function unwrapped(words: readonly Word[], file: string): readonly Word[] {
  const isLine = ({ text }: Word) =>
    /(^|[\s"'])--?(sink|source)[=\s]/.test(text) && /\S\s/.test(text) && !text.startsWith("-");
  const line = words.find(isLine);
  if (line === undefined) return words;
  return ownFlags(shellWords(line.text, file)).map(({ text }) => ({ text, where: line.where }));
}

/** The variables of `env`; with `envFrom` there may be others. */
export function variablesOf(container: unknown): Pick<Found, "variables" | "isWhole"> {
  const list = valueAt(container, ["env"]);
  const variables = (Array.isArray(list) ? list : []).flatMap((one: unknown): Variable[] => {
    const name = textAt(one, ["name"]);
    if (name === null) return [];
    const value = valueAt(one, ["value"]);
    return [{ name, value: value === undefined ? null : asText(value), from: originOf(one) }];
  });
  return { variables, isWhole: valueAt(container, ["envFrom"]) === undefined };
}

function originOf(variable: unknown): string | null {
  for (const [key, what] of [
    ["secretKeyRef", "Secret"],
    ["configMapKeyRef", "ConfigMap"],
  ] as const) {
    const name = textAt(variable, ["valueFrom", key, "name"]);
    const of = textAt(variable, ["valueFrom", key, "key"]);
    if (name !== null) return `key "${of}" of the ${what} "${name}"`;
  }
  const field = textAt(variable, ["valueFrom", "fieldRef", "fieldPath"]);
  return field === null ? null : `field ${field} of the Pod`;
}
