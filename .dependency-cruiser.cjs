// The directions of docs/architecture.md, section 2, as law. Rights are transitive: what a room may use includes what
// those rooms may use. Every room may use `checks`. A new room needs a line here before it compiles in CI.
const fs = require('node:fs');
const path = require('node:path');

/** What each room may use directly. */
const direct = {
  checks: [],
  hardware: [],
  fabric: ['hardware'],
  program: ['hardware'],
  collectives: ['program'],
  gemm: ['program', 'collectives'],
  attention: ['program', 'collectives'],
  moe: ['program', 'collectives', 'gemm'],
  arrow: [],
  traces: ['arrow'],
  scenario: ['hardware'],
  engine: ['fabric', 'program'],
  cluster: ['engine'],
  inference: ['scenario', 'attention', 'gemm', 'moe', 'traces'],
  results: ['hardware', 'arrow'],
  validation: ['scenario', 'results'],
  optimizer: ['collectives', 'gemm', 'attention', 'moe', 'engine'],
};

/** What an app may use of the packages; an app that is not named may use them all. */
const appRights = { viewer: ['results'] };

function reach(rooms) {
  const reached = new Set(['checks']);
  const visit = (room) => {
    if (reached.has(room)) return;
    reached.add(room);
    direct[room].forEach(visit);
  };
  rooms.forEach(visit);
  return [...reached].sort();
}

const anyOf = (names) => `(${names.join('|')})`;
const tests = '(\\.test\\.ts|\\.bench\\.ts|/vitest\\.config\\.ts)$|^(packages|apps)/[^/]+/src/testing/';
const rooms = Object.keys(direct);

const directions = rooms.map((room) => ({
  name: `${room}-direction`,
  comment: `${room} may use only ${reach(direct[room]).join(', ')} (docs/architecture.md, section 2).`,
  severity: 'error',
  from: { path: `^packages/${room}/` },
  to: { path: '^packages/', pathNot: `^packages/${anyOf([...new Set([room, ...reach(direct[room])])])}/` },
}));

const appDirections = Object.entries(appRights).map(([app, rights]) => ({
  name: `${app}-direction`,
  comment: `The app ${app} may use only ${reach(rights).join(', ')} (docs/architecture.md, section 2).`,
  severity: 'error',
  from: { path: `^apps/${app}/` },
  to: { path: '^packages/', pathNot: `^packages/${anyOf(reach(rights))}/` },
}));

/** Build order and installation follow package.json, so an import of a neighbour must be declared there: [folder, declared folders]. */
const declared = ['packages', 'apps'].flatMap((kind) => {
  const folders = fs.existsSync(kind) ? fs.readdirSync(kind) : [];
  return folders.filter((folder) => fs.existsSync(path.join(kind, folder, 'package.json'))).map((folder) => {
    const { dependencies = {} } = JSON.parse(fs.readFileSync(path.join(kind, folder, 'package.json'), 'utf8'));
    const names = Object.keys(dependencies).filter((name) => name.startsWith('@kerf/')).map((name) => name.slice('@kerf/'.length));
    return [`${kind}/${folder}`, names];
  });
});

const declarations = declared.map(([folder, names]) => ({
  name: `${folder.replace('/', '-')}-declares`,
  comment: `${folder} imports a package of Kerf that its package.json does not list under "dependencies".`,
  severity: 'error',
  from: { path: `^${folder}/src/`, pathNot: tests },
  to: { path: '^(packages|apps)/', pathNot: [`^${folder}/`, `^(packages|apps)/${anyOf([...names, '-'])}/`] },
}));

module.exports = {
  forbidden: [
    {
      name: 'no-cycle',
      comment: 'Files in a circle cannot be read, tested or moved one by one; types count too.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'known-room',
      comment: 'A package without rights in .dependency-cruiser.cjs and docs/architecture.md.',
      severity: 'error',
      from: { path: `^packages/(?!${anyOf(rooms)}/)` },
      to: {},
    },
    ...directions,
    ...appDirections,
    ...declarations,
    {
      name: 'no-deep-import',
      comment: 'Another package is used through its index only: src/index.ts, by its name.',
      severity: 'error',
      from: { path: '^(packages|apps)/([^/]+)/' },
      to: { path: '^(packages|apps)/[^/]+/', pathNot: ['^$1/$2/', '^(packages|apps)/[^/]+/src/index\\.ts$'] },
    },
    {
      name: 'no-deep-import-from-tests',
      comment: 'What several packages show together, they show through their indexes.',
      severity: 'error',
      from: { path: '^test/' },
      to: { path: '^packages/[^/]+/', pathNot: '^packages/[^/]+/src/index\\.ts$' },
    },
    {
      name: 'packages-know-no-apps',
      severity: 'error',
      from: { path: '^packages/' },
      to: { path: '^apps/' },
    },
    {
      name: 'node-knows-no-cli',
      comment: 'The command line starts node processes, not the other way round.',
      severity: 'error',
      from: { path: '^apps/node/' },
      to: { path: '^apps/(?!node/)' },
    },
    {
      name: 'packages-are-pure',
      comment: 'No files, sockets, clocks or environment in the sources of packages, except in the transports of cluster. Tests may.',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/', pathNot: ['^packages/cluster/src/transport/', tests] },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'sockets-in-transports-only',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/', pathNot: ['^packages/cluster/src/transport/', tests] },
      to: { path: '(^|/)node_modules/(@types/)?ws/' },
    },
    {
      name: 'arrow-in-one-room',
      comment: 'apache-arrow is spoken in packages/arrow only, so that every table is written in bounded memory. Tests may read with it.',
      severity: 'error',
      from: { path: '^(packages|apps)/(?!arrow/)', pathNot: tests },
      to: { path: '(^|/)node_modules/apache-arrow/' },
    },
    {
      name: 'declared-dependencies',
      comment: 'What a package imports stands under "dependencies" in its own package.json: it must work where only that is installed.',
      severity: 'error',
      from: { path: '^(packages|apps)/[^/]+/src/', pathNot: tests },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-dev', 'npm-optional', 'npm-unknown'] },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: { path: '^((packages|apps)/[^/]+/src|test)/' },
      to: { couldNotResolve: true },
    },
    {
      name: 'sources-import-no-tests',
      severity: 'error',
      from: { path: '^(packages|apps)/', pathNot: tests },
      to: { path: ['\\.test\\.ts$', '\\.bench\\.ts$', '/src/testing/', '^test/'] },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '(^|/)dist/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: path.join(__dirname, 'tsconfig.base.json') },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@kerf/source', 'import', 'node', 'types', 'default'],
      extensions: ['.ts', '.mts', '.js', '.mjs', '.cjs', '.json', '.d.ts'],
    },
  },
};
