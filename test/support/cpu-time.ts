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

/**
 * The same of work that is not done at once. It is done again, up to three times, only as long as it took more than
 * `enough`: something else, such as a garbage collection, may have been counted.
 */
export async function asyncCpuMs(work: () => unknown, enough: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 4 && least > enough; run++) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1_000);
  }
  return least;
}
