#!/usr/bin/env node
import { kerf } from './program.ts';

// Only the exit code is set: what was written to a pipe is then still delivered.
process.exitCode = await kerf(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
});
