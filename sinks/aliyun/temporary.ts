import type { AccessKey } from "../../src/sink/index.ts";

/** Credentials that end. */
export interface Temporary {
  readonly key: AccessKey;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

/** What a header can hold: they go into some. */
const WORD = /^[!-~]{1,16384}$/;

/** `null`: it is not what it should be. */
export function temporaryOf(
  id: unknown,
  secret: unknown,
  token: unknown,
  expiration: unknown,
): Temporary | null {
  const isWord = (value: unknown): value is string => typeof value === "string" && WORD.test(value);
  const expires = typeof expiration === "string" ? Date.parse(expiration) : Number.NaN;
  if (!isWord(id) || !isWord(secret) || !isWord(token) || Number.isNaN(expires)) return null;
  return { key: { id, secret, token }, expires };
}
