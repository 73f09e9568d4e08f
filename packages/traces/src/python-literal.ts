export type PythonLiteral = string | number | boolean | readonly PythonLiteral[] | Map<string, PythonLiteral>;

/** Where the text stops being the literal it should be. */
export class LiteralError extends Error {
  override readonly name = 'LiteralError';
}

/** Text of at most this depth is parsed; the header of a plain array has a depth of two. */
const DEEPEST = 8;

/**
 * Parses the Python literals that NumPy writes into a header: dictionaries with string keys, tuples, lists, strings without
 * escapes, whole numbers, True and False. Nothing is evaluated. Anything else, a repeated key or text behind the literal is an error.
 *
 * @throws LiteralError what was expected, at which character, and what is there
 */
export function parsePythonLiteral(text: string): PythonLiteral {
  const parser = new Parser(text);
  const value = parser.value(0);
  parser.end();
  return value;
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): PythonLiteral {
    if (depth > DEEPEST) throw this.#expected('a plain array header');
    const word = this.#take(/(True|False)(?![\w.])/y);
    if (word !== undefined) return word === 'True';
    const digits = this.#take(/\d{1,15}(?![\w.])/y);
    if (digits !== undefined) return Number(digits);
    const quoted = this.#take(/'[^'\\\n]*'|"[^"\\\n]*"/y);
    if (quoted !== undefined) return quoted.slice(1, -1);
    if (this.#take(/\(/y) !== undefined) return this.#items(')', depth);
    if (this.#take(/\[/y) !== undefined) return this.#items(']', depth);
    if (this.#take(/\{/y) !== undefined) return this.#entries(depth);
    throw this.#expected('a dictionary, tuple, string, whole number, True or False');
  }

  end(): void {
    this.#skip();
    if (this.#at < this.#text.length) throw this.#expected('the end');
  }

  #items(close: string, depth: number): PythonLiteral[] {
    const items: PythonLiteral[] = [];
    while (!this.#closes(close)) {
      items.push(this.value(depth + 1));
      if (!this.#separates(close)) return items;
    }
    return items;
  }

  #entries(depth: number): Map<string, PythonLiteral> {
    const entries = new Map<string, PythonLiteral>();
    while (!this.#closes('}')) {
      const key = this.value(depth + 1);
      if (typeof key !== 'string') throw this.#expected('a string as key');
      if (entries.has(key)) throw this.#expected(`each key once, and '${key}' came again`);
      if (this.#take(/:/y) === undefined) throw this.#expected("':'");
      entries.set(key, this.value(depth + 1));
      if (!this.#separates('}')) return entries;
    }
    return entries;
  }

  #closes(close: string): boolean {
    return this.#take(close === '}' ? /\}/y : close === ')' ? /\)/y : /\]/y) !== undefined;
  }

  /** True after a comma, false after the closing bracket. */
  #separates(close: string): boolean {
    if (this.#take(/,/y) !== undefined) return true;
    if (this.#closes(close)) return false;
    throw this.#expected(`',' or '${close}'`);
  }

  #take(pattern: RegExp): string | undefined {
    this.#skip();
    pattern.lastIndex = this.#at;
    const taken = pattern.exec(this.#text)?.[0];
    if (taken !== undefined) this.#at += taken.length;
    return taken;
  }

  #skip(): void {
    while (' \n\t'.includes(this.#text[this.#at] ?? '?')) this.#at++;
  }

  #expected(what: string): LiteralError {
    const rest = this.#text.slice(this.#at, this.#at + 20);
    return new LiteralError(`expected ${what} at character ${this.#at}, got ${rest === '' ? 'the end' : JSON.stringify(rest)}`);
  }
}
