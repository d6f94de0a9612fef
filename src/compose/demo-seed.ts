import type { Credentials } from './credentials.ts';
import type { DemoNumber } from './demo-numbers.ts';
import { demoAddress, formatAddress, reachable, regionAddress } from './ports.ts';
import type { Settings } from './settings.ts';

/**
 * Gives the demo numbers to the account, each in its Region, through the REST API as any customer would. A
 * number that is there already is left as it is.
 */
export async function seedDemo(
  settings: Settings,
  credentials: Credentials,
  numbers: readonly DemoNumber[],
): Promise<void> {
  await Promise.all(numbers.map((number) => seed(settings, credentials, number)));
}

async function seed(settings: Settings, credentials: Credentials, number: DemoNumber): Promise<void> {
  const { accountSid, authTokens } = credentials;
  const base = `http://${formatAddress(reachable(regionAddress(settings, number.region)))}`;
  const url = `${base}/2010-04-01/Accounts/${accountSid}/IncomingPhoneNumbers.json`;
  const authorization = `Basic ${Buffer.from(`${accountSid}:${authTokens.get(number.region)}`).toString('base64')}`;
  const known = await fetch(`${url}?PhoneNumber=${encodeURIComponent(number.phoneNumber)}`, {
    headers: { authorization },
  });
  const listed: unknown = await known.json();
  if (hasNumbers(listed)) return;
  const body = new URLSearchParams({
    PhoneNumber: number.phoneNumber,
    FriendlyName: number.friendlyName,
    VoiceUrl: `http://${formatAddress(demoAddress(settings))}${number.path}`,
  });
  const created = await fetch(url, { method: 'POST', headers: { authorization }, body });
  if (!created.ok)
    throw new Error(`the demo number ${number.phoneNumber} could not be created: ${await created.text()}`);
}

function hasNumbers(listed: unknown): boolean {
  if (typeof listed !== 'object' || listed === null) return false;
  const numbers: unknown = Reflect.get(listed, 'incoming_phone_numbers');
  return Array.isArray(numbers) && numbers.length > 0;
}
