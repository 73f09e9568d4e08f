// Writes the published schemas from the ones in the code. Runs after tsc; needs Node and nothing else.
import { readFileSync, writeFileSync } from 'node:fs';
import { modelCardSchemaFile, scenarioSchemaFile } from '../dist/index.js';

write('scenario.schema.json', scenarioSchemaFile);
write('model-card.schema.json', modelCardSchemaFile);

function write(name, schema) {
  const file = new URL(`../${name}`, import.meta.url);
  const text = `${JSON.stringify(schema, null, 2)}\n`;
  let written = '';
  try {
    written = readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  if (written !== text) writeFileSync(file, text);
}
