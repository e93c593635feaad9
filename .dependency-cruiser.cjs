/** Dependencies point one way: cli -> engine -> stages -> {monitoring, metric, seams}; stages never import each other. */
const stages = 'listener|storer|scheduler|anomaly|publishing|retention|collector|api';
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'htm-stands-alone',
      comment: 'The algorithms import nothing outside themselves: no I/O, no clock, no engine.',
      severity: 'error',
      from: { path: '^src/htm/', pathNot: '\\.test\\.ts$|^src/htm/testing/' },
      to: { pathNot: '^src/htm/' },
    },
    {
      name: 'stages-never-import-each-other',
      severity: 'error',
      from: { path: `^src/(${stages})/` },
      to: { path: `^src/(${stages})/`, pathNot: '^src/$1/' },
    },
    {
      name: 'stages-do-not-import-what-composes-them',
      severity: 'error',
      from: { path: `^src/(${stages}|monitoring|store|bus|checkpoints)/` },
      to: { path: '^src/(engine|services|ground|edges|roles|cli/|index)' },
    },
    {
      name: 'only-scheduler-anomaly-and-monitoring-know-htm',
      severity: 'error',
      from: { path: '^src/(listener|storer|publishing|retention|collector|api|store|bus|checkpoints)/' },
      to: { path: '^src/htm/' },
    },
    {
      name: 'adapters-only-in-the-composition-root',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot:
          '^src/(open-store|open-bus)\\.ts$|^src/store/(sqlite|sql|server|mysql|postgres)/|^src/bus/(memory|rabbitmq)/|^src/checkpoints/(filesystem|s3)/',
      },
      to: {
        path: '^src/store/(sqlite|sql|server|mysql|postgres)/|^src/bus/(memory|rabbitmq)/|^src/checkpoints/(filesystem|s3)/',
      },
    },
    {
      name: 'the-page-talks-to-the-http-api-only',
      comment: 'It runs in a browser: its own modules, what is bundled with them, and what scores a file.',
      severity: 'error',
      from: { path: '^src/dashboard/', pathNot: '/vite\\.config\\.ts$' },
      to: {
        pathNot:
          '^src/(dashboard|csv|detect)/|^src/generation\\.ts$|^node_modules/(preact|@preact/signals|uplot)/|^(node_modules/)?eventsource-parser',
      },
    },
    {
      name: 'nothing-imports-the-page',
      severity: 'error',
      from: { pathNot: '^src/dashboard/' },
      to: { path: '^src/dashboard/' },
    },
    {
      name: 'seams-know-no-adapter-or-stage',
      severity: 'error',
      from: { path: '^src/(store|bus|checkpoints)/' },
      to: { path: `^src/(${stages}|monitoring)/` },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '\\.test\\.ts$' },
    enhancedResolveOptions: { extensions: ['.ts', '.tsx'] },
  },
};
