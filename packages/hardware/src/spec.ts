import { Type, type Static, type TSchema } from '@sinclair/typebox';

/** The version of the hardware file that this code reads and writes. */
export const HARDWARE_FORMAT_VERSION = 1;

/** Largest wafer, in tiles: a tile id then fits 24 bits, and a (tile, port) pair 32. */
export const MAX_TILES = 2 ** 24;

/** Largest coordinate of a tile on the wafer: x and y then fit 16 bits each. */
export const MAX_COORDINATE = 65_535;

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
    whole('Buffer behind the link, flits per traffic class. Absent: bandwidth times round trip, and at least two largest packets.', 1, 2 ** 20),
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
  },
  { ...strict, description: 'The matrix engine of a tile.' },
);

const tileSchema = Type.Object(
  {
    matrix: matrixSchema,
    vector: Type.Object(
      { flopsPerCycle: whole('Peak of all vector units of a tile together in 16-bit floating point, operations per cycle.', 1, 2 ** 24) },
      { ...strict, description: 'The vector engine of a tile.' },
    ),
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
  },
  { ...strict, description: 'The link between neighbouring tiles of a die.' },
);

const memorySchema = Type.Object(
  {
    channels: whole('Memory channels of one die.', 1, 4096),
    bytesPerCyclePerChannel: rate('Peak of one channel, bytes per cycle.'),
    latencyCycles: whole('From a request at the channel to its first byte, cycles.', 0, 1_000_000),
    capacityBytes: whole('Memory of one die, bytes.', 1, 2 ** 50),
  },
  { ...strict, description: 'The memory of one die.' },
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
    localLink: described(linkSchema, 'Between a tile and its router: injection and ejection.'),
    memory: memorySchema,
    d2d: d2dSchema,
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

/** How dies are joined; null on a wafer of one die. */
export type DieToDieSpec = Hardware['d2d'];

/** The element types that a matrix engine multiplies. */
export type ElementType = keyof Hardware['tile']['matrix']['flopsPerCycle'];
