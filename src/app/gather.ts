import { ConfigError, type ConfigIssue } from "../config/config.ts";

/**
 * Does a part of the start and keeps what is wrong with it, so that everything is said at once; `null` where something is.
 * @param where for an error that is no ConfigError; without it such an error is a bug and thrown on
 */
export async function gather<T>(
  issues: ConfigIssue[],
  where: string | null,
  work: () => T | Promise<T>,
): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ConfigError) issues.push(...error.issues);
    else if (where === null) throw error;
    else
      issues.push({
        where,
        message: error instanceof Error ? error.message : String(error),
        hint: null,
      });
    return null;
  }
}
