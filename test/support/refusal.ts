import { ConfigError } from "../../src/config/config.ts";

/** What it is refused with, every problem of it; anything else thrown is a bug and stays one. */
export function refusalOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "not refused";
}
