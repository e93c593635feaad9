/** Compiles src/ to dist/ and builds the page into dist/dashboard. Run by `npm ci` (prepare), so that a fresh clone is runnable at once. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build as buildPage } from 'vite';

const root = dirname(import.meta.dirname);

async function compile(): Promise<boolean> {
  const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const child = spawn(process.execPath, [compiler, '--project', join(root, 'tsconfig.build.json')], {
    stdio: 'inherit',
    cwd: root,
  });
  const [status] = (await once(child, 'exit')) as [number | null];
  return status === 0;
}

rmSync(join(root, 'dist'), { recursive: true, force: true });
const [compiled] = await Promise.all([
  compile(),
  buildPage({ configFile: join(root, 'src/dashboard/vite.config.ts') }),
]);
if (!compiled) process.exit(1);
chmodSync(join(root, 'dist/cli/main.js'), 0o755);
