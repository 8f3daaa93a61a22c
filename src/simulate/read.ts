/** Reading JSON nobody vouches for. */
export type Json = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The member as an object; `null` when it is none. */
export function objectAt(value: Json, key: string): Json | null {
  const member = value[key];
  return isObject(member) ? member : null;
}

/** The member as text that is not empty; `null` otherwise. */
export function textAt(value: Json, key: string): string | null {
  const member = value[key];
  return typeof member === "string" && member !== "" ? member : null;
}

/** The member as a list; empty when it is none. */
export function listAt(value: Json, key: string): readonly unknown[] {
  const member = value[key];
  return Array.isArray(member) ? member : [];
}

export function textsAt(value: Json, key: string): string[] {
  return listAt(value, key).filter((item) => typeof item === "string");
}

export function byteLength(text: string): number {
  return Buffer.byteLength(text, "utf8");
}

/** In Unicode code points, as Slack counts. */
export function charLength(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}
