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
      const words = ["command", "args"].flatMap((key) => wordsAt(yaml, [...at, key], file));
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

export function fromFirstFlag(words: readonly Word[]): readonly Word[] {
  const first = words.findIndex(({ text }) => text.startsWith("-"));
  return first === -1 ? [] : words.slice(first);
}

/** A list of words; one that is a whole command for a shell is split as that would do it. */
export function wordsAt(yaml: YamlFile, path: Path, file: string): readonly Word[] {
  const list = valueAt(yaml.value, path);
  return (Array.isArray(list) ? list : []).flatMap((item: unknown, index) => {
    const where = yaml.where([...path, index], "value");
    const text = asText(item);
    if (!/\s--?(sink|source)[=\s]/.test(text) || text.startsWith("-")) return [{ text, where }];
    const words = shellWords(text, file).map((word) => ({ text: word.text, where }));
    // What a shell is told of itself is no flag of kube-eventer.
    return fromFirstFlag(words);
  });
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
