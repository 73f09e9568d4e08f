import { parentPort } from 'node:worker_threads';
import { kerf } from '../program.ts';

// A thread that runs public command lines, one after the other, and hands back what they printed. A thread, so that Ctrl-C and
// the progress line are not held up by a simulation.

async function answer(line: readonly string[]): Promise<void> {
  let out = '';
  let err = '';
  const exitCode = await kerf(line, { out: (text) => void (out += text), err: (text) => void (err += text) });
  parentPort?.postMessage({ exitCode, out, err });
}

parentPort?.on('message', (line: readonly string[]) => void answer(line));
