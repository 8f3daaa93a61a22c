import type { ConfigIssue } from "./config.ts";
import { asReference, dereference, expand, type Expanded, type SecretStore } from "./secrets.ts";
import { isMap, type Layer, type Path, PathSet, pathText } from "./tree.ts";
import { parseYaml } from "./yaml.ts";

/** What reading one input gave. `values` are secrets that must not appear in any message. */
export interface LayerResult {
  readonly layer: Layer | null;
  readonly issues: readonly ConfigIssue[];
  readonly values: readonly string[];
  /** What works and should be known. */
  readonly notes?: readonly ConfigIssue[];
}

/** A YAML file as a layer: `${ENV}`, `{ $env }` and `{ $file }` filled in. */
export function yamlLayer(file: string, text: string, store: SecretStore): LayerResult {
  const { yaml, issues: syntax } = parseYaml(file, text);
  if (yaml === null) return { layer: null, issues: syntax, values: [] };
  const issues: ConfigIssue[] = [];
  const values: string[] = [];
  const hidden = new PathSet();
  const broken = new PathSet();

  function fill(value: unknown, path: Path, above: readonly unknown[]): unknown {
    if (typeof value === "string") return put(expand(value, store.env), path);
    if (typeof value !== "object" || value === null) return value;
    if (above.includes(value)) {
      const where = yaml?.where(path, "value") ?? file;
      issues.push({ where, message: "this alias (*) contains itself", hint: null });
      broken.add(path);
      return null;
    }
    const inside = [...above, value];
    if (Array.isArray(value))
      return value.map((item: unknown, index) => fill(item, [...path, index], inside));
    if (!isMap(value)) return value;
    const reference = asReference(value);
    if (reference !== null) return put(dereference(reference, store), path);
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, fill(item, [...path, key], inside)]),
    );
  }

  function put(expanded: Expanded, path: Path): string {
    for (const problem of expanded.problems) {
      issues.push({ where: yaml?.where(path, "value") ?? file, ...problem });
      broken.add(path);
    }
    if (expanded.values.length > 0) hidden.add(path);
    values.push(...expanded.values);
    return expanded.text;
  }

  // A file of comments only says nothing, which is no mistake.
  const value = yaml.value === null ? {} : fill(yaml.value, [], []);
  if (!isMap(value)) {
    const message = "expected a map of options, like `cluster: prod-a`";
    issues.push({ where: yaml.where([], "value"), message, hint: null });
    return { layer: null, issues, values };
  }
  const layer: Layer = {
    value: withoutEmpty(value),
    where: (path, at) => yaml.where(path, at),
    label: pathText,
    hidden: (path) => hidden.has(path),
    broken: (path) => broken.has(path),
    literalsAreSeen: true,
  };
  return { layer, issues, values };
}

/** `filter:` with everything below it commented out means: no filter. `kubernetes:` alone means: with defaults. */
function withoutEmpty(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const filled = Object.fromEntries(Object.entries(value).filter(([, item]) => item !== null));
  if (Array.isArray(filled["sources"])) filled["sources"] = filled["sources"].map(filledSource);
  return filled;
}

function filledSource(source: unknown): unknown {
  if (!isMap(source) || !("kubernetes" in source)) return source;
  const { kubernetes } = source;
  if (kubernetes === null) return { ...source, kubernetes: {} };
  if (!isMap(kubernetes) || kubernetes["namespaces"] !== null) return source;
  return { ...source, kubernetes: { ...kubernetes, namespaces: [] } };
}
