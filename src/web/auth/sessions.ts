import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "../../clock.ts";
import { Secret } from "../../sink/secret.ts";

export interface Session {
  /** What the session is known by here: the hash of the id that the browser holds. */
  readonly key: string;
  /** Whose session it is. */
  readonly name: string;
  /** It is proven anew for each request, so that a token that was taken away ends the session. */
  readonly token: Secret;
}

interface Kept extends Session {
  readonly endsAt: number;
  usedAt: number;
}

export const SESSION_MS = 8 * 3_600_000;
export const IDLE_MS = 30 * 60_000;
const MOST = 5_000;
/** One person's, so that nobody pushes the others out. */
const MOST_OF_ONE = 20;

/** Sessions are kept in memory, by the hash of their id: a restart ends them all, and what is kept opens none. */
export class Sessions {
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();
  /** Of this process; whoever holds it could make CSRF tokens, and nobody does. */
  readonly #secret = randomBytes(32);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** A new id for each: none that somebody brought along is ever taken. @returns the id, which is kept nowhere but in the browser */
  begin(name: string, token: string): string {
    this.#sweep();
    const own = [...this.#kept.values()].filter((session) => session.name === name);
    const over = own.length >= MOST_OF_ONE ? own[0]?.key : undefined;
    const oldest = this.#kept.size >= MOST ? [...this.#kept.keys()][0] : undefined;
    for (const key of [over, oldest]) if (key !== undefined) this.#kept.delete(key);
    const id = randomBytes(32).toString("base64url");
    const now = this.#clock.now();
    const key = hashOf(id);
    const endsAt = now + SESSION_MS;
    this.#kept.set(key, { key, name, token: new Secret(token), endsAt, usedAt: now });
    return id;
  }

  /** `null`: there is none of this id, or it is over. Being asked for keeps it alive. */
  find(id: string): Session | null {
    const key = hashOf(id);
    const session = this.#kept.get(key);
    if (session === undefined) return null;
    this.#kept.delete(key);
    if (this.#isOver(session)) return null;
    session.usedAt = this.#clock.now();
    this.#kept.set(key, session);
    return session;
  }

  end(session: Session): void {
    this.#kept.delete(session.key);
  }

  /** What every form of this caller carries; it is worth nothing to anybody else. */
  csrfToken(binding: string): string {
    return createHmac("sha256", this.#secret).update(binding).digest("base64url");
  }

  isCsrfToken(binding: string, given: string): boolean {
    const expected = Buffer.from(this.csrfToken(binding));
    const actual = Buffer.from(given);
    return expected.length === actual.length && timingSafeEqual(expected, actual);
  }

  #isOver({ endsAt, usedAt }: Kept): boolean {
    const now = this.#clock.now();
    // One that begins later than now: the clock was set back, by as much as it would last longer.
    return now >= endsAt || endsAt - now > SESSION_MS || now - usedAt >= IDLE_MS;
  }

  #sweep(): void {
    for (const session of this.#kept.values())
      if (this.#isOver(session)) this.#kept.delete(session.key);
  }
}

function hashOf(id: string): string {
  return createHash("sha256").update(id).digest("base64url");
}
