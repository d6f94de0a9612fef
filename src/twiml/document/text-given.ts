/** Throws a TypeError for what a program without types may hand over: bytes above all, as a file read without encoding. */
export function textGiven(text: unknown): asserts text is string {
  if (typeof text === 'string') return;
  const given = text instanceof Uint8Array ? 'bytes' : text === null ? 'null' : typeof text;
  throw new TypeError(`found ${given} for a TwiML document: expected its text`);
}
