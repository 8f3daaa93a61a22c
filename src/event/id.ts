/**
 * A UUID of version 7 (RFC 9562 §5.7) from the time in milliseconds and a random UUID of version 4. Ids that are made one after the other
 * stand side by side in an index, while random ones have it rewritten all over: half of what the ledger wrote was that.
 */
export function orderedId(now: number, random: string): string {
  const time = Math.max(0, Math.floor(now)).toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8, 12)}-7${random.slice(15)}`;
}
