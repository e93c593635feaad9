/** Compiles src/ to dist/. Run by `npm ci` (prepare), so that a fresh clone is runnable at once. */
import { spawnSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const root = dirname(import.meta.dirname);
const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
rmSync(join(root, 'dist'), { recursive: true, force: true });
const { status } = spawnSync(process.execPath, [compiler, '--project', join(root, 'tsconfig.build.json')], {
  stdio: 'inherit',
  cwd: root,
});
if (status !== 0) process.exit(1);
chmodSync(join(root, 'dist/cli/main.js'), 0o755);
