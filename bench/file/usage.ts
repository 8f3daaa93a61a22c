import { readFileSync } from "node:fs";

export interface Usage {
  readonly rssKiB: number;
  readonly cpuSeconds: number;
}

/** Clock ticks in a second, as Linux tells them to user space. */
const TICKS = 100;
const PAGE_KIB = 4;

/** What a process takes; `null` where it is gone. */
export function usageOf(pid: number): Usage | null {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return null;
  }
}

/** proc_pid_stat(5): its name, in brackets, may hold anything. */
export function parseStat(stat: string): Usage {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [user, system, pages] = [fields[11], fields[12], fields[21]].map(Number);
  return {
    rssKiB: (pages ?? 0) * PAGE_KIB,
    cpuSeconds: ((user ?? 0) + (system ?? 0)) / TICKS,
  };
}
