import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { mergeConfig } from 'vitest/config';
import { project } from '../../vitest.shared.ts';

/**
 * Copies whole-number constants into the modules that import them. The module runner of the tests turns every use of an
 * import into a call of a getter, which made the kernel several times slower there than in Node; benchmarks would measure that.
 */
const inlineConstants = {
  name: 'inline-constants',
  enforce: 'pre' as const,
  transform(code: string, id: string): string | undefined {
    if (!/\/fabric\/src\/.+\.ts$/.test(id)) return undefined;
    return code.replace(/^import \{([^}]*)\} from '(\.\.?\/[^']+)';/gm, (statement: string, names: string, from: string) => {
      const file = resolve(dirname(id), from);
      if (!existsSync(file)) return statement;
      const constants = new Map([...readFileSync(file, 'utf8').matchAll(/^export const (\w+) = (\w+);/gm)].map((match) => [match[1]!, match[2]!]));
      const imported = names.split(',').map((name) => name.trim()).filter((name) => name !== '');
      const kept = imported.filter((name) => !constants.has(name));
      const inlined = imported.filter((name) => constants.has(name)).map((name) => `const ${name} = ${constants.get(name)};`);
      const lines = '\n'.repeat(statement.split('\n').length - 1); // stack traces keep their lines
      return `import { ${kept.join(', ')} } from '${from}'; ${inlined.join(' ')}${lines}`;
    });
  },
};

export default mergeConfig(project('fabric'), { plugins: [inlineConstants] });
