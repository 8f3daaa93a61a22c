/**
 * What work costs this process, in ms of CPU: unlike the time on the wall, the same on a machine that others use as well.
 * Enough to tell a step that is quadratic, or worse, from one that is linear.
 */
export function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
