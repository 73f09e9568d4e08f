import type { ColumnSpec, ColumnType, TableSpec } from '@kerf/arrow';

/** The tables of a run in canonical order, which is that of their names. */
export const TABLE_NAMES = ['collectives', 'experts', 'links', 'steps'] as const;
export type TableName = (typeof TABLE_NAMES)[number];

/** What the tables' schemas say about a run: facts of the scenario, so that every cut of the wafer writes the same. */
export interface TableFacts {
  readonly clockMegahertz: number;
  /** Width of a time bin of the `links` table, cycles. */
  readonly binCycles: number;
}

/** Indices of the words of every `phase` column. */
export const PHASE = { dispatch: 0, combine: 1 } as const;
export type Phase = keyof typeof PHASE;
export const PHASE_NAMES = Object.keys(PHASE) as readonly Phase[];

/** Indices of the words of `routerKind`: the router of a tile, or the one router of a die on hardware with `hub` joints. */
export const ROUTER_KIND = { tile: 0, hub: 1 } as const;
export type RouterKind = keyof typeof ROUTER_KIND;
export const ROUTER_KIND_NAMES = Object.keys(ROUTER_KIND) as readonly RouterKind[];

/** Gateways that a die can have in a `links` table. */
export const MAX_GATEWAYS = 28;

/**
 * Words of the `port` column: where a link leaves its router. A tile's router has the first six (`local` leads to the tile,
 * `hub` to the router of its die); the router of a die has the four directions and a port to each of its gateway tiles.
 */
export const PORT_NAMES: readonly string[] = ['east', 'west', 'north', 'south', 'local', 'hub', ...Array.from({ length: MAX_GATEWAYS }, (_, gateway) => `gateway${gateway}`)];

/** Indices of the words of `port` that have a fixed meaning; those of gateways begin at `firstGateway`. */
export const PORT = { east: 0, west: 1, north: 2, south: 3, local: 4, hub: 5, firstGateway: 6 } as const;

function column(name: string, type: Exclude<ColumnType, 'name'>, unit: string, description: string): ColumnSpec {
  return { name, type, unit, description };
}

function words(name: string, names: readonly string[], description: string): ColumnSpec {
  return { name, type: 'name', unit: '', description, names };
}

const STEP = column('step', 'u32', '', 'Decode step, from 0.');
const LAYER = column('layer', 'u16', '', 'MoE layer of the model, from 0.');
const PHASE_COLUMN = words('phase', PHASE_NAMES, 'dispatch: tokens to their experts. combine: results back to the tokens.');
const DIE = column('die', 'u32', '', 'Die on the wafer, row by row from the north-west.');
const cycle = (name: string, what: string) => column(name, 'u64', 'cycles', `${what}, cycles of the fabric clock since the start of the run.`);
const count = (name: string, unit: string, description: string) => column(name, 'u64', unit, description);

function table(name: TableName, facts: TableFacts, columns: readonly ColumnSpec[]): TableSpec {
  const metadata = { formatVersion: '1', clockMegahertz: String(facts.clockMegahertz), ...(name === 'links' ? { binCycles: String(facts.binCycles) } : {}) };
  return { name, metadata, columns };
}

/** One row per decode step of the whole wafer, in order. One file. */
export function stepsTable(facts: TableFacts): TableSpec {
  return table('steps', facts, [
    STEP,
    cycle('startCycle', 'Start of the step'),
    cycle('endCycle', 'End of the step'),
    count('cycles', 'cycles', 'endCycle − startCycle.'),
    column('nanoseconds', 'f64', 'ns', 'cycles in time, at the clock of the hardware.'),
    column('tokens', 'u32', 'tokens', 'Tokens in the step, over all dies.'),
    count('dispatchedCopies', 'copies', 'Copies of tokens sent to experts, over all layers: tokens × top-k × layers.'),
    count('combinedCopies', 'copies', 'Results of experts that came back, over all layers.'),
    count('packetHops', 'packet-hops', 'Links between routers crossed by packets; the way between a tile and its own router does not count.'),
  ]);
}

/** One row per step, layer, phase, link and time bin in which the link carried or delayed something. Per die of the source router. */
export function linksTable(facts: TableFacts): TableSpec {
  return table('links', facts, [
    STEP,
    LAYER,
    PHASE_COLUMN,
    column('bin', 'u32', '', 'Time bin from the start of the kernel (step, layer); its width is binCycles in the metadata of the table.'),
    DIE,
    words('routerKind', ROUTER_KIND_NAMES, 'tile: the router of a tile. hub: the router of a die.'),
    column('router', 'u32', '', 'Source router of the link: the tile on the wafer, die × tiles per die + y × tilesX + x on its die; of kind hub the die.'),
    column('x', 'u16', '', 'Column of the router on the wafer, from the west: in tiles, of kind hub in dies.'),
    column('y', 'u16', '', 'Row of the router on the wafer, from the north: in tiles, of kind hub in dies.'),
    words('port', PORT_NAMES, 'Where the link leaves its router: a direction, local (to the tile), hub (to the router of the die), gateway0 … (from there to a gateway tile).'),
    count('bytes', 'bytes', 'Payload that crossed the link in the bin.'),
    count('busyCycles', 'cycles', 'Cycles of the bin in which the link was held by a packet.'),
    column('packets', 'u32', 'packets', 'Packets that began to cross the link in the bin.'),
    count('creditStallCycles', 'cycles', 'Cycles in which packets waited for room behind the link, summed over the waiting heads of queues.'),
    count('arbitrationStallCycles', 'cycles', 'Cycles in which packets waited while others held the link, summed over the waiting heads of queues.'),
  ]);
}

/** One row per step, layer and expert that got tokens. Per die of the expert. */
export function expertsTable(facts: TableFacts): TableSpec {
  return table('experts', facts, [
    STEP,
    LAYER,
    column('expert', 'u32', '', 'Expert of the layer, from 0.'),
    DIE,
    column('tokens', 'u32', 'copies', 'Copies of tokens that the expert computed.'),
    column('tiles', 'u32', 'tiles', 'Tiles that computed them.'),
    cycle('startCycle', 'Start of the first computation'),
    cycle('endCycle', 'End of the last computation'),
    count('busyCycles', 'cycles', 'Cycles of computation, summed over the tiles of the expert.'),
    column('flops', 'f64', 'operations', 'Floating-point operations; a multiply-add counts as two.'),
  ]);
}

/** One row per step, layer and phase. Per die. */
export function collectivesTable(facts: TableFacts): TableSpec {
  return table('collectives', facts, [
    STEP,
    LAYER,
    PHASE_COLUMN,
    DIE,
    cycle('startCycle', 'When the die began with the phase'),
    cycle('endCycle', 'When the last of it had arrived at the die'),
    count('cycles', 'cycles', 'endCycle − startCycle.'),
    count('copiesSent', 'copies', 'Copies of tokens (dispatch) or results (combine) that left tiles of the die, for the die itself included.'),
    count('copiesReceived', 'copies', 'Copies that arrived at tiles of the die.'),
    count('bytesSent', 'bytes', 'Payload of the copies sent.'),
    count('bytesReceived', 'bytes', 'Payload of the copies received.'),
    count('messagesSent', 'messages', 'Sends of tile programs; one may be cut into several packets.'),
  ]);
}

/** The specs of all tables of a run, by name. */
export function runTables(facts: TableFacts): Readonly<Record<TableName, TableSpec>> {
  return { collectives: collectivesTable(facts), experts: expertsTable(facts), links: linksTable(facts), steps: stepsTable(facts) };
}

/**
 * Where a finished table lies in a run folder: `links/die-0003.arrow`, and `steps/wafer.arrow` for what belongs to no die.
 * A live one is a stream beside it, `….arrows`.
 */
export function tablePath(name: TableName, die: number | null, format: 'file' | 'stream' = 'file'): string {
  return `${name}/${die === null ? 'wafer' : `die-${String(die).padStart(4, '0')}`}.arrow${format === 'stream' ? 's' : ''}`;
}
