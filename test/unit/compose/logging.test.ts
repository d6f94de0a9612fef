import { describe, expect, it } from 'vitest';
import { createLogger } from '../../../src/compose/logging.ts';

function lines(level: string) {
  const written: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => written.push(JSON.parse(line)) };
  return { written, logger: createLogger({ role: 'worker', region: 'ie1', level, destination }) };
}

describe('a log line', () => {
  it('says when, how bad, which process and which call', () => {
    const { written, logger } = lines('info');
    logger.child({ CallSid: 'CA1', edge: 'dublin' }).warn({ attempt: 2 }, 'no answer');
    expect(written).toEqual([
      {
        level: 'warn',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        pid: process.pid,
        role: 'worker',
        region: 'ie1',
        CallSid: 'CA1',
        edge: 'dublin',
        attempt: 2,
        msg: 'no answer',
      },
    ]);
  });

  it('tells an error with its cause', () => {
    const { written, logger } = lines('info');
    logger.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'failed');
    expect(written[0]?.['err']).toMatchObject({ message: expect.stringContaining('outer: inner') });
  });

  it('is left out below the level', () => {
    const { written, logger } = lines('warn');
    logger.info({}, 'nothing');
    expect(written).toEqual([]);
  });
});
