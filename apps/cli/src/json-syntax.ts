/** Where a text stops being JSON, counted from 1 as editors do. */
export interface JsonFault {
  readonly line: number;
  readonly column: number;
  readonly expected: string;
}

/**
 * The first place where `text` is no JSON (RFC 8259), or undefined when it is. `JSON.parse` of older runtimes does not say
 * where, so this walks the same grammar once more; only texts that failed come here.
 */
export function jsonFault(text: string): JsonFault | undefined {
  let at = 0;
  let depth = 0;

  const skip = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) return false;
    at += match[0].length;
    return true;
  };
  const space = () => skip(/[ \t\r\n]*/y);

  /** Each returns what it missed at `at`, or undefined. */
  const value = (): string | undefined => {
    space();
    const first = text[at];
    if (first === '{') return list('}', pair, 'a key in double quotes');
    if (first === '[') return list(']', value, 'a value');
    if (first === '"') return string();
    if (skip(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y) || skip(/true|false|null/y)) return undefined;
    return 'a value';
  };
  const string = (): string | undefined => {
    if (skip(/"(?:[^"\\\u0000-\u001f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"/y)) return undefined;
    skip(/"(?:[^"\\\u0000-\u001f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*/y);
    return text[at] === '\\' ? 'a known escape such as \\n' : 'a closing double quote';
  };
  const pair = (): string | undefined => {
    space();
    if (text[at] !== '"') return 'a key in double quotes';
    const missed = string();
    if (missed !== undefined) return missed;
    space();
    return skip(/:/y) ? value() : 'a colon';
  };
  const list = (close: '}' | ']', item: () => string | undefined, what: string): string | undefined => {
    if (++depth > 500) return 'fewer nested brackets';
    at++;
    space();
    if (text[at] === close) {
      at++;
      depth--;
      return undefined;
    }
    for (;;) {
      const missed = item();
      if (missed !== undefined) return missed;
      space();
      if (text[at] === close) {
        at++;
        depth--;
        return undefined;
      }
      if (!skip(/,/y)) return `a comma or ${close}`;
      space();
      if (text[at] === close) return what;
    }
  };

  let expected = value();
  if (expected === undefined) {
    space();
    if (at === text.length) return undefined;
    expected = 'the end of the file';
  }
  const before = text.slice(0, at).split('\n');
  return { line: before.length, column: before.at(-1)!.length + 1, expected };
}
