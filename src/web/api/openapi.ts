import { FIELDS } from "../../history/parse.ts";
import { z } from "../../sink/schema.ts";
import { type Operation, OPERATIONS } from "./operations.ts";
import * as schemas from "./schemas.ts";

type Json = Readonly<Record<string, unknown>>;

const PROBLEMS: Readonly<Record<number, string>> = {
  400: "a field that cannot be understood, with what was expected",
  401: "no proof of who asks",
  403: "the Kubernetes permission that is missing",
  404: "there is none of this id, or none for this caller",
  409: "it is no dead letter, or none any more: it is owed still or again, was accepted or discarded",
  413: "the request holds more than 256 KiB",
  415: "what was sent is not application/json",
  429: "too many of the caller's questions wait already, or too many wrong tokens came from this address; `Retry-After` says when to ask again",
  503: "the store, or whoever knows the caller's rights, is away",
};

const LAST_EVENT_ID: Json = {
  name: "Last-Event-ID",
  in: "header",
  description: "the id of the last message that was received: it goes on behind it",
  schema: { type: "string" },
  example: "81234",
};

/** The API as OpenAPI 3.1, from the same schemas that its answers are held against. */
export function openApi(version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const operation of OPERATIONS)
    paths[operation.path] = {
      ...paths[operation.path],
      [operation.method]: describe(operation),
    };
  return {
    openapi: "3.1.0",
    info: {
      title: "kube-crier",
      version,
      description: "What happened, and who was told. Times are ISO 8601 in UTC.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
      schemas: components(),
    },
  };
}

function describe(operation: Operation): Json {
  const { id, path, summary, notes, example, fields, says, stream, body, problems } = operation;
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const inQuery = fields.map((field) => {
    const [description, example] = says?.[field] ?? FIELDS[field];
    return { name: field, in: "query", description, schema: { type: "string" }, example };
  });
  const inHeaders = stream === undefined ? [] : [LAST_EVENT_ID];
  const statuses = [401, ...problems, ...(body === undefined ? [] : [413, 415])];
  return {
    operationId: id,
    summary,
    ...(notes === undefined ? {} : { description: notes }),
    parameters: [...inPath, ...inQuery, ...inHeaders],
    ...(example === undefined ? {} : { "x-codeSamples": [{ lang: "Shell", source: example }] }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { "application/json": { schema: refTo(body) } },
          },
        }),
    responses: {
      ...answersOf(operation),
      ...Object.fromEntries(statuses.map((status) => [status, problemOf(PROBLEMS[status] ?? "")])),
      default: problemOf("whatever else stands in the way"),
    },
  };
}

function answersOf({ method, summary, answer, stream, unweighed }: Operation): Json {
  if (answer === null) return { 204: { description: "done" } };
  const content = { [stream ?? "application/json"]: { schema: refTo(answer) } };
  const plain = { 200: { description: summary, content } };
  if (method !== "get" || stream !== undefined || unweighed === true) return plain;
  const etag = { description: "changes with the answer", schema: { type: "string" } };
  return {
    200: { description: summary, headers: { ETag: etag }, content },
    304: { description: "what If-None-Match names is still the answer" },
  };
}

function problemOf(description: string): Json {
  return { description, content: { "application/json": { schema: refTo(schemas.problem) } } };
}

function refTo(schema: z.ZodType | null): Json {
  const id = schema === null ? undefined : z.globalRegistry.get(schema)?.id;
  return id === undefined ? {} : { $ref: `#/components/schemas/${id}` };
}

function components(): Json {
  const { schemas: named } = z.toJSONSchema(z.globalRegistry, {
    uri: (id) => `#/components/schemas/${id}`,
  });
  return Object.fromEntries(
    Object.entries(named).map(([id, schema]) => {
      const { $schema: _, $id: __, ...rest } = schema as Json;
      return [id, rest];
    }),
  );
}
