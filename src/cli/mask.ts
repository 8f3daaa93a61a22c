import { Secret } from "../sink/secret.ts";

const MASK = "<redacted>";
const ENCODED = /%3Credacted%3E/gi;

/**
 * The same options with every secret replaced before anything is built from them, so that not even what is derived from one (a signature) can give it away.
 * Of a URL the host stays.
 */
export function maskOptions(
  options: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [key, masked(value)]));
}

/** A URL percent-encodes the mask; a person should read it. */
export function readable(text: string): string {
  return text.replaceAll(ENCODED, MASK);
}

function masked(value: unknown): unknown {
  if (value instanceof Secret) {
    const url = URL.parse(value.reveal());
    return new Secret(
      url === null || !/^https?:$/.test(url.protocol)
        ? MASK
        : `${url.protocol}//${url.host}/${MASK}`,
    );
  }
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, masked(item)]));
  return value;
}
