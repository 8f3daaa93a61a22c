import {
  Document,
  isAlias,
  isCollection,
  isMap as isYamlMap,
  isPair,
  isScalar,
  LineCounter,
  type Node,
  parseAllDocuments,
  parseDocument,
  visit,
} from "yaml";
import type { ConfigIssue } from "./config.ts";
import type { Path } from "./tree.ts";

/** A parsed YAML file that still knows where everything stood. */
export interface YamlFile {
  readonly value: unknown;
  /** `file:line:column` of the key or value at the path, or of its nearest ancestor. */
  where(path: Path, at: "key" | "value"): string;
}

/** YAML 1.2 with merge keys (`<<`): `no` and `on` are texts. Several documents in one file, and keys said twice, are errors. */
export function parseYaml(
  file: string,
  text: string,
): { readonly yaml: YamlFile | null; readonly issues: readonly ConfigIssue[] } {
  const lines = new LineCounter();
  return readDocument(parseDocument(text, { ...OPTIONS, lineCounter: lines }), file, lines);
}

/** A file of any number of documents, as manifests are; those that are empty are left out. */
export function parseYamlDocuments(
  file: string,
  text: string,
): { readonly documents: readonly YamlFile[]; readonly issues: readonly ConfigIssue[] } {
  const lines = new LineCounter();
  const all = parseAllDocuments(text, { ...OPTIONS, lineCounter: lines });
  const read = (Array.isArray(all) ? all : []).map((one) => readDocument(one, file, lines));
  return {
    documents: read.flatMap(({ yaml }) => (yaml === null || yaml.value === null ? [] : [yaml])),
    issues: read.flatMap(({ issues }) => issues),
  };
}

const OPTIONS = { merge: true, prettyErrors: false, logLevel: "error" } as const;

function readDocument(
  document: Document.Parsed,
  file: string,
  lines: LineCounter,
): { readonly yaml: YamlFile | null; readonly issues: readonly ConfigIssue[] } {
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const issues = [...document.errors, ...document.warnings].map((error) => ({
    where: at(error.pos[0]),
    message: `is not valid YAML: ${plain(error.code, error.message)}`,
    hint: null,
  }));
  if (issues.length > 0) return { yaml: null, issues };
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    const message = `is not valid YAML: ${error instanceof Error ? error.message : String(error)}`;
    return { yaml: null, issues: [{ where: `${file}:1:1`, message, hint: null }] };
  }
  return {
    yaml: {
      value,
      where: (path, part) => at(offsetOf(document.contents, path, part) ?? 0),
    },
    issues: [],
  };

  function offsetOf(root: Node | null, path: Path, part: "key" | "value"): number | null {
    let node: Node | null = root;
    let offset = root?.range?.[0] ?? null;
    for (const key of path) {
      if (isAlias(node)) node = node.resolve(document) ?? null;
      if (!isCollection(node)) return offset;
      const item: unknown = isYamlMap(node)
        ? node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(key))
        : node.items[Number(key)];
      if (item === undefined) return offset;
      const keyNode = isPair(item) ? (item.key as Node | null) : null;
      node = (isPair(item) ? item.value : item) as Node | null;
      const first = part === "key" ? keyNode : node;
      offset = (first ?? node ?? keyNode)?.range?.[0] ?? offset;
    }
    return offset;
  }
}

/** Data as YAML, for the generated example; `flat`: lists and maps within on one line. */
export function toYaml(value: unknown, flat: boolean): string {
  const document = new Document(value);
  visit(document, {
    Collection: (_, node, above) => {
      const isReference = isYamlMap(node) && (node.has("$env") || node.has("$file"));
      if (isReference || (flat && above.length > 1)) node.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: true }).trimEnd();
}

function plain(code: string, message: string): string {
  switch (code) {
    case "DUPLICATE_KEY":
      return "this key stands twice in one map";
    case "MULTIPLE_DOCS":
      return "a second document (---) begins here; expected one per file";
    case "TAB_AS_INDENT":
      return "a tab indents this line; expected spaces";
    default:
      return message.split("\n")[0] ?? message;
  }
}
