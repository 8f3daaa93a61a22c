import { ConfigError } from "../config/config.ts";
import { isMap } from "../config/tree.ts";
import { parseYamlDocuments, type YamlFile } from "../config/yaml.ts";
import {
  containersOf,
  type Found,
  isManifest,
  isOfKubeEventer,
  namesOf,
  ownFlags,
  unwrapped,
  wordsAt,
} from "./workload.ts";
import { foundInValues } from "./values.ts";
import { shellWords, type Word } from "./words.ts";

const FLAG = /(^|\s)["']?--?(sink|source)[=\s]/;
const EXPECTED =
  "expected kube-eventer's Deployment, Helm values with its sinks, or its command line with --source and --sink";

/**
 * kube-eventer's command line in a manifest, in Helm values or as it is.
 * @throws ConfigError where there is none, more than one, or no YAML
 */
export function findKubeEventer(text: string, file: string): Found {
  if (text.trim() === "") throw refused(file, "there is nothing in it", EXPECTED);
  const { documents, issues } = parseYamlDocuments(file, text);
  const isYaml = issues.length === 0 && documents.some(({ value }) => isStructure(value));
  if (!isYaml && FLAG.test(text) && !/^\s*(apiVersion|kind|- *name):/m.test(text))
    return commandLine(shellWords(text, file));
  if (issues.length > 0)
    throw new ConfigError(
      issues.map((issue) => ({
        ...issue,
        hint: text.includes("{{") ? "render a chart first: helm template CHART" : issue.hint,
      })),
    );
  const manifests = documents.filter(({ value }) => isManifest(value));
  const found = [
    ...manifests.flatMap((yaml) => containersOf(yaml, file)),
    ...documents.flatMap((yaml) => (manifests.includes(yaml) ? [] : loose(yaml, file))),
  ];
  // Beside kube-eventer may stand what only has its name, like an init image.
  const running = found.filter(({ words }) => words.some(isOfKubeEventer));
  const [first, ...more] = running.length > 0 ? running : found;
  if (first === undefined) throw nothingIn(file, documents, manifests);
  if (more.length > 0) {
    const names = [first, ...more].map(({ what }) => what).join(", ");
    throw refused(
      file,
      `kube-eventer stands in it ${more.length + 1} times: ${names}`,
      "give one at a time",
    );
  }
  if (first.words.length > 0) return first;
  throw refused(
    file,
    `${first.what} runs kube-eventer without any flag`,
    "expected --source and --sink",
  );
}

/** A command line may end in a colon, by which YAML takes it for a key. */
function isStructure(value: unknown): boolean {
  return (
    Array.isArray(value) || (isMap(value) && !Object.keys(value).some((key) => FLAG.test(key)))
  );
}

/** A list of arguments, or Helm values. */
function loose(yaml: YamlFile, file: string): readonly Found[] {
  if (!Array.isArray(yaml.value)) return [foundInValues(yaml, file) ?? []].flat();
  const words = unwrapped(wordsAt(yaml, []), file);
  return words.some(({ text }) => FLAG.test(text)) ? [commandLine(words)] : [];
}

function commandLine(words: readonly Word[]): Found {
  return {
    what: "a command line",
    words: ownFlags(words),
    variables: [],
    isWhole: false,
    namespace: null,
    serviceAccount: null,
  };
}

function nothingIn(
  file: string,
  documents: readonly YamlFile[],
  manifests: readonly YamlFile[],
): ConfigError {
  if (documents.some(({ value }) => isEventExporters(value)))
    return refused(
      file,
      "this is the configuration of kubernetes-event-exporter; migrate reads kube-eventer's only",
      "write its receivers as sinks and its rules as filters: docs/migrating.md#from-kubernetes-event-exporter",
    );
  const names = manifests.flatMap(namesOf);
  const shown = names.length > 8 ? [...names.slice(0, 8), "…"] : names;
  const message =
    names.length === 0
      ? "there is no command line of kube-eventer in it"
      : `no container of it runs kube-eventer; found ${shown.join(", ")}`;
  return refused(file, message, EXPECTED);
}

/** Its `config.yaml`, which has receivers and a tree of routes, or the ConfigMap that holds it. Alertmanager's tree begins with a receiver. */
function isEventExporters(value: unknown): boolean {
  if (!isMap(value)) return false;
  const { kind, data, receivers, route } = value;
  if (Array.isArray(receivers) && isMap(route)) return !Object.hasOwn(route, "receiver");
  if (kind !== "ConfigMap" || !isMap(data)) return false;
  return Object.entries(data).some(
    ([name, text]) =>
      typeof text === "string" &&
      parseYamlDocuments(name, text).documents.some((one) => isEventExporters(one.value)),
  );
}

function refused(file: string, message: string, hint: string): ConfigError {
  return new ConfigError([{ where: file, message, hint }]);
}
