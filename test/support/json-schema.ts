type Json = Readonly<Record<string, unknown>>;

const isMap = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const TYPE_OF: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === "boolean",
  array: (value) => Array.isArray(value),
  object: isMap,
  null: (value) => value === null,
};

/** What a JSON Schema 2020-12 says against a value: the keywords our own schema uses, and an error for any other. */
export function schemaProblems(schema: unknown, value: unknown, at = "$"): string[] {
  if (schema === true) return [];
  if (!isMap(schema)) return [`${at}: no schema allows it`];
  return Object.entries(schema).flatMap(([keyword, rule]) =>
    check(keyword, rule, schema, value, at),
  );
}

function check(keyword: string, rule: unknown, schema: Json, value: unknown, at: string): string[] {
  const wrong = (ok: boolean): string[] =>
    ok ? [] : [`${at}: ${keyword} ${JSON.stringify(rule)}`];
  switch (keyword) {
    case "$schema":
    case "title":
    case "description":
    case "default":
    case "examples":
      return [];
    case "type":
      return wrong([rule].flat().some((type) => TYPE_OF[String(type)]?.(value) ?? false));
    case "enum":
      return wrong((rule as unknown[]).includes(value));
    case "const":
      return wrong(rule === value);
    case "minimum":
      return wrong(typeof value !== "number" || value >= Number(rule));
    case "maximum":
      return wrong(typeof value !== "number" || value <= Number(rule));
    case "minLength":
      return wrong(typeof value !== "string" || value.length >= Number(rule));
    case "pattern":
      return wrong(typeof value !== "string" || new RegExp(String(rule), "u").test(value));
    case "required":
      return wrong(!isMap(value) || (rule as string[]).every((key) => Object.hasOwn(value, key)));
    case "properties":
      return isMap(value)
        ? Object.entries(rule as Json).flatMap(([key, inner]) =>
            Object.hasOwn(value, key) ? schemaProblems(inner, value[key], `${at}.${key}`) : [],
          )
        : [];
    case "propertyNames":
      return isMap(value) ? Object.keys(value).flatMap((key) => schemaProblems(rule, key, at)) : [];
    case "additionalProperties":
      return isMap(value)
        ? Object.entries(value)
            .filter(([key]) => !Object.hasOwn((schema["properties"] ?? {}) as Json, key))
            .flatMap(([key, item]) => schemaProblems(rule, item, `${at}.${key}`))
        : [];
    case "items":
      return Array.isArray(value)
        ? value.flatMap((item, index) => schemaProblems(rule, item, `${at}[${index}]`))
        : [];
    case "anyOf":
      return wrong((rule as unknown[]).some((one) => schemaProblems(one, value, at).length === 0));
    case "oneOf":
      return wrong(
        (rule as unknown[]).filter((one) => schemaProblems(one, value, at).length === 0).length ===
          1,
      );
    default:
      throw new Error(`the schema uses ${keyword}, which this validator does not know`);
  }
}
