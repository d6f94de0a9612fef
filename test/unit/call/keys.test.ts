import { describe, expect, it } from 'vitest';
import { callRecordKey, recordingKey, timelineKey } from '../../../src/call/keys.ts';
import { callRecord } from '../../support/call-record.ts';

describe('object keys', () => {
  it('are dated by the creation of the call, in UTC', () => {
    const record = callRecord(1, { created_at_ms: Date.UTC(2026, 11, 31, 23, 59, 59, 999) });
    const folder = `accounts/${record.account_sid}/calls/2026/12/31/${record.sid}`;
    expect(callRecordKey(record)).toBe(`${folder}.json`);
    expect(timelineKey(record)).toBe(`${folder}.events.jsonl`);
    const place = { accountSid: record.account_sid, callSid: record.sid, createdAt: record.created_at_ms };
    expect(callRecordKey(place)).toBe(`${folder}.json`);
  });

  it('of recordings are by account', () => {
    expect(recordingKey('AC1', 'RE1', 'wav')).toBe('accounts/AC1/recordings/RE1.wav');
    expect(recordingKey('AC1', 'RE1', 'json')).toBe('accounts/AC1/recordings/RE1.json');
  });
});
