import type { Command } from 'commander';
import type { Output } from '../errors.ts';
import type { TrafficFlags } from './flags.ts';
import { traffic } from './traffic.ts';

/** Adds `kerf traffic` to the program. */
export function addTrafficCommand(program: Command, output: Output, done: (exitCode: number) => void): void {
  const collect = (value: string, earlier: readonly string[]): readonly string[] => [...earlier, value];
  program
    .command('traffic')
    .description('Measure synthetic or recorded traffic on a network of tiles.')
    .option('--mesh <WxH>', 'a mesh of bare routers (default 8x8)')
    .option('--hardware <preset|file>', 'a machine instead: a preset (kerf hardware list) or a JSON file')
    .option('--fidelity <level>', 'flit, packet or analytic (default packet); with --sweep a list')
    .option('--pattern <name>', 'uniform, transpose, neighbor, tornado, bitcomp, hotspot, permutation (default uniform); with --sweep a list')
    .option('--rate <flits>', 'offered load, flits per tile and cycle (default 0.05)')
    .option('--flits <n>', 'flits of a packet (default 1)')
    .option('--vcs <n>', 'virtual channels per port (default 1); with --sweep a list')
    .option('--buffer-flits <n>', 'flits of buffer per virtual channel (default 8)')
    .option('--pipeline <A|B|json>', 'stages of a router (default A), or {"routing":1,"vcAllocation":1,"switchAllocation":1,"switchTraversal":1,"creditDelay":1,"lookAhead":false,"speculative":false}')
    .option('--switch-hold <unit>', 'flit fidelity: a packet shares links flit by flit (flit, default) or holds them until its tail (packet)')
    .option('--warmup-cycles <n>', 'cycles before anything is measured (default 1000)')
    .option('--cycles <n>', 'cycles whose packets are measured (default 10000)')
    .option('--latency-limit-cycles <n>', 'mean latency from which a network is called saturated (default 500, or the longest idle way)')
    .option('--seed <n>', 'seed of every random choice (default 1)')
    .option('--events <file>', 'instead of a pattern: a trace with cycle, source, destination, bytes (CSV, JSON lines or Arrow)')
    .option('--stream [from:to]', 'instead of a pattern: one tile sends to another as fast as it can (default: the first to the last)')
    .option('--collective <kind>', 'instead of a pattern: multicast, reduce or barrier inside the network')
    .option('--region <WxH[@x,y]>', 'collective: size of its rectangle of tiles, and its north-west corner (default the whole die); repeated: in all of them at the same time', (value: string, earlier: readonly string[] | undefined) => [...(earlier ?? []), value])
    .option('--at <x,y>', 'collective: north-west corner of the rectangle (default 0,0)')
    .option('--root <x,y>', 'collective: the tile that sends or receives (default the corner)')
    .option('--bytes <n>', 'stream and collective: bytes that are sent')
    .option('--packet-bytes <n>', 'stream: bytes of a packet (default the largest)')
    .option('--window <n>', 'stream: packets that the sender has under way at most (default 4096)')
    .option('--repeat <n>', 'collective: so many one after the other (default 1)')
    .option('--sweep', 'measure a range of rates up to saturation; writes a table and a drawing')
    .option('--rates <list>', 'sweep: these rates, such as 0.05,0.1,0.2 (default: found)')
    .option('--set <key=value>', 'any value of the machine, such as hardware.d2d.link.cycles=100 (repeatable)', collect, [])
    .option('--out <file>', 'write the result there (JSON); of a sweep the name before .arrow and .svg')
    .option('--force', 'replace files that are there')
    .option('--json', 'one JSON object on standard output')
    .addHelpText('after', '\nHops are router traversals, links + 1. Hops and CPU time count after the warm-up.')
    .action(async (flags: TrafficFlags) => done(await traffic(flags, output)));
}
