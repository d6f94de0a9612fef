import type { Diagnostic } from '../../core/diagnostic.ts';
import { diagnose } from '../../core/error-catalogue.ts';

export type DecodedText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly diagnostic: Diagnostic };

const DECLARED = /^<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][\w.-]*)["']/;

/**
 * The text of a response body: by its byte order mark, else by the encoding its XML declaration names, else as
 * UTF-8 (XML 1.0 appendix F). Bytes that are none of that encoding are a parse failure, as in an XML parser.
 */
export function decodeBody(body: Buffer, url: string): DecodedText {
  const encoding = byteOrderMark(body) ?? DECLARED.exec(body.toString('latin1', 0, 200))?.[1] ?? 'utf-8';
  try {
    // The declaration was readable as ASCII, so a UTF-16 label cannot be true: such bodies carry a mark.
    const label = byteOrderMark(body) === undefined && /^utf-?16/i.test(encoding) ? 'utf-8' : encoding;
    return { ok: true, text: new TextDecoder(label, { fatal: true }).decode(body) };
  } catch {
    const message = `The document's bytes cannot be read as ${encoding}; send it as UTF-8.`;
    return { ok: false, diagnostic: diagnose(12100, message, { url, actual: encoding, expected: 'utf-8' }) };
  }
}

function byteOrderMark(body: Buffer): string | undefined {
  if (body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf) return 'utf-8';
  if (body[0] === 0xfe && body[1] === 0xff) return 'utf-16be';
  if (body[0] === 0xff && body[1] === 0xfe) return 'utf-16le';
  return undefined;
}
