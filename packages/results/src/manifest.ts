import { checkSchema } from '@kerf/checks';
import { crossCheckHardware, hardwareSchema, type Hardware } from '@kerf/hardware';
import { Type, type Static } from '@sinclair/typebox';
import { ResultsError } from './errors.ts';
import { TABLE_NAMES } from './tables.ts';

/** The version of `manifest.json` that this code reads and writes. */
export const MANIFEST_FORMAT_VERSION = 1;

const strict = { additionalProperties: false } as const;
const LARGEST = Number.MAX_SAFE_INTEGER;

function whole(description: string, minimum = 0, maximum = LARGEST) {
  return Type.Integer({ description, minimum, maximum });
}

function seconds(description: string) {
  return Type.Number({ description: `${description}, seconds.`, minimum: 0, maximum: 1e9 });
}

function text(description: string, maxLength = 4096) {
  return Type.String({ description, maxLength });
}

function hexadecimal(description: string) {
  return Type.String({ description, pattern: '^[0-9a-f]{64}$' });
}

function time(description: string) {
  return Type.String({ description: `${description}: ISO 8601, UTC.`, pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?Z$' });
}

function choice<T extends string>(values: readonly T[], description: string) {
  return Type.Unsafe<T>({ type: 'string', enum: [...values], description });
}

/** Written and checked by another room; kept as it is. */
function foreign(description: string) {
  return Type.Unsafe<Readonly<Record<string, unknown>>>({ type: 'object', description });
}

const traceSchema = Type.Object(
  {
    name: text('Name of the trace.'),
    sha256: hexadecimal('Hash of its content.'),
    model: text('Model it was recorded with.'),
    tokens: whole('Tokens recorded.'),
    layers: whole('MoE layers recorded.', 1, 65_535),
    requests: whole('Requests recorded.'),
    origin: choice(['recorded', 'synthetic'], 'How it came to be.'),
    cycling: Type.Optional(
      Type.Object(
        {
          slots: whole('Requests that run on the wafer at a time.', 1),
          requests: whole('Requests of the recording that fill them, over and over.', 1),
          how: text('How slots are filled again, and where each begins in its request.'),
        },
        { ...strict, description: 'Present when the wafer ran more requests at a time than the recording had live.' },
      ),
    ),
  },
  { ...strict, description: 'The trace that was replayed.' },
);

const processSchema = Type.Object(
  {
    rank: whole('Number of the process, from 0.', 0, 1_048_576),
    dies: Type.Array(whole('Die on the wafer.', 0, 1_048_576), { description: 'Dies that it simulated.', minItems: 1 }),
    pid: Type.Optional(whole('Its number in the operating system.', 1)),
    transport: choice(['websocket', 'memory'], 'What joined it to the others.'),
    boundaryPacketsSent: whole('Packets sent to dies of other processes, packets.'),
    boundaryPacketsReceived: whole('Packets that came from dies of other processes, packets.'),
    framesSent: whole('Frames sent to other processes, frames.'),
    wallSeconds: seconds('From the start of the simulation to its end'),
    waitSeconds: seconds('Of these, waiting for other processes'),
    packetHops: whole('Links crossed by packets on its dies, packet-hops.'),
    peakRssBytes: whole('Most memory that it held at a time, bytes.'),
  },
  { ...strict, description: 'One node process.' },
);

const fileSchema = Type.Object(
  {
    die: Type.Unsafe<number | null>({ type: ['integer', 'null'], minimum: 0, maximum: 1_048_576, description: 'Die whose rows it holds; null for the whole wafer.' }),
    path: Type.String({ description: 'Path in the run folder, with forward slashes.', pattern: '^[A-Za-z0-9_-]+(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+$', maxLength: 255 }),
    rows: whole('Rows, rows.'),
    bytes: whole('Size, bytes.'),
    sha256: hexadecimal('Hash of the file.'),
  },
  { ...strict, description: 'One Arrow file.' },
);

const tableSchema = Type.Object(
  {
    rows: whole('Rows of all files, rows.'),
    sha256: hexadecimal('One hash over the hashes of the files, by die.'),
    files: Type.Array(fileSchema, { description: 'Its files, by die.', minItems: 1 }),
  },
  { ...strict, description: 'One table.' },
);

const conservationSchema = Type.Object(
  {
    layer: whole('MoE layer, from 0.', 0, 65_535),
    tokens: whole('Tokens that passed the layer, tokens.'),
    topK: whole('Experts per token.', 1, 65_535),
    dispatched: whole('Copies that arrived at experts, copies.'),
    combined: whole('Results that came back, copies.'),
  },
  { ...strict, description: 'What went into one layer and what came out.' },
);

/** `manifest.json`. What a schema cannot say is checked by {@link parseManifest}. */
export const manifestSchema = Type.Object(
  {
    formatVersion: Type.Literal(MANIFEST_FORMAT_VERSION, { description: 'Version of this file format.' }),
    status: choice(['running', 'complete', 'incomplete', 'interrupted', 'failed'], 'How far the run came. Only "complete" has all of its rows.'),
    reason: Type.Optional(text('Why it is not complete, in a sentence.')),
    kerfVersion: text('Version of Kerf.', 64),
    nodeVersion: text('Version of Node.js.', 64),
    startedAt: time('When the run was started'),
    finishedAt: Type.Optional(time('When it ended')),
    scenario: foreign('The scenario, with everything that was left to defaults or to "auto" filled in.'),
    hardware: Type.Unsafe<Hardware>(hardwareSchema),
    model: foreign('The model card.'),
    trace: traceSchema,
    expertPlacement: Type.Object(
      {
        kind: text('Rule that placed the experts.', 64),
        dieOfExpert: Type.Array(whole('Die on the wafer.', 0, 1_048_576), { description: '[experts] die of each.', minItems: 1 }),
      },
      { ...strict, description: 'Where the experts sit; the same in every layer.' },
    ),
    fidelity: Type.Object(
      { level: text('Fidelity of the fabric.', 64), statement: text('What it leaves out, and how far off that is.') },
      { ...strict, description: 'How closely the fabric was simulated.' },
    ),
    deadlockFreedom: Type.Optional(
      Type.Object(
        {
          routing: choice(['dimension-order', 'up-down'], 'Rule of the routes: along x, then along y; or up and then down around what is absent.'),
          classes: Type.Array(text('Traffic class.', 64), { description: 'Traffic classes with buffers of their own.', minItems: 1, maxItems: 64 }),
          channels: whole('Buffers behind links, one for each traffic class, channels.'),
          dependencies: whole('Pairs of channels of which a packet can hold the first while it waits for the second, pairs.'),
          acyclic: Type.Boolean({ description: 'No channels wait for each other in a circle, so that packets cannot deadlock.' }),
        },
        { ...strict, description: 'What the check of the routes found before the run began; absent in manifests of earlier versions.' },
      ),
    ),
    remarks: Type.Optional(Type.Array(text('A sentence.'), { description: 'What a reader of the run has to know: requests that were repeated, tiles that are absent.', maxItems: 64 })),
    processes: Type.Array(processSchema, { description: 'The node processes; nothing in the tables depends on them.' }),
    totals: Type.Optional(
      Type.Object(
        {
          steps: whole('Decode steps, steps.'),
          simulatedCycles: whole('Simulated time, cycles.'),
          packetHops: whole('Links crossed by packets, packet-hops.'),
          boundaryPackets: whole('Packets that crossed from one process to another, packets.'),
        },
        { ...strict, description: 'The run in four numbers.' },
      ),
    ),
    conservation: Type.Array(conservationSchema, { description: '[layers] Copies counted where they left and where they arrived.' }),
    tables: Type.Object(
      { collectives: Type.Optional(tableSchema), experts: Type.Optional(tableSchema), links: Type.Optional(tableSchema), steps: Type.Optional(tableSchema) },
      { ...strict, description: 'The tables that were finished.' },
    ),
    digest: Type.Optional(hexadecimal('One hash over all tables and over what every die received in which order.')),
  },
  { ...strict, title: 'Kerf run', description: 'What was run, with what, how it ended, and what lies in the folder.' },
);

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** The contents of `manifest.json`, checked. */
export type Manifest = DeepReadonly<Static<typeof manifestSchema>>;
export type RunStatus = Manifest['status'];
export type ManifestProcess = Manifest['processes'][number];
export type ManifestTable = NonNullable<Manifest['tables'][keyof Manifest['tables']]>;
export type ManifestFile = ManifestTable['files'][number];
export type ConservationRow = Manifest['conservation'][number];

/**
 * Takes the contents of a `manifest.json` for what they say they are, or says what is wrong.
 *
 * @param value parsed JSON
 * @throws SchemaError for a wrong shape, HardwareError for hardware that cannot be built
 * @throws ResultsError `MANIFEST_INCONSISTENT` when parts contradict each other: a complete run without its end, digest or a
 * table, a table whose files do not add up, a die of two processes, copies that were lost
 */
export function parseManifest(value: unknown, source: string): Manifest {
  const manifest: Manifest = checkSchema(manifestSchema, value, source);
  crossCheckHardware(manifest.hardware, source);
  const problem = contradiction(manifest);
  if (problem !== undefined) throw new ResultsError('MANIFEST_INCONSISTENT', `${source}: ${problem}.`, { source });
  return manifest;
}

/** The text of `manifest.json`. Throws as {@link parseManifest}: what is written can be read. */
export function manifestText(manifest: Manifest): string {
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  parseManifest(JSON.parse(text), 'manifest.json');
  return text;
}

function contradiction(manifest: Manifest): string | undefined {
  const { status, reason, tables, processes, conservation } = manifest;
  for (const [name, table] of Object.entries(tables)) {
    const rows = table.files.reduce((sum, file) => sum + file.rows, 0);
    if (rows !== table.rows) return `table ${name} has ${table.rows} rows, its files have ${rows}`;
    if (new Set(table.files.map(({ die }) => die)).size !== table.files.length) return `table ${name} has two files of one die`;
  }
  const dies = processes.flatMap((process) => process.dies);
  const twice = dies.find((die, at) => dies.indexOf(die) !== at);
  if (twice !== undefined) return `die ${twice} belongs to two processes`;
  if (status === 'running') return undefined;
  if (status !== 'complete') return reason === undefined ? `the run is ${status}, but there is no reason` : undefined;
  const missing = (['finishedAt', 'totals', 'digest'] as const).find((key) => manifest[key] === undefined);
  if (missing !== undefined) return `the run is complete, but ${missing} is missing`;
  const table = TABLE_NAMES.find((name) => tables[name] === undefined);
  if (table !== undefined) return `the run is complete, but table ${table} is missing`;
  return lostCopies(conservation);
}

/** Says which layer lost or invented copies: tokens × top-k = dispatched = combined must hold in each. Undefined if none did. */
export function lostCopies(conservation: readonly ConservationRow[]): string | undefined {
  const row = conservation.find(({ tokens, topK, dispatched, combined }) => dispatched !== tokens * topK || combined !== dispatched);
  return row && `layer ${row.layer}: ${row.tokens} tokens × ${row.topK} experts are ${row.tokens * row.topK} copies, but ${row.dispatched} were dispatched and ${row.combined} combined`;
}
