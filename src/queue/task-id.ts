/**
 * Refuses ids that not every adapter can store: BullMQ joins keys with `:` and counts in integers.
 *
 * @see https://docs.bullmq.io/guide/jobs/job-ids
 */
export function assertTaskId(id: string): void {
  if (id === '' || id.includes(':') || /^\d+$/.test(id)) {
    throw new TypeError(`"${id}" cannot be a task id: expected text without ":" that is not just digits`);
  }
}
