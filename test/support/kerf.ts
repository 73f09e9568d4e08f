import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Manifest } from '@kerf/results';
import { afterAll } from 'vitest';

// The built command as a stranger meets it: a child process, its exit code and what it says.

export const root = fileURLToPath(new URL('../..', import.meta.url));
const command = join(root, 'apps/cli/dist/main.js');

export interface Said { readonly code: number | null; readonly out: string; readonly err: string }

/** What `kerf run --json` prints of a complete run. */
export interface RunResult {
  readonly status: 'complete';
  readonly runDir: string;
  readonly nodes: number;
  readonly simulatedCycles: number;
  readonly wallSeconds: number;
  readonly packetHops: number;
  readonly boundaryPackets: number;
  readonly tables: Readonly<Record<string, { readonly rows: number; readonly sha256: string }>>;
  readonly digest: string;
}

/** The command, run to its end. */
export function kerf(args: readonly string[], options: { node?: string; cwd?: string; timeoutMilliseconds?: number } = {}): Said {
  if (!existsSync(command)) throw new Error('Build first: npm run build');
  const { status, stdout, stderr, error } = spawnSync(options.node ?? process.execPath, [command, ...args], {
    cwd: options.cwd ?? root, encoding: 'utf8', timeout: options.timeoutMilliseconds ?? 110_000, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 * 1024,
  });
  if (error !== undefined) throw error;
  return { code: status, out: stdout, err: stderr };
}

/** `kerf run … --json` that must complete. */
export function completeRun(args: readonly string[], options: { node?: string; timeoutMilliseconds?: number } = {}): RunResult {
  const { code, out, err } = kerf(['run', ...args, '--json'], options);
  if (code !== 0) throw new Error(`kerf run ${args.join(' ')} ended with ${code}\n${out}${err}`);
  return JSON.parse(out) as RunResult;
}

export interface Started { readonly process: ChildProcess; readonly said: Promise<Said> }

/** The command, started and left running. */
export function startKerf(args: readonly string[]): Started {
  const child = spawn(process.execPath, [command, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const said = new Promise<Said>((resolve) => void child.once('close', (code) => resolve({ code, out, err })));
  return { process: child, said };
}

export function manifestOf(runDir: string): Manifest {
  return JSON.parse(readFileSync(join(runDir, 'manifest.json'), 'utf8')) as Manifest;
}

/** A folder for the files of one test file, removed after it. */
export function scratchFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'kerf-whole-')));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The recording that the tests replay, in the reference folder. */
export function realTrace(reference: string): string {
  return join(reference, 'traces/gpt-oss-20b-decode');
}
