import { describe, expect, it } from 'vitest';
import {
  answeredRecord,
  diagnosedRecord,
  endRecord,
  MOST_DIAGNOSTICS,
  newCallRecord,
} from '../../../src/call/call-records.ts';
import { warning } from '../../../src/core/diagnostic.ts';
import { callJob } from '../../support/call-job.ts';

const second = Date.UTC(2026, 10, 3, 9, 30);
const job = callJob({ createdAt: second + 250, from: '+14155551234', to: 'sip:a@example.com' });

describe('the record of a call', () => {
  it('begins ringing, with the fields of the Call resource', () => {
    const record = newCallRecord(job);
    expect(record).toMatchObject({
      sid: job.callSid,
      status: 'ringing',
      date_created: 'Tue, 03 Nov 2026 09:30:00 +0000',
      from_formatted: '(415) 555-1234',
      to_formatted: 'sip:a@example.com',
      phone_number_sid: job.phoneNumberSid,
      start_time: null,
      duration: null,
      created_at_ms: second + 250,
      uri: `/2010-04-01/Accounts/${job.accountSid}/Calls/${job.callSid}.json`,
    });
    expect(record.subresource_uris['recordings']).toBe(
      `/2010-04-01/Accounts/${job.accountSid}/Calls/${job.callSid}/Recordings.json`,
    );
  });

  it('lasts from answer to end, as its times show it', () => {
    const answered = answeredRecord(newCallRecord(job), second + 1_900);
    expect(answered).toMatchObject({ status: 'in-progress', start_time: 'Tue, 03 Nov 2026 09:30:01 +0000' });
    expect(answeredRecord(answered, second + 9_000)).toBe(answered);
    expect(
      endRecord(answered, { status: 'completed', cause: 'the caller hung up' }, second + 5_100),
    ).toMatchObject({
      status: 'completed',
      cause: 'the caller hung up',
      duration: '4',
      end_time: 'Tue, 03 Nov 2026 09:30:05 +0000',
    });
  });

  it('has no duration when it was never answered', () => {
    const ended = endRecord(newCallRecord(job), { status: 'no-answer', cause: 'gave up' }, second + 30_000);
    expect(ended).toMatchObject({ duration: '0', start_time: null, status: 'no-answer' });
  });

  it('keeps the first diagnostics and the newest, however many there are', () => {
    let record = newCallRecord(job);
    for (let n = 1; n <= MOST_DIAGNOSTICS + 50; n++) record = diagnosedRecord(record, warning(12200, `${n}`));
    const kept = record.diagnostics.map((diagnostic) => Number(diagnostic.message));
    expect(kept).toHaveLength(MOST_DIAGNOSTICS);
    expect(kept.slice(0, 3)).toEqual([1, 2, 3]);
    expect(kept.at(-1)).toBe(MOST_DIAGNOSTICS + 50);
  });
});
