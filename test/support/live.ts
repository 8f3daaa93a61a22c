import type { Live } from "../../src/app/desk.ts";

/** A program of which nothing but the page has begun. */
export const NOTHING_RUNS: Live = {
  history: () => null,
  lane: () => null,
  standby: () => null,
  waitingFor: () => [],
  canaries: () => [],
};
