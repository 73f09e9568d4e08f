import { Type, type Static, type TSchema } from '@sinclair/typebox';

/** The version of the hardware file that this code reads and writes. */
export const HARDWARE_FORMAT_VERSION = 1;

/** Largest wafer, in tiles: a tile id then fits 24 bits, and a (tile, port) pair 32. */
export const MAX_TILES = 2 ** 24;

/** Largest coordinate of a tile on the wafer: x and y then fit 16 bits each. */
export const MAX_COORDINATE = 65_535;

/** Most virtual channels of an input port and traffic class. */
export const MAX_VIRTUAL_CHANNELS = 16;

/** Where a link leads, as a hardware file has it. */
export type DirectionName = 'east' | 'west' | 'north' | 'south';

/** Largest part of a rate: a flit of 64 KiB times a denominator stays far below 2^53. */
export const MAX_RATE_PART = 2 ** 24;

const strict = { additionalProperties: false } as const;

function whole(description: string, minimum: number, maximum: number) {
  return Type.Integer({ description, minimum, maximum });
}

/** The same schema under another description. */
function described<T extends TSchema>(schema: T, description: string): T {
  return { ...schema, description };
}

function rate(description: string) {
  return Type.Unsafe<number | [numerator: number, denominator: number]>({
    description: `${description} A whole number, or an exact fraction [numerator, denominator].`,
    type: ['integer', 'array'],
    minimum: 1,
    maximum: MAX_RATE_PART,
    items: [
      { type: 'integer', minimum: 1, maximum: MAX_RATE_PART, description: 'Numerator of the rate, bytes.' },
      { type: 'integer', minimum: 1, maximum: MAX_RATE_PART, description: 'Denominator of the rate, cycles.' },
    ],
    minItems: 2,
    maxItems: 2,
    additionalItems: false,
  });
}

/** What every link has besides its rate. */
const linkFields = {
  cycles: whole('Latency of one hop over this link and the router behind it, cycles. At least 1: nothing crosses a link in no time.', 1, 1_000_000),
  credits: Type.Optional(
    whole('Buffer behind the link, flits per traffic class and virtual channel. Absent: bandwidth times round trip, and two largest packets.', 1, 2 ** 20),
  ),
  creditCycles: Type.Optional(
    whole('From the tail of a packet leaving the buffer behind the link until its room can be used at the sender, cycles. Absent: the cycles of the link.', 1, 1_000_000),
  ),
  picojoulesPerByteHop: Type.Number({ description: 'Energy of one byte over one hop, picojoules.', minimum: 0, maximum: 1_000_000 }),
};

const linkSchema = Type.Object({ bytesPerCycle: rate('Bytes that cross the link per cycle.'), ...linkFields }, { ...strict, description: 'A directed link.' });

const matrixSchema = Type.Object(
  {
    flopsPerCycle: Type.Object(
      {
        fp16: whole('Peak in 16-bit floating point, operations per cycle; a multiply-add counts as two.', 1, 2 ** 24),
        fp8: whole('Peak in 8-bit floating point, operations per cycle; a multiply-add counts as two.', 1, 2 ** 24),
      },
      { ...strict, description: 'Peak of the matrix engine by element type.' },
    ),
    rows: whole('Height of the array, compute elements.', 1, 4096),
    columns: whole('Width of the array, compute elements.', 1, 4096),
    pipelineStages: whole('Pipeline stages inside one compute element.', 0, 64),
    issueCycles: Type.Optional(whole('Software: cycles around a job, from deciding to start it until it begins, and from its end until that is noticed. Absent: 21.', 0, 100_000)),
  },
  { ...strict, description: 'The matrix engine of a tile.' },
);

const vectorSchema = Type.Object(
  {
    flopsPerCycle: whole('Peak of all vector units of a tile together in 16-bit floating point, operations per cycle; a multiply-add counts as two.', 1, 2 ** 24),
    units: Type.Optional(whole('Vector units of a tile; rows are dealt out to them. Absent: 4.', 1, 1024)),
    loadBytesPerCycle: Type.Optional(whole('What one unit loads or stores, bytes per cycle. Absent: an equal share of a quarter of the scratchpad bandwidth.', 1, 2 ** 20)),
    rowBatch: Type.Optional(whole('Rows that a kernel works on between two branches of its loop. Absent: 16.', 1, 4096)),
    batchInstructions: Type.Optional(whole('Scalar instructions of such a branch, cycles. Absent: 5.', 0, 10_000)),
    callCycles: Type.Optional(whole('From calling a vector step to its first instruction, and from its last to the return, cycles. Absent: 30.', 0, 100_000)),
    loopCycles: Type.Optional(whole('Set-up of a loop over rows, cycles. Absent: 10.', 0, 100_000)),
  },
  { ...strict, description: 'The vector engine of a tile.' },
);

const dmaSchema = Type.Object(
  {
    queuedTransfers: Type.Optional(whole('Transfers that wait in the engine. Absent: 64.', 1, 65_536)),
    outstandingBursts: Type.Optional(whole('Bursts under way at once. Absent: 256.', 1, 65_536)),
    startGapCycles: Type.Optional(whole('Between the starts of two transfers, or of two lines of a 2-D transfer, cycles. Absent: 3.', 0, 10_000)),
    firstBeatCycles: Type.Optional(whole('From the start of a transfer in the engine until its first beat is beyond the first router, cycles. Absent: 6.', 0, 10_000)),
    issueCycles: Type.Optional(whole('Software: from deciding on a transfer until the engine has it, cycles. Absent: 14.', 0, 100_000)),
    addressCycles: Type.Optional(whole('Software: computing the addresses of a transfer from or to memory before that, cycles. Absent: 28.', 0, 100_000)),
    pollCycles: Type.Optional(whole('Software: one pass of the loop that waits for its end, cycles. Absent: 2.', 1, 100_000)),
    issuePeriodCycles: Type.Optional(whole('Software: between handing over two transfers, cycles. Absent: 14.', 0, 100_000)),
  },
  { ...strict, description: 'The DMA engine of a tile and the software that feeds it. Absent: one as in the SoftHier tile.' },
);

const barrierSchema = Type.Object(
  {
    tileCycles: Type.Optional(whole('From the last engine of a tile that arrives until all of the tile go on, cycles. Absent: 4.', 0, 100_000)),
    groupCycles: Type.Optional(whole('A barrier of a group in software: everything but its ways across the network, cycles. Absent: 74.', 0, 100_000)),
  },
  { ...strict, description: 'Barriers. Absent: as in the SoftHier kernels.' },
);

const tileSchema = Type.Object(
  {
    matrix: matrixSchema,
    vector: vectorSchema,
    transpose: Type.Optional(
      Type.Object({ edgeBytes: whole('Edge of the square that the transposer holds, bytes of one row.', 1, 2 ** 20) }, { ...strict, description: 'The transposer of a tile. Absent: one that holds a square of rows as wide as a scratchpad access.' }),
    ),
    dma: Type.Optional(dmaSchema),
    barrier: Type.Optional(barrierSchema),
    l1Bytes: whole('Scratchpad memory of a tile, bytes.', 1, 2 ** 32),
    l1BytesPerCycle: whole('Bandwidth of the scratchpad memory, bytes per cycle.', 1, 2 ** 20),
  },
  { ...strict, description: 'What every tile has.' },
);

const tileLinkSchema = Type.Object(
  {
    bytesPerCycle: whole('Bytes that cross a tile-to-tile link per cycle. This is the flit of the fabric, hence a whole number.', 1, 65_536),
    ...linkFields,
    maxPacketBytes: whole('Largest packet, bytes: a whole number of flits.', 1, 65_536),
    virtualChannels: Type.Optional(whole('Virtual channels of each input port and traffic class. Absent: 1.', 1, MAX_VIRTUAL_CHANNELS)),
  },
  { ...strict, description: 'The link between neighbouring tiles of a die.' },
);

const syncLinkSchema = Type.Object(
  {
    bytesPerCycle: whole('Bytes that cross a link of this network per cycle: its flit, hence a whole number.', 1, 65_536),
    ...linkFields,
    maxPacketBytes: whole('Largest packet of this network, bytes: a whole number of its flits.', 1, 65_536),
  },
  { ...strict, description: 'A narrow network for synchronisation beside the wide one, with the same tiles and the same grid. Absent: barriers travel on the wide network.' },
);

const routerSchema = Type.Object(
  {
    setupCycles: whole('Cycles that an output stays free of a lane between the tail of one packet and the head of the next on the same lane, for route computation and allocation that are not overlapped.', 0, 64),
  },
  { ...strict, description: 'The router of a tile. Absent: packets follow each other without a gap.' },
);

const reductionSchema = Type.Object(
  {
    inputsPerCycle: whole('Inputs that a router combines per cycle: with two, three inputs take two cycles per flit.', 2, 5),
    latencyCycles: whole('Latency that combining adds at each router that joins, cycles.', 0, 1000),
    tableEntries: whole('Reductions that can be open at one router at a time.', 1, 65_536),
    startCycles: Type.Optional(whole('Fixed cost of a reduction beyond its way through the network, cycles. Absent: 0.', 0, 100_000)),
    pageBytes: Type.Optional(whole('A reduction is cut into pages of so many bytes, a whole number of flits. Absent: 4096.', 1, 65_536)),
    pageGapCycles: Type.Optional(whole('From the last flit of a page being read out of its tile by the join until the next page leaves, cycles. Absent: 0, ideal bursts.', 0, 100_000)),
    landingBytesPerCycle: Type.Optional(whole('A packet of the result is written into the L1 of the root once it is complete, bytes per cycle, as simulators in the manner of GVSoC do. Absent: it lands as it arrives.', 1, 65_536)),
  },
  { ...strict, description: 'How routers reduce (max, sum) inside the network. Absent: two inputs per cycle, no latency, 16 open at a time, ideal bursts.' },
);

const nodesOn = (edge: string) => whole(`Memory nodes on the ${edge} edge of a die.`, 0, 65_536);

/** Times of the DRAM behind a channel in memory clocks, and what else a memory specification says. */
const timingFields = {
  clockMegahertz: 'Clock of the memory, megahertz. Absent: the one at which the channel has its bytesPerCyclePerChannel.',
  burstBytes: 'Bytes of one burst of one pseudo-channel. Absent: 32.',
  burstClocks: 'Data time of a burst (CCDS), memory clocks. Absent: 2.',
  sameGroupClocks: 'Between bursts of one bank group (CCDL), memory clocks. Absent: 4.',
  openToReadClocks: 'From opening a row to a read (RCDRD), memory clocks. Absent: 12.',
  openToWriteClocks: 'From opening a row to a write (RCDWR), memory clocks. Absent: 10.',
  closeClocks: 'From closing a row to opening another (RP), memory clocks. Absent: 12.',
  rowOpenClocks: 'A row stays open at least (RAS), memory clocks. Absent: 30.',
  rowCycleClocks: 'Between two openings in one bank (RC), memory clocks. Absent: 45.',
  readLatencyClocks: 'From a read to its data (RL), memory clocks. Absent: 35.',
  writeLatencyClocks: 'From a write to its data (WL), memory clocks. Absent: 8.',
  openGapClocks: 'Between openings in different banks (RRD), memory clocks. Absent: 2.',
  fourOpensClocks: 'No five openings within (FAW), memory clocks. Absent: 9.',
  readToCloseClocks: 'From a read to closing its row (RTP), memory clocks. Absent: 2.',
  writeRecoveryClocks: 'From the end of write data to closing the row (WR), memory clocks. Absent: 35.',
  readToWriteClocks: 'From a read to a write (RTW), memory clocks. Absent: 12.',
  writeToReadClocks: 'From the end of write data to a read of another bank group (WTRS), memory clocks. Absent: 4.',
  writeToReadSameGroupClocks: 'From the end of write data to a read of the same bank group (WTRL), memory clocks. Absent: 6.',
  refreshIntervalClocks: 'A refresh is due every so often (REFI), memory clocks. Absent: 3000.',
  refreshClocks: 'A refresh of all banks takes (RFC), memory clocks. Absent: 260.',
  writeBufferBytes: 'Writes that a channel acknowledges before the DRAM has them, bytes. Absent: 8192.',
} as const;
type MemoryTimingField = keyof typeof timingFields;

const bitList = (what: string) => ({ type: 'array', description: `Bits of an address inside a channel that name ${what}.`, items: { type: 'integer', minimum: 0, maximum: 31, description: 'Number of a bit, from the lowest.' }, maxItems: 32 });

const timingSchema = {
  type: 'object',
  description: 'The DRAM behind a channel. Absent: a 16 Gb HBM2E channel (JEDEC) of the bandwidth and latency above.',
  properties: {
    ...Object.fromEntries(Object.entries(timingFields).map(([name, description]) => [name, whole(description, 0, 1_000_000)])),
    addressBits: {
      type: 'object',
      description: 'Which bits of an address inside a channel say what; the others are bytes and columns. Absent: those of the reference machine.',
      properties: { pseudoChannel: bitList('the pseudo-channel'), bankGroup: bitList('the bank group'), bank: bitList('the bank'), row: bitList('the row') },
      required: ['pseudoChannel', 'bankGroup', 'bank', 'row'],
      additionalProperties: false,
    },
  },
  additionalProperties: false,
};

interface Memory {
  channels: number;
  bytesPerCyclePerChannel: number | [numerator: number, denominator: number];
  latencyCycles: number;
  capacityBytes: number;
  edgeNodes?: { west: number; north: number; east: number; south: number };
  aliasing?: 'none' | 'column' | 'edge';
  interleaveBytes?: number;
  scramble?: boolean;
  timing?: Partial<Record<MemoryTimingField, number>> & { addressBits?: { pseudoChannel: number[]; bankGroup: number[]; bank: number[]; row: number[] } };
}

const memorySchema = Type.Unsafe<Memory | null>({
  description: 'The memory of one die; null on a machine that has only the scratchpads of its tiles.',
  type: ['object', 'null'],
  properties: {
    channels: whole('Memory channels of one die.', 1, 4096),
    bytesPerCyclePerChannel: rate('Peak of one channel, bytes per cycle.'),
    latencyCycles: whole('From a request at the channel to its first byte, cycles.', 0, 1_000_000),
    capacityBytes: whole('Memory of one die, bytes.', 1, 2 ** 50),
    edgeNodes: {
      description: 'Where the channels sit: nodes on the edges of a die, each linked to the tile of the edge that it stands at and owning an equal share of the channels. Absent: the channels have no place.',
      type: 'object',
      properties: { west: nodesOn('west'), north: nodesOn('north'), east: nodesOn('east'), south: nodesOn('south') },
      required: ['west', 'north', 'east', 'south'],
      additionalProperties: false,
    },
    aliasing: {
      type: 'string',
      enum: ['none', 'column', 'edge'],
      description: 'none: an address belongs to one node. column: every node answers for all addresses, so a request goes to the node of its own column (nodes north or south) or row (west or east). edge: the same for the addresses of each edge that has nodes. Absent: none.',
    },
    interleaveBytes: whole('Where addresses are spread over several channels, so many bytes go to one after the other. Absent: 128.', 1, 2 ** 20),
    scramble: { type: 'boolean', description: 'Channel = exclusive or of all groups of bits of the line number, so that no power-of-two stride stays on one; needs a power of two of channels. Absent: false.' },
    timing: timingSchema,
  },
  required: ['channels', 'bytesPerCyclePerChannel', 'latencyCycles', 'capacityBytes'],
  additionalProperties: false,
});

const dieColumn = whole('Column of the die, dies from the west edge of the wafer.', 0, 1023);
const dieRow = whole('Row of the die, dies from the north edge of the wafer.', 0, 1023);
const onDie = Type.Optional(Type.Object({ x: dieColumn, y: dieRow }, { ...strict, description: 'The die; it may be left out on a wafer of one die.' }));
const tileColumn = whole('Column of the tile on its die, tiles from the west edge.', 0, MAX_COORDINATE);
const tileRow = whole('Row of the tile on its die, tiles from the north edge.', 0, MAX_COORDINATE);

const defectsSchema = Type.Object(
  {
    dies: Type.Optional(
      Type.Array(Type.Object({ x: dieColumn, y: dieRow }, { ...strict, description: 'A die that is absent, with all its tiles, links and memory.' }), { description: 'Absent dies.' }),
    ),
    tiles: Type.Optional(
      Type.Array(Type.Object({ die: onDie, x: tileColumn, y: tileRow }, { ...strict, description: 'A tile that is absent, with its router and all links to it.' }), {
        description: 'Absent tiles.',
      }),
    ),
    links: Type.Optional(
      Type.Array(
        Type.Object(
          {
            die: onDie,
            x: Type.Optional(tileColumn),
            y: Type.Optional(tileRow),
            direction: Type.Unsafe<DirectionName>({ type: 'string', enum: ['east', 'west', 'north', 'south'], description: 'Where the link leads.' }),
            bothWays: Type.Optional(Type.Boolean({ description: 'Whether the link back is absent too. Absent: true.' })),
          },
          { ...strict, description: 'A link that is absent: from a tile to its neighbour, which may lie on the next die; without x and y, from the router of a die to that of the next (hub).' },
        ),
        { description: 'Absent links.' },
      ),
    ),
  },
  { ...strict, description: 'What is missing from the full grid. Absent: nothing.' },
);

const gatewaySchema = Type.Object(
  {
    x: whole('Column of the gateway tile on its die, tiles from the west edge.', 0, MAX_COORDINATE),
    y: whole('Row of the gateway tile on its die, tiles from the north edge.', 0, MAX_COORDINATE),
  },
  { ...strict, description: 'A tile whose router is linked to the router of its die.' },
);

interface EdgeJoint {
  shape: 'edge';
  link: Static<typeof linkSchema>;
}

interface HubJoint {
  shape: 'hub';
  link: Static<typeof linkSchema>;
  gatewayLink: Static<typeof linkSchema>;
  gateways: Static<typeof gatewaySchema>[];
}

/**
 * One object with conditions, rather than a choice of three: an editor then completes from it, and a mistake inside is
 * reported as that mistake, not as three shapes that do not fit.
 */
const d2dSchema = Type.Unsafe<EdgeJoint | HubJoint | null>({
  description: 'How dies are joined; null on a wafer of one die.',
  type: ['object', 'null'],
  properties: {
    shape: {
      type: 'string',
      enum: ['edge', 'hub'],
      description: 'edge: each router on the border of a die has a lane of its own to the die beyond. hub: one router per die, reached through gateway tiles.',
    },
    link: described(linkSchema, 'From die to die: one lane of a border router (edge), or the link between the routers of two dies (hub).'),
    gatewayLink: described(linkSchema, 'Between a gateway tile and the router of its die, hub only.'),
    gateways: { type: 'array', minItems: 1, items: gatewaySchema, description: 'The gateway tiles of every die, hub only.' },
  },
  required: ['shape', 'link'],
  additionalProperties: false,
  if: { type: 'object', properties: { shape: { const: 'hub' } }, required: ['shape'] },
  then: { type: ['object', 'null'], required: ['gatewayLink', 'gateways'], properties: { gatewayLink: true, gateways: true } },
});

/** The hardware file. What a schema cannot say is checked by {@link parseHardware}. */
export const hardwareSchema = Type.Object(
  {
    formatVersion: Type.Literal(HARDWARE_FORMAT_VERSION, { description: 'Version of this file format.' }),
    name: Type.String({ description: 'Short name of the machine; it stands in results.', minLength: 1, maxLength: 80 }),
    description: Type.String({ description: 'What the machine is and where its figures come from.', maxLength: 2000 }),
    clockMegahertz: whole('Clock of tiles and fabric, megahertz. Every cycle of this file is one of these.', 1, 100_000),
    wafer: Type.Object(
      { diesX: whole('Dies from west to east.', 1, 1024), diesY: whole('Dies from north to south.', 1, 1024) },
      { ...strict, description: 'The wafer: a grid of dies.' },
    ),
    die: Type.Object(
      { tilesX: whole('Tiles of a die from west to east.', 1, 65_536), tilesY: whole('Tiles of a die from north to south.', 1, 65_536) },
      { ...strict, description: 'The die: a grid of tiles.' },
    ),
    tile: tileSchema,
    link: tileLinkSchema,
    localLink: described(linkSchema, 'From a tile to its router (injection), and back (ejection) where ejectionLink is absent.'),
    ejectionLink: Type.Optional(described(linkSchema, 'From a router to its tile. Absent: as localLink.')),
    syncLink: Type.Optional(syncLinkSchema),
    router: Type.Optional(routerSchema),
    reduction: Type.Optional(reductionSchema),
    memory: memorySchema,
    d2d: d2dSchema,
    defects: Type.Optional(defectsSchema),
  },
  { ...strict, title: 'Kerf hardware', description: 'A machine: wafer, die, tile, links, memory.' },
);

/** The file that this package publishes, for editors to complete from. */
export const hardwareSchemaFile: TSchema = {
  ...hardwareSchema,
  $schema: 'http://json-schema.org/draft-07/schema#',
  $id: `urn:kerf:hardware:${HARDWARE_FORMAT_VERSION}`,
};

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** A machine: the contents of a hardware file, checked. */
export type Hardware = DeepReadonly<Static<typeof hardwareSchema>>;

/** A directed link that may be slower than a flit per cycle. */
export type LinkSpec = DeepReadonly<Static<typeof linkSchema>>;

/** The link between neighbouring tiles; its `bytesPerCycle` is the flit of the fabric. */
export type TileLinkSpec = Hardware['link'];

/** The narrow network beside the wide one. */
export type SyncLinkSpec = NonNullable<Hardware['syncLink']>;

/** How routers reduce inside the network. */
export type ReductionSpec = NonNullable<Hardware['reduction']>;

/** The memory of one die. */
export type MemorySpec = NonNullable<Hardware['memory']>;

/** What is missing from the full grid. */
export type DefectsSpec = NonNullable<Hardware['defects']>;

/** How dies are joined; null on a wafer of one die. */
export type DieToDieSpec = Hardware['d2d'];

/** The element types that a matrix engine multiplies. */
export type ElementType = keyof Hardware['tile']['matrix']['flopsPerCycle'];
