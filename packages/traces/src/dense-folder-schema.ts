import { Type, type Static } from '@sinclair/typebox';

const count = (description: string, maximum: number) => Type.Integer({ minimum: 1, maximum, description });
const place = (description: string) => Type.Integer({ minimum: 0, maximum: 2 ** 32 - 1, description });

const arrayFile = (description: string) => Type.Object({
  file: Type.String({ minLength: 1, description: 'name of a .npy file in the same folder' }),
  dtype: Type.String({ description: 'element type, as NumPy names it' }),
  shape: Type.Array(Type.Integer({ minimum: 0, description: 'entries along an axis' }), { description: 'outermost axis first' }),
  note: Type.Optional(Type.String({ description: 'remarks, not read' })),
}, { additionalProperties: false, description });

/** `requests.json` of a recording in dense arrays. Its entries of requests are open: a recorder adds what it knows of each. */
export const denseFolderSchema = Type.Object({
  format: Type.Literal('dense-npy', { description: 'kind of folder' }),
  model: Type.String({ minLength: 1, description: 'recorded model' }),
  num_layers: count('MoE layers', 1024),
  num_experts: count('logical routed experts per layer', 65_535),
  top_k: count('experts per token and layer', 256),
  phase: Type.Union([Type.Literal('decode'), Type.Literal('prefill')], { description: 'which forward passes were recorded' }),
  expert_ids: arrayFile('[tokens, layers, top_k] ids in order of falling weight'),
  expert_weights: Type.Optional(arrayFile('[tokens, layers, top_k] routing weights')),
  requests: Type.Array(Type.Object({
    request: place('number of the request'),
    row_offset: place('first row of the request'),
    tokens: count('rows of the request, tokens', 2 ** 32 - 1),
    first_position: place('position of the first row in the sequence, tokens'),
    repetition: Type.Optional(Type.Boolean({ description: 'the recorder found the output looping' })),
  }, { additionalProperties: true, description: 'one recorded request' }), { minItems: 1, description: 'in order of their rows' }),
}, { additionalProperties: false, description: 'a recording in dense arrays' });

export type DenseFolder = Static<typeof denseFolderSchema>;
