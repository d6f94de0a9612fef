/** In place of a password. */
const HIDDEN = '***';

/** An address without user, password and connection overrides: timelines are shown to people. */
export function withoutSecrets(text: string): string {
  try {
    const url = new URL(text);
    url.username = '';
    url.password = '';
    url.hash = '';
    return url.href;
  } catch {
    return text;
  }
}

/** TwiML with the passwords of its `password` attributes and of its addresses hidden; all else as it is. */
export function withoutPasswords(text: string): string {
  return text
    .replace(/(\bpassword\s*=\s*)(?:"[^"]*"|'[^']*')/gi, `$1"${HIDDEN}"`)
    .replace(/(\b(?:https?|sips?):(?:\/\/)?[^\s/@:<>"']*):[^\s/@<>"']*(?=@)/gi, `$1:${HIDDEN}`);
}
