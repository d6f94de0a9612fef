/** ITU-T E.164: `+`, no leading zero, at most 15 digits. */
const E164 = /^\+[1-9]\d{1,14}$/;

export function isE164(text: string): boolean {
  return E164.test(text);
}
