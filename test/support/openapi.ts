import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { openApi } from "../../src/web/api/openapi.ts";

type Json = Readonly<Record<string, unknown>>;

interface Described {
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { schema: Json }>> }>
  >;
}

type Paths = Readonly<Record<string, Readonly<Record<string, Described>>>>;

/** What the API says it answers, held against what it answers: by ajv, from the document that is served. */
export class Contract {
  readonly document: Json;
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });
  readonly #paths: Paths;

  constructor() {
    // As a client gets it.
    this.document = JSON.parse(JSON.stringify(openApi("0.0.0"))) as Json;
    this.#paths = this.document["paths"] as Paths;
    addFormats.default(this.#ajv);
    this.#ajv.addSchema({ $id: "https://api.test/", components: this.document["components"] });
  }

  /** What is wrong with an answer; empty: it is what was promised. */
  problems(
    method: string,
    target: string,
    answer: { readonly status: number; readonly headers: Headers; readonly body: string },
  ): readonly string[] {
    const { status, headers, body } = answer;
    const [path = ""] = target.split("?");
    const operation = this.#operation(method, path);
    const described = operation?.responses[status] ?? operation?.responses["default"];
    if (described === undefined) return [`${method} ${path} says nothing of ${status}`];
    if (described.content === undefined)
      return body === "" ? [] : [`${status} has no body, found ${body.slice(0, 80)}`];
    const type = headers.get("content-type")?.split(";")[0] ?? "";
    const content = described.content[type];
    if (content === undefined) return [`${status} is not told to be "${type}"`];
    const check = this.#check(content.schema);
    if (check(JSON.parse(body))) return [];
    return (check.errors ?? []).map(
      ({ instancePath, message }) => `${instancePath} ${message ?? ""}`,
    );
  }

  /** The same for one server-sent event, of those that the path streams. */
  streamed(path: string, data: string): readonly string[] {
    const schema = this.#operation("GET", path)?.responses[200]?.content?.["text/event-stream"]
      ?.schema;
    if (schema === undefined) return [`${path} is no stream`];
    const check = this.#check(schema);
    return check(JSON.parse(data)) ? [] : (check.errors ?? []).map(({ message }) => message ?? "");
  }

  #check(schema: Json): ValidateFunction {
    const reference = String(schema["$ref"]);
    return this.#ajv.compile({ $ref: `https://api.test/${reference}` });
  }

  #operation(method: string, path: string): Described | undefined {
    const parts = path.split("/");
    const [template] = Object.keys(this.#paths)
      .filter((one) => {
        const wanted = one.split("/");
        return (
          wanted.length === parts.length &&
          wanted.every((part, index) => part.startsWith("{") || part === parts[index])
        );
      })
      // What is spelled out comes before a name.
      .toSorted((a, b) => a.split("{").length - b.split("{").length);
    const here = template === undefined ? {} : (this.#paths[template] ?? {});
    // A method that a path has not is answered as whatever else is wrong with it.
    return here[method.toLowerCase()] ?? Object.values(here)[0];
  }
}
