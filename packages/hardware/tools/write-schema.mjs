// Writes the published schema from the one in the code. Runs after tsc; needs Node and nothing else.
import { readFileSync, writeFileSync } from 'node:fs';
import { hardwareSchemaFile } from '../dist/index.js';

const file = new URL('../hardware.schema.json', import.meta.url);
const text = `${JSON.stringify(hardwareSchemaFile, null, 2)}\n`;
let written = '';
try {
  written = readFileSync(file, 'utf8');
} catch (error) {
  if (error.code !== 'ENOENT') throw error;
}
if (written !== text) writeFileSync(file, text);
