import { readdirSync, readFileSync } from "node:fs";

/** The threads of this process and how nice each is to others, as Linux has it. */
export function threadsOfOurs(): readonly { readonly id: string; readonly nice: number }[] {
  return readdirSync("/proc/self/task").map((id) => {
    const stat = readFileSync(`/proc/self/task/${id}/stat`, "utf8");
    return { id, nice: Number(stat.slice(stat.lastIndexOf(")")).split(" ")[17]) };
  });
}
