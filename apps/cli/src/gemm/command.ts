import type { Command } from 'commander';
import type { Output } from '../errors.ts';
import { simulated } from '../tile-program/command.ts';
import { gemm, type GemmFlags } from './gemm.ts';

/** Adds `kerf gemm` to the program. */
export function addGemmCommand(program: Command, output: Output, done: (exitCode: number) => void): void {
  const collect = (value: string, earlier: readonly string[]): readonly string[] => [...earlier, value];
  simulated(
    program
      .command('gemm')
      .description('Run a matrix product Z[m, n] = X[m, k] W[k, n] on one die.')
      .option('--hardware <preset|file>', 'machine: a preset (kerf hardware list) or a JSON file (default flat-32x32)')
      .option('--set <key=value>', 'any value of the machine, such as hardware.link.cycles=2 (repeatable)', collect, [])
      .option('--m <n>', 'rows of X and Z')
      .option('--n <n>', 'columns of W and Z')
      .option('--k <n>', 'columns of X, rows of W')
      .option('--dtype <type>', 'fp16, bf16, fp8 (e4m3), fp8e4m3, fp8e5m2 or fp32 (default fp16); sums of FP8 are FP16')
      .option('--mapping <how>', 'auto, or published: as the authors of FlatAttention lay it out, with their schedule (default auto)')
      .option('--group <WxH>', 'tiles that share rows and columns of a block')
      .option('--piece <MxNxK>', 'what a tile multiplies at a time, at most')
      .option('--split-k <n>', 'groups that share the inner dimension and add up')
      .option('--split-m <n>', 'groups that share the rows of Z')
      .option('--split-n <n>', 'groups that share the columns of Z')
      .option('--stages <n>', 'pieces of X and W that a tile holds')
      .option('--schedule <how>', 'continuous: loads run ahead (default), or blockwise: the first step of each block is in the open')
      .option('--loaders <where>', 'diagonal (default) or edges')
      .option('--try <n>', 'simulate the n best layouts and keep the fastest (default 1)')
      .option('--prove', 'also execute it on whole numbers and compare with a plain product')
      .option('--program <file>', 'write the tile program (JSON)')
      .option('--out <file>', 'write the result there (JSON)'),
  )
    .addHelpText('after', '\nWhat is not given of group, piece, splits and stages is chosen by an estimate.')
    .action((flags: GemmFlags) => done(gemm(flags, output)));
}
