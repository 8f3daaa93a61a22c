import { timingSafeEqual } from "node:crypto";

/** Compares without telling by its duration how much is right. */
export function same(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
