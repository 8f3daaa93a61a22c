import { type ApiError, statusError } from "./errors.ts";

/** One line of a watch. */
export type Frame =
  | { readonly kind: "changed"; readonly object: unknown }
  | { readonly kind: "deleted"; readonly object: unknown }
  | { readonly kind: "bookmark"; readonly resourceVersion: string }
  | { readonly kind: "refused"; readonly error: ApiError }
  | { readonly kind: "garbage"; readonly detail: string };

/** Total: what cannot be read is garbage with the beginning of what was found. */
export function readFrame(line: string): Frame {
  let frame: unknown;
  try {
    frame = JSON.parse(line);
  } catch {
    return garbage("not JSON", line);
  }
  if (typeof frame !== "object" || frame === null) return garbage("not an object", line);
  const { type, object } = frame as { type?: unknown; object?: unknown };
  switch (type) {
    case "ADDED":
    case "MODIFIED":
      return { kind: "changed", object };
    case "DELETED":
      return { kind: "deleted", object };
    case "BOOKMARK":
      return { kind: "bookmark", resourceVersion: versionOf(object) };
    case "ERROR":
      return { kind: "refused", error: statusError(200, object, null) };
    default:
      return garbage("of no known type", line);
  }
}

export function metadataOf(object: unknown): Readonly<Record<string, unknown>> {
  const metadata = (object as { metadata?: unknown } | null | undefined)?.metadata;
  return typeof metadata === "object" && metadata !== null
    ? (metadata as Record<string, unknown>)
    : {};
}

export function versionOf(object: unknown): string {
  const version = metadataOf(object)["resourceVersion"];
  return typeof version === "string" ? version : "";
}

function garbage(what: string, line: string): Frame {
  return {
    kind: "garbage",
    detail: `${what}: ${JSON.stringify(line.slice(0, 80))}${line.length > 80 ? "…" : ""}`,
  };
}
