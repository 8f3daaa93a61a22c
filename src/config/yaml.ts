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
  const mistakes = [...document.errors, ...document.warnings];
  // Where a document has ended before its time each word behind it is a mistake of its own.
  const adrift = mistakes.findIndex(({ message }) => ADRIFT.test(message));
  const issues = mistakes
    .filter(({ message }, index) => index === adrift || !ADRIFT.test(message))
    .map((error) => ({ where: at(error.pos[0]), ...described(error.code, error.message) }));
  if (issues.length > 0) return { yaml: null, issues };
  const lost = aliasToNothing(document);
  if (lost !== null) {
    const message = "is not valid YAML: nothing has the name (&) that this alias (*) leads to";
    return { yaml: null, issues: [{ where: at(lost), message, hint: QUOTED }] };
  }
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

/** Where the first alias stands that leads to nothing; `null`: there is none. */
function aliasToNothing(document: Document.Parsed): number | null {
  let found: number | null = null;
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document) !== undefined) return undefined;
      found = alias.range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  return found;
}

const ADRIFT = / in YAML stream: /;
/** What the parser quotes may be any word of the file. */
const QUOTE = /(?<=\w): .*/s;

/** A password may begin with what means something to YAML. */
const QUOTED = "put a text that begins with *, &, !, %, | or > in quotes";

/** In words of ours, as the parser's repeat what it found, which may be a secret. */
const MESSAGES: Readonly<Record<string, { readonly message: string; readonly hint?: string }>> = {
  DUPLICATE_KEY: { message: "this key stands twice in one map" },
  MULTIPLE_DOCS: { message: "a second document (---) begins here; expected one per file" },
  TAB_AS_INDENT: { message: "a tab indents this line; expected spaces" },
  TAG_RESOLVE_FAILED: { message: "this tag (!) means nothing here", hint: QUOTED },
  BAD_DQ_ESCAPE: {
    message: "this backslash in double quotes begins no escape that YAML knows",
    hint: "write \\\\ for a backslash, or single quotes around the text",
  },
  BAD_DIRECTIVE: {
    message: "a line that begins with % is a directive, and none is known",
    hint: QUOTED,
  },
};

function described(
  code: string,
  given: string,
): { readonly message: string; readonly hint: string | null } {
  const [first = given] = given
    .replace(/ in YAML stream(?=: )/, " behind the end of the document")
    .replace(QUOTE, "")
    .split("\n");
  const known = first.startsWith("Block scalar header")
    ? { message: "this | or > is followed by text; its text begins on the next line", hint: QUOTED }
    : MESSAGES[code];
  return {
    message: `is not valid YAML: ${known?.message ?? first}`,
    hint: known?.hint ?? null,
  };
}
