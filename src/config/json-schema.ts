import type { SinkDefinition } from "../sink/index.ts";
import { metaOf, z } from "../sink/schema.ts";
import { checkRegistry, rootSchema, sinkSchema } from "./schema.ts";
import { isMap } from "./tree.ts";

type Json = Readonly<Record<string, unknown>>;

/** The configuration file as JSON Schema 2020-12, for editors: options of the house and of every sink. */
export function configJsonSchema(registry: readonly SinkDefinition[]): Json {
  checkRegistry(registry);
  const root = objectSchema(rootSchema);
  const house = objectSchema(sinkSchema);
  const properties = root["properties"] as Readonly<Record<string, Json>>;
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "kube-crier configuration",
    type: "object",
    properties: emptyHeadings({
      ...properties,
      sources: { description: "Where events come from", ...properties["sources"] },
      sinks: {
        description: "Where alerts go: a name of your choice for each",
        type: "object",
        additionalProperties: {
          oneOf: registry.map((definition) => sinkEntry(definition, house)),
        },
      },
    }),
    additionalProperties: false,
  };
}

function sinkEntry(definition: SinkDefinition, house: Json): Json {
  const own = objectSchema(definition.options);
  const required = Array.isArray(own["required"]) ? (own["required"] as string[]) : [];
  return {
    title: definition.title,
    description: definition.summary,
    type: "object",
    properties: emptyHeadings({
      type: { const: definition.type },
      ...(own["properties"] as Json),
      ...(house["properties"] as Json),
    }),
    required: ["type", ...required],
    additionalProperties: false,
  };
}

/** A heading of which every line is commented out is null to YAML, and nothing to us. */
function emptyHeadings(properties: Json): Json {
  return Object.fromEntries(
    Object.entries(properties).map(([key, member]) => [key, emptyHeading(member)]),
  );
}

function emptyHeading(schema: unknown): unknown {
  if (!isMap(schema)) return schema;
  const { type, items, properties, anyOf } = schema;
  const within = {
    ...(items === undefined ? {} : { items: emptyHeading(items) }),
    ...(isMap(properties) ? { properties: emptyHeadings(properties) } : {}),
  };
  if (type === "object" || type === "array") return { ...schema, ...within, type: [type, "null"] };
  if (Array.isArray(anyOf) && anyOf.some((one) => isMap(one) && one["type"] === "array"))
    return { ...schema, anyOf: [...anyOf.map(emptyHeading), { type: "null" }] };
  return schema;
}

/** Where a secret stands, a reference may stand as well. */
const SECRET: Json = {
  anyOf: [
    { type: "string" },
    reference("$env", "The environment variable that holds it"),
    reference("$file", "The file that holds it"),
  ],
};

function reference(key: string, description: string): Json {
  return {
    type: "object",
    properties: { [key]: { type: "string", minLength: 1, description } },
    required: [key],
    additionalProperties: false,
  };
}

function objectSchema(schema: z.ZodType): Json {
  const json: unknown = z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema }) => {
      const meta = zodSchema instanceof z.ZodType ? metaOf(zodSchema) : undefined;
      const target = jsonSchema as Record<string, unknown>;
      // Not every validator knows them, and some refuse the whole schema then.
      if (/\\[pP]\{/.test(String(target["pattern"]))) delete target["pattern"];
      if (meta === undefined) return;
      if (meta.secret === true) {
        if (target["type"] === "object") target["additionalProperties"] = SECRET;
        else if (target["anyOf"] !== undefined) target["anyOf"] = SECRET["anyOf"];
      }
      if (meta.example !== undefined) target["examples"] = [meta.example];
    },
  });
  if (!isMap(json)) throw new Error("an object's JSON Schema is a map");
  const { $schema: _, ...rest } = json;
  return rest;
}
