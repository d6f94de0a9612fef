import { describe, expect, it } from 'vitest';
import type { CallRecord } from '../../../src/call/record.ts';
import { statusCallbackParameters, statusCallbackTask } from '../../../src/call/status-callback.ts';
import { callRecord, recordingRecord, sid } from '../../support/call-record.ts';

const at = Date.UTC(2026, 10, 3, 9, 31, 5);
const ended = (fields: Partial<CallRecord> = {}) =>
  callRecord(1, { status: 'completed', duration: '61', ...fields });
const config = { statusCallback: 'https://example.com/status', statusCallbackMethod: 'POST' } as const;

describe('the status callback of a number', () => {
  it('carries the standard parameters and how the call ended', () => {
    const record = ended({ forwarded_from: '+3531', caller_name: 'Zoë' });
    expect(statusCallbackTask(config, record, at)).toMatchObject({
      kind: 'status-callback',
      accountSid: record.account_sid,
      callSid: record.sid,
      url: 'https://example.com/status',
      method: 'POST',
      params: {
        CallSid: record.sid,
        From: '+353861234567',
        Called: '+35315550100',
        ToCity: '',
        ForwardedFrom: '+3531',
        CallerName: 'Zoë',
        CallStatus: 'completed',
        Direction: 'inbound',
        Timestamp: 'Tue, 03 Nov 2026 09:31:05 +0000',
        CallbackSource: 'call-progress-events',
        SequenceNumber: '0',
        CallDuration: '61',
        Duration: '2',
      },
    });
  });

  it('bills no minutes for a call that did not complete', () => {
    const params = statusCallbackTask(config, ended({ status: 'no-answer', duration: '0' }), at)?.params;
    expect(params).toMatchObject({ CallStatus: 'no-answer', CallDuration: '0' });
    expect(params).not.toHaveProperty('Duration');
  });

  it('is not made when none is configured', () => {
    expect(statusCallbackTask({ ...config, statusCallback: '' }, ended(), at)).toBeUndefined();
  });

  it('names the SIP status and the recording where there are any', () => {
    const record = ended();
    const facts = {
      callSid: record.sid,
      accountSid: record.account_sid,
      from: record.from,
      to: record.to,
      direction: record.direction,
      parentCallSid: sid('CA', 9),
      callerName: null,
      forwardedFrom: null,
      sip: null,
      domain: null,
    };
    const recording = { record: recordingRecord(1, 1, { duration: '7' }), url: 'http://127.0.0.1/RE' };
    const details = { at, sequence: 3, sipResponseCode: 200, recording };
    expect(statusCallbackParameters(facts, record, details)).toMatchObject({
      SequenceNumber: '3',
      SipResponseCode: '200',
      RecordingUrl: 'http://127.0.0.1/RE',
      RecordingSid: sid('RE', 1),
      RecordingDuration: '7',
      ParentCallSid: sid('CA', 9),
    });
    const early = statusCallbackParameters(facts, { ...record, status: 'ringing' }, { at, sequence: 0 });
    expect(early).not.toHaveProperty('CallDuration');
  });
});
