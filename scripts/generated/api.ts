import { openApi } from "../../src/web/api/openapi.ts";

type Json = Readonly<Record<string, unknown>>;

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly description?: string;
  readonly example?: string;
}

interface Described {
  readonly summary: string;
  readonly description?: string;
  readonly parameters: readonly Parameter[];
  readonly "x-codeSamples"?: readonly { readonly source: string }[];
  readonly requestBody?: { readonly content: Json };
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Json }>
  >;
}

const BEGINNING = `# The API

<!-- Written by \`npm run gen\` from the schemas that the answers are held against; do not edit. -->

What the page shows, for programs: JSON under \`/api/v1\` of [\`webListen\`](web-access.md), described as OpenAPI 3.1 by \`/api/v1/openapi.json\`. The examples take

\`\`\`sh
PAGE=http://127.0.0.1:8081
TOKEN=$(kubectl -n shop create token oncall --duration=8h)
\`\`\`

A token is one of the cluster or of the [access file](web-access.md); everybody gets the events of the namespaces where they may list events. On a loopback address without further authentication none is needed, but a POST then takes the header \`X-CSRF-Token\`, whose value \`/api/v1/whoami\` says.

| status | when |
| --- | --- |
| 400 | a field cannot be understood: \`fields\` names each, what was found, what was expected, and an example |
| 401 | no proof of who asks, or a wrong one |
| 403 | the Kubernetes permission that is missing, and the rule that grants it |
| 404 | there is none of this id, or none for this caller |
| 409 | it is no dead letter, or none any more |
| 405, 406, 413, 415 | a method, \`Accept\`, size or \`Content-Type\` that there is not; the answer says which there is |
| 421 | without authentication: asked by another name than localhost, or through a proxy |
| 429 | too many of your questions wait already, or too many wrong tokens came from this address; \`Retry-After\` says when to ask again |
| 503 | the store cannot be read, or nobody can say what the caller may see; \`Retry-After\` says when to ask again |

A page has 1,000 rows at most, a request 256 KiB, and an answer is looked for for 1.5 seconds at most: where the question is too wide for it, it holds a part, and \`refine\` says how far was looked. Behind the questions of many, or while a ledger's MySQL server hangs, it comes some ten seconds later, from memory, or not at all (429, 503). Answers to a GET have an \`ETag\`, but for \`whoami\` and \`tail\`; \`If-None-Match\` gets 304 while nothing has changed. Times in questions are a duration back from now (\`2h\`), ISO 8601, or milliseconds since 1970.

For spreadsheets the page has the same query as \`/events.csv\`: UTF-8 with a byte order mark, no cell that would be a formula, 100,000 rows at most (the last line says where to go on); and \`/report\` as one HTML file that prints well.
`;

/** The reference of the API, made from the document that it serves. */
export async function apiReference(): Promise<string> {
  const { paths, components } = openApi("") as unknown as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
    readonly components: { readonly schemas: Readonly<Record<string, Json>> };
  };
  const calls = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, call]) => callText(method, path, call)),
  );
  const schemas = Object.entries(components.schemas)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, schema]) => schemaText(name, schema));
  return [BEGINNING, "# Calls\n", ...calls, "# What is answered and sent\n", ...schemas].join("\n");
}

function callText(method: string, path: string, call: Described): string {
  const { summary, description, parameters, requestBody, responses } = call;
  const asked = parameters.filter((one) => one.in !== "path");
  const samples = call["x-codeSamples"] ?? [];
  return [
    `## ${method.toUpperCase()} ${path}\n`,
    `${summary}.${description === undefined ? "" : ` ${description}`}\n`,
    ...samples.flatMap(({ source }) => ["```sh", source, "```", ""]),
    ...(asked.length === 0
      ? []
      : [
          "| field | what | example |",
          "| --- | --- | --- |",
          ...asked.map(
            ({ name, description: what = "", example = "" }) =>
              `| \`${name}\` | ${cell(what)} | \`${cell(example)}\` |`,
          ),
          "",
        ]),
    ...(requestBody === undefined ? [] : [`Takes ${typeIn(requestBody.content)} as JSON.\n`]),
    ...Object.entries(responses)
      .filter(([status]) => status.startsWith("2"))
      .map(([status, { content }]) =>
        content === undefined
          ? `Answers ${status} without a body.\n`
          : `Answers ${typeIn(content)}.\n`,
      ),
  ].join("\n");
}

function schemaText(name: string, schema: Json): string {
  const { description, properties = {} } = schema as {
    readonly description?: string;
    readonly properties?: Readonly<Record<string, Json>>;
  };
  const fields = Object.entries(properties);
  return [
    `## ${name}\n`,
    ...(description === undefined ? [] : [`${description}.\n`]),
    ...(fields.length === 0 ? [] : ["| field | type | what |", "| --- | --- | --- |"]),
    ...fields.map(([field, of]) => {
      const what = typeof of["description"] === "string" ? of["description"] : "";
      return `| \`${field}\` | ${typeOf(of)} | ${cell(what)} |`;
    }),
    ...(fields.length === 0 ? [] : [""]),
  ].join("\n");
}

function typeIn(content: Json): string {
  const [type = "", { schema = {} } = {}] =
    (Object.entries(content) as [string, { schema?: Json }][])[0] ?? [];
  return `${typeOf(schema)}${type === "application/json" ? "" : ` in \`${type}\``}`;
}

/** A schema in a word or two: its name, its type, or those it may be of. */
function typeOf(schema: Json): string {
  const {
    $ref: reference,
    type,
    items,
    anyOf,
    enum: values,
  } = schema as {
    readonly $ref?: string;
    readonly type?: string | readonly string[];
    readonly items?: Json;
    readonly anyOf?: readonly Json[];
    readonly enum?: readonly string[];
  };
  if (reference !== undefined) {
    const name = reference.split("/").at(-1) ?? "";
    return `[${name}](#${name.toLowerCase()})`;
  }
  if (anyOf !== undefined) return anyOf.map(typeOf).join(" or ");
  if (values !== undefined) return values.map((value) => `\`${value}\``).join(", ");
  if (type === "array") return `list of ${typeOf(items ?? {})}`;
  return type === undefined ? "anything" : [type].flat().join(" or ");
}

const cell = (text: string): string => text.replaceAll("|", "\\|");
