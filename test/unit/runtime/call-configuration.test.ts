import { describe, expect, it } from 'vitest';
import { createMemoryRegionalConfig } from '../../../src/config/memory.ts';
import type { SipDomain } from '../../../src/config/sip.ts';
import { callConfiguration, endCallback } from '../../../src/runtime/call-configuration.ts';
import { numberConfig } from '../../conformance/config.ts';
import { CALLED_NUMBER, callJob } from '../../support/call-job.ts';

const ACCOUNT = callJob().accountSid;
const APPLICATION = `AP${'1'.repeat(32)}`;
const DOMAIN = `SD${'2'.repeat(32)}`;
const POST = 'POST' as const;

const application = (accountSid: string) => ({
  sid: APPLICATION,
  accountSid,
  friendlyName: 'menu',
  voiceUrl: 'https://example.com/app',
  voiceMethod: 'GET' as const,
  voiceFallbackUrl: 'https://example.com/app-fallback',
  voiceFallbackMethod: POST,
  statusCallback: 'https://example.com/app-status',
  statusCallbackMethod: POST,
  voiceCallerIdLookup: true,
  publicApplicationConnectEnabled: false,
  smsUrl: '',
  smsMethod: POST,
  smsFallbackUrl: '',
  smsFallbackMethod: POST,
  smsStatusCallback: '',
  messageStatusCallback: '',
  createdAt: 1,
  updatedAt: 1,
});

const domain: SipDomain = {
  sid: DOMAIN,
  accountSid: ACCOUNT,
  friendlyName: 'acme',
  domainName: 'acme.sip.twilio.com',
  name: 'acme',
  voiceUrl: 'https://example.com/domain',
  voiceMethod: 'GET',
  voiceFallbackUrl: '',
  voiceFallbackMethod: POST,
  voiceStatusCallbackUrl: 'https://example.com/domain-status',
  voiceStatusCallbackMethod: 'GET',
  sipRegistration: true,
  secure: false,
  emergencyCallingEnabled: false,
  emergencyCallerSid: null,
  byocTrunkSid: null,
  createdAt: 1,
  updatedAt: 1,
};

const called = { sid: DOMAIN, domainName: 'acme.sip.twilio.com', username: 'alice' };

describe('the configuration of a call', () => {
  it('is its number’s in this Region, and nobody else’s where there is none (22199)', async () => {
    const config = createMemoryRegionalConfig('ie1');
    expect(await callConfiguration(callJob(), config)).toMatchObject({ code: 22199 });
    const numbers = numberConfig(1, {
      phoneNumberSid: CALLED_NUMBER,
      voiceUrl: 'https://example.com/number',
    });
    await config.saveNumber(numbers);
    expect(await callConfiguration(callJob(), config)).toMatchObject({
      voiceUrl: 'https://example.com/number',
    });
  });

  it('is its application’s where the number names one, status callback included', async () => {
    const config = createMemoryRegionalConfig('ie1');
    await config.saveNumber(
      numberConfig(1, {
        phoneNumberSid: CALLED_NUMBER,
        voiceUrl: 'https://example.com/number',
        voiceApplicationSid: APPLICATION,
      }),
    );
    expect(await callConfiguration(callJob(), config)).toMatchObject({ code: 21420, actual: APPLICATION });
    await config.records.applications.create(application(ACCOUNT));
    expect(await callConfiguration(callJob(), config)).toMatchObject({
      voiceUrl: 'https://example.com/app',
      voiceMethod: 'GET',
      voiceFallbackUrl: 'https://example.com/app-fallback',
    });
    expect(await endCallback(callJob(), config)).toMatchObject({
      statusCallback: 'https://example.com/app-status',
    });
  });

  it('is never another account’s application', async () => {
    const config = createMemoryRegionalConfig('ie1');
    const numbers = numberConfig(1, { phoneNumberSid: CALLED_NUMBER, voiceApplicationSid: APPLICATION });
    await config.saveNumber(numbers);
    await config.records.applications.create(application(`AC${'9'.repeat(32)}`));
    expect(await callConfiguration(callJob(), config)).toMatchObject({ code: 21420 });
  });

  it('is its SIP domain’s, and 22199 when the domain was deleted meanwhile', async () => {
    const config = createMemoryRegionalConfig('ie1');
    const job = callJob({ phoneNumberSid: null, domain: called });
    expect(await callConfiguration(job, config)).toMatchObject({ code: 22199 });
    await config.records.domains.create(domain);
    expect(await callConfiguration(job, config)).toMatchObject({
      voiceUrl: 'https://example.com/domain',
      voiceMethod: 'GET',
      statusCallback: 'https://example.com/domain-status',
      statusCallbackMethod: 'GET',
    });
  });
});
