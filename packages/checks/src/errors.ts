/** Values that explain an error: what was expected, what came, where. */
export type ErrorContext = Readonly<Record<string, number | string | boolean>>;

/**
 * What every error of Kerf that a user can cause looks like: a stable code that says which room speaks, a sentence that
 * says what was expected and what came, and the values themselves. A broken invariant of our own is not one of these.
 */
export class KerfError<Code extends string = string> extends Error {
  override readonly name: string = 'KerfError';
  readonly code: Code;
  readonly context: ErrorContext;

  constructor(code: Code, message: string, context: ErrorContext = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.context = context;
  }
}
