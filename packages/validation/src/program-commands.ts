import type { CaseFile, CommandLine } from './planned-case.ts';
import type { References } from './reference/references.ts';

// `kerf program run` and `kerf gemm`, as suites use them.

export interface ProgramRun {
  /** Preset or file. */
  readonly hardware: string;
  /** Name of the file; programs of the same name are the same. */
  readonly name: string;
  readonly content: () => unknown;
  /** Groups side by side; 1 if absent. */
  readonly groups?: number;
  /** Place of the only group; the north-west corner if absent. */
  readonly at?: { readonly x: number; readonly y: number };
  /** Barriers are software, whatever the costs. */
  readonly softwareBarriers?: boolean;
  /** Edge of the die that a tensor lies at. */
  readonly edges?: Readonly<Record<string, string>>;
  /** Values of the machine, by their path below `hardware`. */
  readonly set?: Readonly<Record<string, number>>;
}

/** The command and the file that it reads. */
export function programRun(references: References, { hardware, name, content, groups = 1, at, softwareBarriers = false, edges = {}, set = {} }: ProgramRun): { readonly line: CommandLine; readonly file: CaseFile } {
  const path = references.programPath(name);
  const line = [
    'program', 'run', path, '--hardware', hardware, ...settings(set), ...(groups === 1 ? [] : ['--groups', String(groups)]), ...(at === undefined ? [] : ['--at', `${at.x},${at.y}`]), ...Object.entries(edges).flatMap(([tensor, edge]) => ['--edge', `${tensor}=${edge}`]),
    ...(softwareBarriers ? ['--barriers', 'software'] : []), '--json',
  ];
  return { line, file: { path, content } };
}

/** `kerf gemm` for Z[m, n] = X[m, k] W[k, n]. */
export function gemmLine(hardware: string, { m, n, k }: { readonly m: number; readonly n: number; readonly k: number }, layout: CommandLine): CommandLine {
  return ['gemm', '--hardware', hardware, '--m', String(m), '--n', String(n), '--k', String(k), ...layout, '--json'];
}

function settings(set: Readonly<Record<string, number>>): string[] {
  return Object.entries(set).flatMap(([path, value]) => ['--set', `hardware.${path}=${value}`]);
}
