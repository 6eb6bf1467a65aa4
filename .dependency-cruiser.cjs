// The floors of ARCHITECTURE.md as rules: a folder may import only what stands below it.
const pure = ['schedulers', 'tokenizer', 'weights', 'images', 'metrics', 'network', 'files', 'random'];
const floors = {
  runtime: [],
  graph: ['runtime'],
  nn: ['graph', 'runtime'],
  inspect: ['graph', 'runtime', 'engine', 'weights'],
  engine: ['nn', 'graph', 'runtime', 'weights'],
  models: ['engine', 'nn', 'graph', 'runtime', ...pure],
  pipelines: ['models', 'engine', 'nn', 'graph', 'runtime', 'inspect', ...pure],
  faces: ['pipelines', 'models', 'engine', 'nn', 'graph', 'runtime', ...pure],
  language: ['runtime', ...pure],
  datasets: ['language', ...pure],
  hub: ['inspect', ...pure],
  training: ['datasets', 'pipelines', 'models', 'engine', 'nn', 'graph', 'runtime', 'inspect', ...pure],
  builders: ['datasets', 'faces', 'language', 'pipelines', 'files', 'images', 'schedulers', 'weights'],
  evaluation: [
    'training',
    'faces',
    'datasets',
    'pipelines',
    'models',
    'engine',
    'nn',
    'graph',
    'runtime',
    'inspect',
    ...pure,
  ],
  jobs: ['pipelines', 'models', 'engine', 'nn', 'graph', 'runtime', ...pure],
  server: ['jobs', 'datasets', 'pipelines', 'models', 'runtime', ...pure],
  cli: [
    'server',
    'jobs',
    'hub',
    'evaluation',
    'builders',
    'training',
    'faces',
    'datasets',
    'language',
    'pipelines',
    'models',
    'engine',
    'nn',
    'graph',
    'runtime',
    'inspect',
    ...pure,
  ],
};
for (const name of pure) floors[name] = [];
floors.schedulers = ['random'];
floors.weights = ['files'];

module.exports = {
  forbidden: [
    {name: 'no-circular', severity: 'error', from: {}, to: {circular: true}},
    {name: 'no-unresolved', severity: 'error', from: {}, to: {couldNotResolve: true}},
    ...Object.entries(floors).map(([folder, below]) => ({
      name: `floor-${folder}`,
      comment: `lib/${folder} may import only from the floors below it: ${below.join(', ') || 'errors.ts'}`,
      severity: 'error',
      from: {path: `^lib/${folder}/`},
      to: {
        path: '^lib/',
        pathNot: [`^lib/(${[folder, ...below].join('|')})/`, '^lib/errors\\.ts$'],
      },
    })),
    {
      name: 'graph-takes-types-from-runtime',
      comment: 'graph tests run with no addon built; dtype.ts is a plain table',
      severity: 'error',
      from: {path: '^lib/(graph|nn)/'},
      to: {path: '^lib/runtime/', pathNot: '^lib/runtime/dtype\\.ts$', dependencyTypesNot: ['type-only']},
    },
    {
      name: 'index-is-for-users',
      severity: 'error',
      from: {path: '^lib/', pathNot: '^lib/index\\.ts$'},
      to: {path: '^lib/index\\.ts$'},
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: {fileName: 'tsconfig.json'},
    doNotFollow: {path: 'node_modules'},
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'default'],
    },
  },
};
