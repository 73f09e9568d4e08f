import { Type, type Static, type TSchema } from '@sinclair/typebox';
import type { FileFormat } from './format-version.ts';

export const modelCardFormat: FileFormat = { name: 'model cards', version: 1, code: 'MODEL_FORMAT_VERSION' };

/**
 * What a run needs to know of a model: the sizes that decide how many bytes travel and how long an expert computes.
 * MoE layers are consecutive, which holds for every model whose dense layers come first (or that has none).
 */
export const modelCardSchema = Type.Object(
  {
    formatVersion: Type.Literal(modelCardFormat.version, { description: 'Version of this file format.' }),
    name: Type.String({ description: 'Name of the model; it is compared with the one that a trace was recorded from.', minLength: 1, maxLength: 80 }),
    source: Type.String({ description: 'Where the figures of this card come from.', minLength: 1, maxLength: 2000 }),
    hiddenWidth: Type.Integer({ description: 'Width of the hidden vector of a token, elements.', minimum: 1, maximum: 2 ** 20 }),
    layers: Type.Integer({ description: 'Layers of the model, dense and MoE.', minimum: 1, maximum: 10_000 }),
    firstMoeLayer: Type.Integer({ description: 'First layer with experts, counted from 0.', minimum: 0, maximum: 9_999 }),
    moeLayers: Type.Integer({ description: 'Layers with experts, one after the other from firstMoeLayer.', minimum: 1, maximum: 10_000 }),
    experts: Type.Integer({ description: 'Routed experts of a layer.', minimum: 1, maximum: 65_535 }),
    topK: Type.Integer({ description: 'Routed experts that a token is sent to.', minimum: 1, maximum: 256 }),
    expertIntermediateWidth: Type.Integer({ description: 'Inner width of a routed expert, elements.', minimum: 1, maximum: 2 ** 20 }),
    expertMatrices: Type.Integer({ description: 'Weight matrices of an expert, each hiddenWidth x expertIntermediateWidth: 3 when gated, else 2.', minimum: 1, maximum: 8 }),
    sharedExperts: Type.Integer({ description: 'Experts that every token visits beside the routed ones.', minimum: 0, maximum: 256 }),
    activationBytes: Type.Number({ description: 'Bytes per element of a hidden vector on its way to an expert: 2 in FP16 or BF16, 1 in FP8.', minimum: 0.125, maximum: 16 }),
    combineBytes: Type.Number({ description: 'Bytes per element of a hidden vector on its way back.', minimum: 0.125, maximum: 16 }),
    weightBits: Type.Number({ description: 'Bits per weight in memory, scales included: 16 in BF16, 4.25 in MXFP4.', minimum: 1, maximum: 64 }),
    computeType: Type.Unsafe<'fp16' | 'fp8'>({ type: 'string', enum: ['fp16', 'fp8'], description: 'Element type that the matrix engine multiplies.' }),
  },
  { additionalProperties: false, title: 'Kerf model card', description: 'The sizes of a mixture-of-experts model.' },
);

/** The file that this package publishes, for editors to complete from. */
export const modelCardSchemaFile: TSchema = {
  ...modelCardSchema,
  $schema: 'http://json-schema.org/draft-07/schema#',
  $id: `urn:kerf:model-card:${modelCardFormat.version}`,
};

/** A model card, checked. */
export type ModelCard = Readonly<Static<typeof modelCardSchema>>;
