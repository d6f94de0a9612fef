/** A parameter of a media type: RFC 9110 §5.6.6. */
const PARAMETER = /;[ \t]*([!#$%&'*+.^_`|~\w-]+)=("(?:[^"\\]|\\.)*"|[^;\s"]*)/g;

/** The charset of a Content-Type; the first of several, as in https://mimesniff.spec.whatwg.org/#parsing-a-mime-type. */
export function charsetOf(contentType: string): string | undefined {
  for (const [, name = '', value = ''] of contentType.matchAll(PARAMETER)) {
    if (name.toLowerCase() !== 'charset') continue;
    const charset = value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value;
    if (charset.trim() !== '') return charset.trim();
  }
  return undefined;
}
