/**
 * Milliseconds of processor that `work` takes, the least of three runs: what a bound on effort can be compared with on a
 * machine that is busy with other things.
 */
export function cpuMs(work: () => void): number {
  const runs = [0, 0, 0].map(() => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  });
  return Math.min(...runs);
}
