import { hardwareSchema, type Hardware } from '@kerf/hardware';
import { Type, type Static, type TSchema } from '@sinclair/typebox';
import type { FileFormat } from './format-version.ts';
import { modelCardSchema, type ModelCard } from './model-card.ts';

export const scenarioFormat: FileFormat = { name: 'scenarios', version: 1, code: 'SCENARIO_FORMAT_VERSION' };

const strict = { additionalProperties: false } as const;
const path = { minLength: 1, maxLength: 4096 } as const;

/**
 * A name, or the thing itself where it would stand: one schema that says both, so that a mistake inside the thing is
 * reported as that mistake, not as “neither of two”.
 */
function nameOrInline<T>(schema: TSchema, description: string) {
  return Type.Unsafe<string | T>({ ...schema, ...path, type: ['string', 'object'], description });
}

const workloadSchema = Type.Object(
  {
    kind: Type.Literal('moe-replay', { description: 'moe-replay: dispatch and combine of every MoE layer, for the tokens and experts of a recorded trace.' }),
    trace: Type.String({ ...path, description: 'Routing trace: a file or folder, relative to where the command is run.' }),
    model: nameOrInline<ModelCard>(modelCardSchema, 'Model: the name of a card, a card file, or a card written out here.'),
    steps: Type.Integer({ description: 'Decode steps to replay.', minimum: 1, maximum: 1_000_000 }),
    tokensPerDie: Type.Integer({ description: 'Tokens that live on each die in each step.', minimum: 1, maximum: 65_536 }),
  },
  { ...strict, description: 'What is computed.' },
);

const executionSchema = Type.Object(
  {
    nodes: Type.Unsafe<number | 'auto'>({
      type: ['integer', 'string'],
      minimum: 1,
      maximum: 4096,
      if: { type: 'string' },
      then: { const: 'auto' },
      description: 'Node processes that the wafer is cut over, or "auto". At most one per die.',
    }),
    transport: Type.Unsafe<'websocket' | 'memory' | 'auto'>({
      type: 'string',
      enum: ['websocket', 'memory', 'auto'],
      description: 'What joins the node processes.',
    }),
  },
  { ...strict, description: 'How the run is carried out. It cannot change a byte of its result.' },
);

/** The scenario file. What a schema cannot say is checked by {@link parseScenario}. */
export const scenarioSchema = Type.Object(
  {
    formatVersion: Type.Literal(scenarioFormat.version, { description: 'Version of this file format.' }),
    hardware: nameOrInline<Hardware>(hardwareSchema, 'Machine: the name of a preset, a hardware file, or a machine written out here.'),
    workload: workloadSchema,
    mapping: Type.Object(
      { experts: Type.Literal('linear', { description: 'linear: expert e lies on die floor(e x dies / experts).' }) },
      { ...strict, description: 'What lies where.' },
    ),
    fidelity: Type.Literal('packet', { description: 'How closely the fabric is simulated. packet: virtual cut-through, packets hold each link for their length.' }),
    seed: Type.Integer({ description: 'Seed of every random choice of the run.', minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    output: Type.Object(
      {
        directory: Type.Optional(Type.String({ ...path, description: 'Run folder to write. Absent: the command chooses one.' })),
        binCycles: Type.Integer({ description: 'Width of a time bin in the tables, cycles.', minimum: 1, maximum: 2 ** 40 }),
      },
      { ...strict, description: 'What is written.' },
    ),
    execution: Type.Optional(executionSchema),
  },
  { ...strict, title: 'Kerf scenario', description: 'What a run is.' },
);

/** The file that this package publishes, for editors to complete from. */
export const scenarioSchemaFile: TSchema = {
  ...scenarioSchema,
  $schema: 'http://json-schema.org/draft-07/schema#',
  $id: `urn:kerf:scenario:${scenarioFormat.version}`,
};

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** What a run is: the contents of a scenario file, checked. */
export type Scenario = DeepReadonly<Static<typeof scenarioSchema>>;
