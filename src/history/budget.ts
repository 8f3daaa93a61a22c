/** How long a search may go on: asked between its steps, each of which is short. */
export interface Budget {
  over(): boolean;
  /** Milliseconds, of any beginning. */
  now(): number;
}

/** A search in short steps. Between two of them whoever drives it lets others have their turn, or ends it. */
export type Steps<T> = Generator<undefined, T, undefined>;
