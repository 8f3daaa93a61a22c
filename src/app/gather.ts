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
    if (error instanceof ConfigError) add(issues, error.issues);
    else if (where === null) throw error;
    else {
      const message = error instanceof Error ? error.message : String(error);
      add(issues, [{ where, message, hint: null }]);
    }
    return null;
  }
}

/** What several parts need and none can have is one problem. */
function add(issues: ConfigIssue[], found: readonly ConfigIssue[]): void {
  for (const { where, message, hint } of found) {
    if (!issues.some((known) => known.where === where && known.message === message))
      issues.push({ where, message, hint });
  }
}
