import { checkSchema, suggestion } from '@kerf/checks';
import { Type, type Static } from '@sinclair/typebox';
import { ProgramError } from '../errors.ts';
import { Affine } from './affine.ts';
import { TileProgramBuilder, View, type OperationFields } from './builder.ts';
import { checkTileProgram } from './check.ts';
import { elementTypes } from './element-types.ts';
import { TILE_PROGRAM_FORMAT_VERSION, type TileProgram } from './tile-program.ts';
import {
  ACCUMULATE, collectiveKinds, collectiveScopes, NONE, tensorUses, tileEngines, tileOperationKinds, TileOperation, TRANSPOSE_B, vectorKinds,
} from './vocabulary.ts';

const strict = { additionalProperties: false } as const;

function whole(description: string, minimum: number, maximum: number) {
  return Type.Integer({ description, minimum, maximum });
}

function oneOf<const W extends readonly string[]>(description: string, words: W) {
  return Type.Unsafe<W[number]>({ description, type: 'string', enum: [...words] });
}

const name = (description: string) => Type.String({ description, minLength: 1, maxLength: 200 });
const extent = (description: string) => whole(`${description}, elements.`, 1, 2 ** 31);
const factor = (description: string) => Type.Optional(whole(`${description} Absent: 0.`, -(2 ** 40), 2 ** 40));

interface AffineFile {
  base?: number;
  x?: number;
  y?: number;
  parameters?: Record<string, number>;
}

/** A whole number, or one that depends on tile and instance. One object with conditions, so that a mistake inside is reported as such. */
const affine = (description: string) => Type.Unsafe<number | AffineFile>({
  description: `${description} A whole number, or base + x · (x of the tile in its group) + y · (y of the tile) + each parameter times its factor.`,
  type: ['integer', 'object'],
  minimum: -(2 ** 40),
  maximum: 2 ** 40,
  properties: {
    base: factor('What is added.'),
    x: factor('Times x of the tile in its group.'),
    y: factor('Times y of the tile in its group.'),
    parameters: { type: 'object', description: 'Factor of each parameter.', additionalProperties: whole('Factor of the parameter.', -(2 ** 40), 2 ** 40) },
  },
  additionalProperties: false,
});

const place = (what: string) => whole(`${what}, tiles.`, 0, 65_535);

const rootSchema = Type.Unsafe<'diagonal' | { x: number; y: number }>({
  description: 'The tile that sends or gets the result: diagonal (x = y mod width in a row, y = x mod height in a column), or a place. Not for barriers.',
  type: ['string', 'object'],
  pattern: '^diagonal$',
  properties: { x: place('Column of the group'), y: place('Row of the group') },
  required: ['x', 'y'],
  additionalProperties: false,
});

/** Buffer, first row, first column, rows, columns. */
const viewSchema = Type.Unsafe<[buffer: string, row: number, column: number, rows: number, columns: number]>({
  description: 'A rectangle of a buffer: [name, first row, first column, rows, columns].',
  type: 'array',
  minItems: 5,
  maxItems: 5,
  items: [{ type: 'string' }, ...['First row.', 'First column.', 'Rows.', 'Columns.'].map((what) => ({ type: 'integer', description: what, minimum: 0, maximum: 2 ** 31 }))],
  additionalItems: false,
});

const sliceSchema = Type.Object(
  { tensor: name('Name of the tensor.'), row: affine('First row.'), column: affine('First column.'), rows: extent('Rows'), columns: extent('Columns') },
  { ...strict, description: 'A rectangle of a tensor in memory.' },
);

const peerSchema = Type.Unsafe<{ kind: 'relative' | 'wrapped'; dx: number; dy: number } | { kind: 'tile'; tile: number | AffineFile }>({
  description: 'Where a send goes: dx east and dy south inside the group (wrapped: round its rim), or the tile of the wafer with this id.',
  type: 'object',
  properties: {
    kind: { type: 'string', enum: ['relative', 'wrapped', 'tile'], description: 'How the peer is given.' },
    dx: whole('Tiles to the east.', -65_535, 65_535),
    dy: whole('Tiles to the south.', -65_535, 65_535),
    tile: affine('Id of the tile on the wafer.'),
  },
  required: ['kind'],
  additionalProperties: false,
  if: { type: 'object', properties: { kind: { const: 'tile' } }, required: ['kind'] },
  then: { type: 'object', required: ['tile'], properties: { tile: true } },
  else: { type: 'object', required: ['dx', 'dy'], properties: { dx: true, dy: true } },
});

const operationSchema = Type.Object(
  {
    kind: oneOf('What it does.', tileOperationKinds),
    engine: oneOf('Engine of the tile that does it.', tileEngines),
    phase: name('What reports call this part of the work.'),
    after: Type.Array(whole('Number of an operation above, from 0.', 0, 2 ** 20), { description: 'Operations of this role that must be done first.', maxItems: 65_536 }),
    out: Type.Optional(viewSchema),
    a: Type.Optional(viewSchema),
    b: Type.Optional(viewSchema),
    slice: Type.Optional(sliceSchema),
    collective: Type.Optional(name('Name of the collective.')),
    message: Type.Optional(whole('Number of the message.', 0, 2 ** 20)),
    peer: Type.Optional(peerSchema),
    vector: Type.Optional(oneOf('What a vector operation computes.', vectorKinds)),
    scalar: Type.Optional(Type.Number({ description: 'Factor of a vector operation, value of a clear. Absent: 1.', minimum: -1e300, maximum: 1e300 })),
    accumulate: Type.Optional(Type.Boolean({ description: 'Adds to what is there. Absent: no.' })),
    transposeB: Type.Optional(Type.Boolean({ description: 'The second operand of a matmul is stored turned. Absent: no.' })),
  },
  { ...strict, description: 'One operation.' },
);

/** The file of a tile program. What a schema cannot say is checked by {@link parseTileProgram}. */
export const tileProgramSchema = Type.Object(
  {
    formatVersion: Type.Literal(TILE_PROGRAM_FORMAT_VERSION, { description: 'Version of this file format.' }),
    name: name('Name of the program; it stands in results.'),
    group: Type.Object({ width: whole('Tiles from west to east.', 1, 65_536), height: whole('Tiles from north to south.', 1, 65_536) }, { ...strict, description: 'The tiles that run the program together.' }),
    parameters: Type.Array(name('Name of a whole number that each instance is given.'), { description: 'Parameters of an instance.', maxItems: 64, uniqueItems: true }),
    tensors: Type.Array(
      Type.Object(
        { name: name('Name of the array.'), rows: extent('Rows'), columns: extent('Columns'), elementType: oneOf('Number format.', elementTypes), use: oneOf('What it is for.', tensorUses) },
        { ...strict, description: 'A 2-D array in memory.' },
      ),
      { description: 'Arrays in memory.', maxItems: 65_535 },
    ),
    buffers: Type.Array(
      Type.Object({ name: name('Name of the buffer.'), rows: extent('Rows'), columns: extent('Columns'), elementType: oneOf('Number format.', elementTypes) }, { ...strict, description: 'A 2-D array in L1.' }),
      { description: 'Arrays in the L1 of the tiles whose role names them.', maxItems: 65_535 },
    ),
    collectives: Type.Array(
      Type.Object(
        { name: name('Name of the collective.'), kind: oneOf('What it does.', collectiveKinds), scope: oneOf('Who takes part.', collectiveScopes), root: Type.Optional(rootSchema) },
        { ...strict, description: 'Something that the tiles of a row, a column or the group do together, once.' },
      ),
      { description: 'Collectives.', maxItems: 2 ** 20 },
    ),
    roles: Type.Array(
      Type.Object({ name: name('Name of the role.'), operations: Type.Array(operationSchema, { description: 'Operations; those of one engine in its order.', maxItems: 2 ** 20 }) }, { ...strict, description: 'What some tiles of the group do.' }),
      { description: 'Roles.', minItems: 1, maxItems: 255 },
    ),
    roleOf: Type.Array(Type.Array(whole('Number of a role, from 0.', 0, 254), { description: 'Tiles from west to east.', minItems: 1, maxItems: 65_536 }), { description: 'The role of every tile, row by row from the north.', minItems: 1, maxItems: 65_536 }),
  },
  { ...strict, title: 'Kerf tile program', description: 'What the tiles of a group do.' },
);

/** The published form of a program: the contents of its file. */
export type TileProgramFile = Static<typeof tileProgramSchema>;
type OperationFile = TileProgramFile['roles'][number]['operations'][number];

/**
 * Takes the text of a file for a program.
 *
 * @throws ProgramError `PROGRAM_BAD_FILE` when it is no JSON; otherwise as {@link parseTileProgram}
 */
export function readTileProgram(text: string, source: string): TileProgram {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ProgramError('PROGRAM_BAD_FILE', `${source} is no JSON: ${(error as Error).message}.`, { source }, error);
  }
  return parseTileProgram(value, source);
}

/**
 * Takes the contents of a file for a program that has passed {@link checkTileProgram}, or says what is wrong with it.
 *
 * @param value parsed JSON
 * @param source what a person calls it
 * @throws SchemaError for a wrong shape; ProgramError for another format version, an unknown name, and whatever the checks find
 */
export function parseTileProgram(value: unknown, source: string): TileProgram {
  const version = typeof value === 'object' && value !== null && Object.hasOwn(value, 'formatVersion') ? (value as { formatVersion: unknown }).formatVersion : undefined;
  if (version !== undefined && version !== TILE_PROGRAM_FORMAT_VERSION) {
    const got = JSON.stringify(version) ?? 'nothing';
    throw new ProgramError('PROGRAM_FORMAT_VERSION', `${source}: formatVersion is ${got}, which this version of Kerf cannot read. It reads programs of formatVersion ${TILE_PROGRAM_FORMAT_VERSION}.`, { source, got });
  }
  const program = build(checkSchema(tileProgramSchema, value, source), source);
  checkTileProgram(program);
  return program;
}

function build(file: TileProgramFile, source: string): TileProgram {
  const { width, height } = file.group;
  if (file.roleOf.length !== height || file.roleOf.some((row) => row.length !== width)) {
    throw new ProgramError('PROGRAM_BAD_GROUP', `${source}: roleOf must have ${height} rows of ${width} tiles, as the group has.`, { source });
  }
  const p = new TileProgramBuilder(file.name, file.group, file.parameters);
  for (const { name, rows, columns, elementType, use } of file.tensors) p.tensor(name, rows, columns, elementType, use);
  for (const { name, rows, columns, elementType } of file.buffers) p.buffer(name, rows, columns, elementType);
  for (const { name, kind, scope, root } of file.collectives) p.collective(name, kind, scope, root ?? null);
  const messages = file.roles.reduce((most, role) => role.operations.reduce((m, { message = -1 }) => Math.max(m, message + 1), most), 0);
  p.messages(messages);
  const find = (list: readonly { readonly name: string }[], what: string) => {
    const known = new Map(list.map(({ name }, id) => [name, id]));
    return (wanted: string): number => {
      const id = known.get(wanted);
      if (id === undefined) throw new ProgramError('PROGRAM_UNKNOWN_NAME', `${source}: there is no ${what} ${wanted}.${suggestion(wanted, known.keys())}`, { source, name: wanted });
      return id;
    };
  };
  const tensor = find(file.tensors, 'tensor');
  const buffer = find(file.buffers, 'buffer');
  const collective = find(file.collectives, 'collective');
  const affineOf = (value: number | AffineFile): Affine => {
    if (typeof value === 'number') return new Affine(value);
    let sum = new Affine(value.base ?? 0, value.x ?? 0, value.y ?? 0);
    for (const [parameter, times] of Object.entries(value.parameters ?? {})) sum = sum.plus(p.parameter(parameter).times(times));
    return sum;
  };
  const view = (given: OperationFile['out']): View | undefined => given && new View(buffer(given[0]), given[1], given[2], given[3], given[4]);
  const places: number[][] = file.roles.map(() => []);
  file.roleOf.forEach((row, y) => row.forEach((role, x) => {
    const list = places[role];
    if (list === undefined) throw new ProgramError('PROGRAM_BAD_GROUP', `${source}: tile (${x}, ${y}) has role ${role} of ${file.roles.length}.`, { source, x, y, role });
    list.push(y * width + x);
  }));
  file.roles.forEach(({ name, operations }, id) => {
    p.roleAt(name, places[id]!, (r) => {
      for (const one of operations) {
        const fields: OperationFields = {
          kind: tileOperationKinds.indexOf(one.kind),
          engine: one.engine,
          out: view(one.out),
          a: view(one.a),
          b: view(one.b),
          slice: one.slice && { tensor: tensor(one.slice.tensor), row: affineOf(one.slice.row), column: affineOf(one.slice.column), rows: one.slice.rows, columns: one.slice.columns },
          collective: one.collective === undefined ? undefined : collective(one.collective),
          message: one.message,
          peer: one.peer && (one.peer.kind === 'tile' ? { kind: 'tile', tile: p.affine(affineOf(one.peer.tile)) } : { kind: one.peer.kind, dx: one.peer.dx, dy: one.peer.dy }),
          vector: one.vector === undefined ? 0 : vectorKinds.indexOf(one.vector),
          scalar: one.scalar ?? 1,
          flags: (one.accumulate === true ? ACCUMULATE : 0) + (one.transposeB === true ? TRANSPOSE_B : 0),
        };
        if ((one.kind === 'vector') !== (one.vector !== undefined)) {
          throw new ProgramError('PROGRAM_BAD_OPERATION', `${source}: an operation of role ${name} is a ${one.kind} ${one.vector === undefined ? 'without' : 'with'} a vector kind.`, { source, role: name });
        }
        r.phase(one.phase);
        r.add(fields, one.after);
      }
    });
  });
  return p.finish();
}

/** The contents of a program's file: {@link parseTileProgram} takes it for the same program. */
export function tileProgramFile(program: TileProgram): TileProgramFile {
  const { group, parameters, phases, tensors, buffers, collectives, peers, affines, views, slices, roles, roleOf } = program;
  const affineFile = (row: number): number | AffineFile => {
    const [base, x, y] = [affines.base[row]!, affines.x[row]!, affines.y[row]!];
    const factors = parameters.flatMap((parameter, p) => {
      const times = affines.parameters[row * parameters.length + p]!;
      return times === 0 ? [] : [[parameter, times] as const];
    });
    if (x === 0 && y === 0 && factors.length === 0) return base;
    return { ...(base === 0 ? {} : { base }), ...(x === 0 ? {} : { x }), ...(y === 0 ? {} : { y }), ...(factors.length === 0 ? {} : { parameters: Object.fromEntries(factors) }) };
  };
  const view = (id: number): OperationFile['out'] => [buffers[views.buffer[id]!]!.name, views.row[id]!, views.column[id]!, views.rows[id]!, views.columns[id]!];
  return {
    formatVersion: TILE_PROGRAM_FORMAT_VERSION,
    name: program.name,
    group: { ...group },
    parameters: [...parameters],
    tensors: tensors.map((tensor) => ({ ...tensor })),
    buffers: buffers.map((buffer) => ({ ...buffer })),
    collectives: collectives.map(({ name, kind, scope, root }) => ({ name, kind, scope, ...(root === null ? {} : { root }) })),
    roles: roles.map(({ name, table }) => ({
      name,
      operations: Array.from({ length: table.operations }, (_, row): OperationFile => {
        const [out, a, b, slice, collective, message] = [table.out[row]!, table.a[row]!, table.b[row]!, table.slice[row]!, table.collective[row]!, table.message[row]!];
        const peer = table.peer[row] === NONE ? undefined : peers[table.peer[row]!]!;
        const flags = table.flags[row]!;
        const scalar = table.scalar[row]!;
        return {
          kind: tileOperationKinds[table.kind[row]!]!,
          engine: tileEngines[table.engine[row]!]!,
          phase: phases[table.phase[row]!]!,
          after: [...table.dependsOn.subarray(table.dependsOnStart[row], table.dependsOnStart[row + 1])],
          ...(table.kind[row] === TileOperation.VECTOR ? { vector: vectorKinds[table.vector[row]!]! } : {}),
          ...(out === NONE ? {} : { out: view(out)! }),
          ...(a === NONE ? {} : { a: view(a)! }),
          ...(b === NONE ? {} : { b: view(b)! }),
          ...(slice === NONE ? {} : { slice: { tensor: tensors[slices.tensor[slice]!]!.name, row: affineFile(slices.row[slice]!), column: affineFile(slices.column[slice]!), rows: slices.rows[slice]!, columns: slices.columns[slice]! } }),
          ...(collective === NONE ? {} : { collective: collectives[collective]!.name }),
          ...(message === NONE ? {} : { message }),
          ...(peer === undefined ? {} : { peer: peer.kind === 'tile' ? { kind: 'tile' as const, tile: affineFile(peer.tile) } : { ...peer } }),
          ...(scalar === 1 ? {} : { scalar }),
          ...((flags & ACCUMULATE) === 0 ? {} : { accumulate: true }),
          ...((flags & TRANSPOSE_B) === 0 ? {} : { transposeB: true }),
        };
      }),
    })),
    roleOf: Array.from({ length: group.height }, (_, y) => [...roleOf.subarray(y * group.width, (y + 1) * group.width)]),
  };
}

/** The file as text: JSON with one tensor, buffer, collective and operation a line. */
export function formatTileProgram(program: TileProgram): string {
  const file = tileProgramFile(program);
  const lines = (values: readonly unknown[], indent: string): string => (values.length === 0 ? '[]' : `[\n${values.map((value) => `${indent}  ${JSON.stringify(value)}`).join(',\n')}\n${indent}]`);
  const roles = file.roles.map(({ name, operations }) => `    { "name": ${JSON.stringify(name)}, "operations": ${lines(operations, '    ')} }`).join(',\n');
  const rest = (['formatVersion', 'name', 'group', 'parameters'] as const).map((key) => `  "${key}": ${JSON.stringify(file[key])}`);
  const lists = (['tensors', 'buffers', 'collectives', 'roleOf'] as const).map((key) => `  "${key}": ${lines(file[key], '  ')}`);
  return `{\n${[...rest, ...lists, `  "roles": [\n${roles}\n  ]`].join(',\n')}\n}\n`;
}
