import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { CommandLine, CommandResult, RunCommand } from '@kerf/validation';
import type { Output } from '../errors.ts';

/** The command `kerf` as a function: what program.ts exports. Handed in, since that module knows this one. */
export type Kerf = (args: readonly string[], output: Output) => Promise<number>;

export interface CommandRunner {
  readonly run: RunCommand;
  /** Ends at once whatever runs. */
  close(): Promise<void>;
}

const WORKER = fileURLToPath(new URL('row-worker.js', import.meta.url));

/** A thread for command lines where the compiled code is; in a run from the sources they are run right here. */
export function commandRunner(kerf: Kerf): CommandRunner {
  return existsSync(WORKER) ? threadRunner() : { run: (line) => runHere(kerf, line), close: () => Promise.resolve() };
}

async function runHere(kerf: Kerf, line: CommandLine): Promise<CommandResult> {
  let out = '';
  let err = '';
  const exitCode = await kerf(line, { out: (text) => void (out += text), err: (text) => void (err += text) });
  return { exitCode, out, err };
}

function threadRunner(): CommandRunner {
  const worker = new Worker(WORKER, { stderr: true });
  // Progress lines of the commands themselves.
  worker.stderr.resume();
  worker.unref();
  return {
    run: (line) => new Promise((resolve, reject) => {
      const onMessage = (result: CommandResult) => {
        worker.off('error', onError);
        worker.off('exit', onExit);
        worker.unref();
        resolve(result);
      };
      const onError = (error: Error) => {
        worker.off('message', onMessage);
        worker.off('exit', onExit);
        reject(error);
      };
      const onExit = () => {
        worker.off('message', onMessage);
        worker.off('error', onError);
        reject(new Error('The thread that runs command lines ended.'));
      };
      worker.ref();
      worker.once('message', onMessage);
      worker.once('error', onError);
      worker.once('exit', onExit);
      worker.postMessage(line);
    }),
    close: async () => void (await worker.terminate()),
  };
}
