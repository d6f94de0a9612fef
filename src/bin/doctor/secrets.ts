/** A URL without user name, password and query, a SIP URI without its password: as it may be shown. */
export function withoutLogin(text: string): string {
  return text
    .replace(/^((?:https?|wss?):\/\/)[^/?#]*@/i, '$1')
    .replace(/^(https?:\/\/[^?#]*)[?#].*$/i, '$1')
    .replace(/^(sips?:[^:@;?/]*|(?!sips?:)[^:@;?/]*):[^@]*@/i, '$1@');
}
