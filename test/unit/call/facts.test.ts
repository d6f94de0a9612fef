import { describe, expect, it } from 'vitest';
import { type CallFacts, standardParameters } from '../../../src/call/facts.ts';
import { callJob } from '../../support/call-job.ts';

const job = callJob({
  to: 'sip:desk@acme.sip.twilio.com',
  sip: {
    callId: 'abc@192.0.2.7',
    sourceIp: '192.0.2.7',
    sourcePort: 5060,
    transport: 'udp',
    requestUri: 'sip:desk@acme.sip.dublin.twilio.com',
    headers: { 'X-Order': '7 & 8', 'User-to-User': '3132;encoding=hex' },
  },
});

const facts: CallFacts = {
  callSid: job.callSid,
  accountSid: job.accountSid,
  from: 'sip:alice@acme.sip.twilio.com',
  to: job.to,
  direction: 'inbound',
  parentCallSid: null,
  callerName: null,
  forwardedFrom: null,
  sip: job.sip,
  domain: null,
};

const sipParameters = (params: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(params).filter(([name]) => name.startsWith('Sip')));

describe('the parameters of a call to a SIP domain', () => {
  it('name the domain, the user who logged in, the SIP call and its headers', () => {
    const domain = { sid: `SD${'2'.repeat(32)}`, domainName: 'acme.sip.twilio.com', username: 'alice' };
    expect(sipParameters(standardParameters({ ...facts, domain }, 'ringing'))).toEqual({
      SipDomain: 'acme.sip.twilio.com',
      SipDomainSid: domain.sid,
      SipUsername: 'alice',
      SipCallId: 'abc@192.0.2.7',
      SipSourceIp: '192.0.2.7',
      'SipHeader_X-Order': '7 & 8',
      'SipHeader_User-to-User': '3132;encoding=hex',
    });
  });

  it('name no user where the address let the caller in', () => {
    const domain = { sid: `SD${'2'.repeat(32)}`, domainName: 'acme.sip.twilio.com', username: null };
    expect(standardParameters({ ...facts, domain }, 'ringing')).not.toHaveProperty('SipUsername');
  });

  it('are left out of a call to a number', () => {
    expect(sipParameters(standardParameters(facts, 'ringing'))).toEqual({});
  });
});
