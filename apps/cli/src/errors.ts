import { KerfError } from '@kerf/checks';

export type CliErrorCode =
  | 'CLI_USAGE' // an unknown command or flag, a missing or impossible value
  | 'CLI_SET' // --set that is not key=value, or a key that leads nowhere
  | 'JSON_SYNTAX' // with file, line and column
  | 'DISK_FULL' // told by a node process
  | 'RUN_FOLDER_BUSY' // another run writes there
  | 'RUN_FOLDER_EXISTS'
  | 'RUN_FOLDER_FOREIGN' // --force on something that no run wrote
  | 'TOO_MANY_NODES' // more node processes than dies
  | 'NODE_LOST' // a node process ended, or closed its connection, before its work was done
  | 'NODE_SILENT' // a node process that never said hello
  | 'NODE_FAILED' // a node process said itself what went wrong
  | 'REFERENCE_FOLDER' // --reference that is no folder
  | 'LEDGER_FILE' // --out of a ledger that cannot be its file
  | 'OUTPUT_EXISTS' // a file that would be replaced, without --force
  | 'INTERRUPTED';

/** Whatever can go wrong around a run, rather than in one of the rooms it calls. */
export class CliError extends KerfError<CliErrorCode> {
  override readonly name = 'CliError';
}

export const exitCodes = { done: 0, bug: 1, badInput: 2, incomplete: 3, failedValidation: 4, interrupted: 130 } as const;

/** What the shell is told about an error: bad input, unless a run had begun; anything that is no KerfError is a bug. */
export function exitCodeOf(error: unknown, runHadBegun: boolean): number {
  const known = asKerfError(error);
  if (known === undefined) return exitCodes.bug;
  if (known.code === 'INTERRUPTED') return exitCodes.interrupted;
  return runHadBegun || known.code === 'DISK_FULL' ? exitCodes.incomplete : exitCodes.badInput;
}

/** Narrowing with `instanceof` alone would make the code `any`. */
function asKerfError(error: unknown): KerfError | undefined {
  return error instanceof KerfError ? (error as KerfError) : undefined;
}

export interface Output {
  out(text: string): void;
  err(text: string): void;
}

/**
 * Says an error to a person (`kerf: CODE: sentence` on standard error) and, with `json`, to a program (one object on standard
 * output). A bug of ours shows its stack, so that it can be reported.
 *
 * @param runDir the folder of the run, when one had begun; its manifest says the same
 * @returns the exit code
 */
export function reportError(error: unknown, json: boolean, output: Output, runDir?: string): number {
  const exitCode = exitCodeOf(error, runDir !== undefined);
  const known = asKerfError(error);
  const code = known?.code ?? 'INTERNAL';
  const message = error instanceof Error ? error.message : String(error);
  if (json) output.out(`${JSON.stringify({ status: 'error', code, message, context: known?.context ?? {}, ...(runDir === undefined ? {} : { runDir }) })}\n`);
  if (known !== undefined) {
    output.err(`kerf: ${code}: ${message}\n`);
  } else {
    output.err(`kerf: INTERNAL: this is a bug in Kerf, please report it.\n${error instanceof Error ? (error.stack ?? message) : message}\n`);
  }
  return exitCode;
}
