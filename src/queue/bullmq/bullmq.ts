import { createRequire } from 'node:module';

/**
 * BullMQ, loaded by `require`: an `import` first searches each of its 171 files for the names it exports, which
 * takes as long again as loading it, in every process at its start.
 */
export const bullmq: typeof import('bullmq') = createRequire(import.meta.url)('bullmq');
