import { resolve } from 'node:path';
import { runTilePrograms, type TileRun, type TileRunOptions } from '@kerf/engine';
import { chooseGemm, gemmCandidates, gemmPrograms, gemmTypes, publishedMappings, type GemmMapping, type GemmShape, type GemmTypes, type GemmWishes } from '@kerf/gemm';
import { memoryOf, type Hardware } from '@kerf/hardware';
import { execute, formatTileProgram, instantiate, type ProgramInstances } from '@kerf/program';
import { CliError, exitCodes, type Output } from '../errors.ts';
import { countText } from '../hardware/units-text.ts';
import { twoColumns } from '../traffic/facts.ts';
import { size, whole, word } from '../traffic/numbers.ts';
import { refuseExisting, writeWhole } from '../traffic/write-whole.ts';
import { randomArray } from '../tile-program/arrays.ts';
import { ganttOf, tilesToDraw, windowOf } from '../tile-program/gantt.ts';
import { ganttSvg } from '../tile-program/gantt-svg.ts';
import { machineOf, simulationFacts, simulationOf, type MachineFlags, type SimulationFlags } from '../tile-program/machine.ts';
import { runFacts, runText } from '../tile-program/run-facts.ts';

/** What a person wrote behind `kerf gemm`: text, as it stands. */
export interface GemmFlags extends MachineFlags, SimulationFlags {
  readonly m?: string;
  readonly n?: string;
  readonly k?: string;
  readonly dtype?: string;
  readonly mapping?: string;
  readonly group?: string;
  readonly piece?: string;
  readonly splitK?: string;
  readonly splitM?: string;
  readonly splitN?: string;
  readonly stages?: string;
  readonly schedule?: string;
  readonly loaders?: string;
  readonly try?: string;
  readonly prove?: boolean;
  readonly program?: string;
  readonly svg?: string;
  readonly tile?: readonly string[];
  readonly cycles?: string;
  readonly out?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

const dtypes = ['fp16', 'bf16', 'fp8', 'fp8e4m3', 'fp8e5m2', 'fp32'] as const;

/** Multiply-adds that --prove goes through. */
const MOST_PROVED = 2e9;

interface Simulated {
  readonly mapping: GemmMapping;
  readonly placed: readonly ProgramInstances[];
  readonly run: TileRun;
}

/**
 * `kerf gemm`: lays a matrix product out on a die and runs it.
 *
 * @returns the exit code: 4 where --prove finds a wrong number
 * @throws KerfError for bad input, before anything was simulated or written
 */
export function gemm(flags: GemmFlags, output: Output): number {
  const hardware = machineOf(flags, 'flat-32x32');
  memoryOf(hardware, 'A matrix product');
  const shape: GemmShape = { m: extent('--m', flags.m), n: extent('--n', flags.n), k: extent('--k', flags.k) };
  const dtype = word('--dtype', flags.dtype ?? 'fp16', dtypes);
  const types = gemmTypes(dtype === 'fp8' ? 'fp8e4m3' : dtype);
  const options = simulationOf(flags);
  const [svg, out, program] = [flags.svg, flags.out, flags.program].map((path) => (path === undefined ? undefined : resolve(path)));
  refuseExisting([svg, out, program].filter((path) => path !== undefined), flags.force === true);
  if (flags.cycles !== undefined) windowOf(flags.cycles, 0);
  const { m, n, k } = shape;
  if (flags.prove === true && m * n * k > MOST_PROVED) throw new CliError('CLI_USAGE', `--prove executes every multiplication; ${m} × ${n} × ${k} are more than ${MOST_PROVED}. A smaller product with the same layout shows the same.`, { flag: '--prove' });
  const mappings = mappingsOf(shape, types, hardware, flags);
  const simulated = mappings.map((mapping) => simulate(shape, mapping, types, hardware, options));
  const best = simulated.reduce((least, one) => (one.run.cycles < least.run.cycles ? one : least));
  const { mapping } = best;
  const eight = dtype.startsWith('fp8');
  const facts = runFacts(best.run, hardware, m * n * k, eight ? 'fp8' : 'fp16');
  const programs = gemmPrograms(shape, mapping, types, hardware);
  const proof = flags.prove === true ? prove(shape, best.placed) : undefined;
  if (program !== undefined) writeWhole(program, formatTileProgram(programs[0]!.program));
  if (svg !== undefined) {
    const tiles = tilesToDraw(best.placed, hardware, flags.tile ?? []);
    // Recording costs time and memory, so only what is drawn is recorded, in a run of its own.
    const run = runTilePrograms(hardware, best.placed, { ...options, record: tiles });
    const title = `GEMM ${shape.m} × ${shape.n} × ${shape.k} ${dtype}`;
    const note = `${hardware.name}, ${mapping.schedule}, groups of ${mapping.groupWidth} × ${mapping.groupHeight * mapping.splitK} tiles: ${countText(run.cycles)} cycles, ${(100 * facts.utilisation).toFixed(1)} % of peak`;
    writeWhole(svg, ganttSvg(ganttOf(title, note, best.placed, hardware, run, tiles, windowOf(flags.cycles, run.cycles))));
  }
  const groups = programs.reduce((sum, one) => sum + one.groups.length, 0);
  const failed = proof !== undefined && proof.wrong > 0;
  const result = {
    status: failed ? 'failed' : 'ok', hardware: hardware.name, ...shape, dtype, ...simulationFacts(options), ...facts, mapping, groups,
    tried: simulated.map((one) => ({ mapping: one.mapping, cycles: one.run.cycles })),
    ...(proof === undefined ? {} : { proof }),
    ...(program === undefined ? {} : { program, programs: programs.length }), ...(svg === undefined ? {} : { svg }),
  };
  if (out !== undefined) writeWhole(out, `${JSON.stringify(result, undefined, 2)}\n`);
  if (flags.json === true) output.out(`${JSON.stringify(result)}\n`);
  else {
    output.out(twoColumns([
      ['Product', `${shape.m} × ${shape.k} times ${shape.k} × ${shape.n} in ${dtype} on ${hardware.name}`],
      ['Layout', mappingText(mapping, groups)],
      ...runText(facts),
      ...(simulated.length > 1 ? [['Tried', `${simulated.length} layouts: ${simulated.map(({ run }) => countText(run.cycles)).join(', ')} cycles`] as [string, string]] : []),
      ...(proof === undefined ? [] : [['Proof', proof.wrong === 0 ? `executed on whole numbers: all ${countText(shape.m * shape.n)} elements are exact` : `${countText(proof.wrong)} elements are wrong`] as [string, string]]),
      ...(program === undefined ? [] : [['Written', `${program}${programs.length > 1 ? `, the first of ${programs.length} programs` : ''}`] as [string, string]]),
      ...(svg === undefined ? [] : [['Drawn', svg] as [string, string]]),
    ]));
  }
  return failed ? exitCodes.failedValidation : exitCodes.done;
}

function extent(flag: string, text: string | undefined): number {
  if (text === undefined) throw new CliError('CLI_USAGE', `A product needs --m, --n and --k; ${flag} is missing.`, { flag });
  return whole(flag, text, 1, 2 ** 31);
}

function mappingsOf(shape: GemmShape, types: GemmTypes, hardware: Hardware, flags: GemmFlags): GemmMapping[] {
  const wishes = wishesOf(flags);
  const how = word('--mapping', flags.mapping ?? 'auto', ['auto', 'published']);
  if (how === 'published') {
    const set = Object.entries(wishes).find(([, value]) => value !== undefined);
    if (set !== undefined || flags.try !== undefined) throw new CliError('CLI_USAGE', `--mapping published settles ${set?.[0] ?? 'what is tried'}; give one of them.`);
    return publishedMappings(shape, hardware);
  }
  const tries = flags.try === undefined ? 1 : whole('--try', flags.try, 1, 100);
  if (tries === 1) return [chooseGemm(shape, types, hardware, wishes).mapping];
  // Layouts that come to the same pieces are one.
  const seen = new Set<string>();
  const different = gemmCandidates(shape, types, hardware, wishes).filter(({ mapping, estimate }) => {
    const { groupWidth, groupHeight, splitK, splitM, splitN, stages } = mapping;
    const { pieceM, pieceN, pieceK } = estimate.layout;
    const key = [groupWidth, groupHeight, splitK, splitM, splitN, stages, pieceM, pieceN, pieceK].join(' ');
    return !seen.has(key) && seen.add(key);
  });
  return different.slice(0, tries).map(({ mapping }) => mapping);
}

function wishesOf(flags: GemmFlags): GemmWishes {
  const count = (flag: string, text: string | undefined): number | undefined => (text === undefined ? undefined : whole(flag, text, 1, 2 ** 20));
  const group = flags.group === undefined ? undefined : size('--group', flags.group, 65_536);
  const piece = flags.piece === undefined ? undefined : pieceOf(flags.piece);
  const stages = flags.stages === undefined ? undefined : whole('--stages', flags.stages, 2, 16);
  const schedule = flags.schedule === undefined ? undefined : word('--schedule', flags.schedule, ['continuous', 'blockwise']);
  if (schedule === 'blockwise' && stages !== undefined && stages !== 2) throw new CliError('CLI_USAGE', '--schedule blockwise has 2 --stages.', { flag: '--stages' });
  return {
    groupWidth: group?.width, groupHeight: group?.height, tileM: piece?.[0], tileN: piece?.[1], tileK: piece?.[2],
    splitK: count('--split-k', flags.splitK), splitM: count('--split-m', flags.splitM), splitN: count('--split-n', flags.splitN), stages, schedule,
    loaders: flags.loaders === undefined ? undefined : word('--loaders', flags.loaders, ['diagonal', 'edges'] as const),
  };
}

function pieceOf(text: string): [number, number, number] {
  const match = /^(\d{1,7})x(\d{1,7})x(\d{1,7})$/.exec(text.trim());
  const numbers = match?.slice(1).map(Number) as [number, number, number] | undefined;
  if (numbers === undefined || numbers.some((one) => one < 1)) throw new CliError('CLI_USAGE', `--piece takes rows, columns and inner dimension of a tile such as 128x128x128, got "${text}".`, { flag: '--piece', got: text });
  return numbers;
}

function simulate(shape: GemmShape, mapping: GemmMapping, types: GemmTypes, hardware: Hardware, options: TileRunOptions): Simulated {
  const placed = gemmPrograms(shape, mapping, types, hardware).map(({ program, groups }) => instantiate(program, hardware, { groups }));
  return { mapping, placed, run: runTilePrograms(hardware, placed, options) };
}

/** Executes the programs on whole numbers, whose sums are exact in any order. */
function prove({ m, n, k }: GemmShape, placed: readonly ProgramInstances[]): { elements: number; wrong: number } {
  const wholeNumbers = (length: number, stream: number): Float64Array => randomArray(length, 1, stream).map((value) => Math.floor(value * 16));
  const [x, w] = [wholeNumbers(m * k, 0), wholeNumbers(k * n, 1)];
  const got = new Float64Array(m * n).fill(NaN);
  const races = placed.every(({ compiled }) => compiled.program.roleOf.length <= 64);
  for (const one of placed) {
    execute(one, { X: x, W: w }, { races }).tensors['Z']!.forEach((value, i) => {
      if (!Number.isNaN(value)) got[i] = value;
    });
  }
  let wrong = 0;
  const row = new Float64Array(n);
  for (let i = 0; i < m; i++) {
    row.fill(0);
    for (let l = 0; l < k; l++) for (let j = 0; j < n; j++) row[j]! += x[i * k + l]! * w[l * n + j]!;
    for (let j = 0; j < n; j++) if (got[i * n + j] !== row[j]) wrong++;
  }
  return { elements: m * n, wrong };
}

function mappingText({ groupWidth, groupHeight, tileM, tileN, tileK, splitK, splitM, splitN, stages, schedule, loaders }: GemmMapping, groups: number): string {
  const split = [splitK > 1 ? `${splitK} parts of the inner dimension` : '', splitM * splitN > 1 ? `${splitM} × ${splitN} parts of the result` : ''].filter((text) => text !== '');
  return `${groups === 1 ? 'one group' : `${groups} groups`} of ${groupWidth} × ${groupHeight * splitK} tiles, pieces up to ${tileM} × ${tileN} × ${tileK}, ${stages} stages, ${schedule}, loads at the ${loaders === 'diagonal' ? 'diagonal' : 'west and south edge'}${split.length === 0 ? '' : `; ${split.join(', ')}`}`;
}
