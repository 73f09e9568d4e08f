// @ts-check
// `npm run validate:all`: installs and builds what is missing, then runs the whole ledger. Arguments go to `kerf validate`.
import { join } from 'node:path';
import { prepare, root, runInForeground } from './prepare.mjs';

prepare();
process.exitCode = await runInForeground(process.execPath, [join(root, 'apps/cli/bin/kerf.js'), 'validate', ...process.argv.slice(2)]);
