import type { Queue } from 'bullmq';
import type { Express } from 'express';

/**
 * The queue page. Loaded at its first request: bull-board and its templates cost more to load than all the rest
 * of a Region's HTTP side.
 */
export async function queuePage(queues: readonly Queue[], path: string, title: string): Promise<Express> {
  const [{ createBullBoard }, { BullMQAdapter }, { ExpressAdapter }] = await Promise.all([
    import('@bull-board/api'),
    import('@bull-board/api/bullMQAdapter'),
    import('@bull-board/express'),
  ]);
  const serverAdapter = new ExpressAdapter();
  serverAdapter.setBasePath(path);
  createBullBoard({
    queues: queues.map((queue) => new BullMQAdapter(queue)),
    serverAdapter,
    options: { uiConfig: { boardTitle: title } },
  });
  return serverAdapter.getRouter();
}
