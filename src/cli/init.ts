import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { HtmEngineError } from '../errors.ts';
import { UsageError } from './usage-error.ts';

/** What can be laid down, each as it lies in `examples`. */
const EXAMPLES = ['skeleton', 'traffic'] as const;

export interface InitOptions {
  readonly example: string;
  /** As npm takes it: a version, or where a package lies. */
  readonly dependency?: string;
}

/** This package, whose `examples` are laid down. */
const PACKAGE = join(import.meta.dirname, '../..');
const PACK_TIMEOUT_MS = 120_000;
/** What may lie in the directory already. */
const HARMLESS = new Set(['.git', '.gitignore', 'LICENSE']);

/** Lays an application down, with a package.json that finds this very program. @throws UsageError */
export async function init(directory: string, { dependency, example }: InitOptions): Promise<void> {
  if (!EXAMPLES.some((known) => known === example)) {
    throw new UsageError(`there is no example "${example}": give one of ${EXAMPLES.join(', ')}`);
  }
  const target = resolve(directory);
  await mkdir(target, { recursive: true });
  const there = (await readdir(target)).filter((name) => !HARMLESS.has(name));
  if (there.length > 0) {
    throw new UsageError(
      `${directory} is not empty (it has ${there[0] ?? ''}): name a directory that is empty or not there yet`,
    );
  }
  const spec = dependency ?? `file:${await pack(target)}`;
  await cp(join(PACKAGE, 'examples', example), target, { recursive: true, filter: isOfExample });
  await writeFile(join(target, '.gitignore'), 'node_modules\ndata\n');
  await describePackage(target, spec);
  process.stdout.write(
    `The application is in ${target}.\n\nNext:\n  cd ${directory}\n  npm install\n  npm start\n\nIts README.md says what else there is.\n`,
  );
}

/** Whoever has run an example in place has left data and packages there. */
function isOfExample(path: string): boolean {
  return !['data', 'node_modules'].includes(basename(path));
}

/** Packs this program as npm would publish it. @returns the file's name */
async function pack(target: string): Promise<string> {
  const args = ['pack', '--ignore-scripts', '--silent', '--pack-destination', target];
  try {
    const { stdout } = await promisify(execFile)('npm', args, { cwd: PACKAGE, timeout: PACK_TIMEOUT_MS });
    return stdout.trim().split('\n').at(-1) ?? '';
  } catch (error) {
    throw new HtmEngineError(
      'pack_failed',
      `npm could not pack this program (${error instanceof Error ? error.message : String(error)}): install npm, or say with --dependency where the package comes from`,
    );
  }
}

async function describePackage(target: string, spec: string): Promise<void> {
  const file = join(target, 'package.json');
  const described = JSON.parse(await readFile(file, 'utf8')) as {
    name: string;
    dependencies: Record<string, string>;
  };
  described.name = packageName(basename(target));
  described.dependencies['htmengine'] = spec;
  await writeFile(file, `${JSON.stringify(described, null, 2)}\n`);
}

/** A directory's name as npm accepts it for a package. */
function packageName(directory: string): string {
  const name = directory
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return name === '' || name === 'htmengine' ? 'my-htm-application' : name;
}
