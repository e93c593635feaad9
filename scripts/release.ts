/**
 * Makes the files of a release: `npm run release -- DIRECTORY` (docs/releasing.md). The package, what is in it
 * (CycloneDX), and the checksums of both; then asks the registry what it knows against the production dependencies.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { version } from '../src/version.ts';

const ROOT = join(import.meta.dirname, '..');
const npm = (...args: string[]) => execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8' });

const [directory] = process.argv.slice(2);
if (directory === undefined) fail('usage: npm run release -- DIRECTORY', 2);
const out = resolve(directory);
const section = `## ${version()}`;
if (!readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8').includes(`\n${section}`))
  fail(`CHANGELOG.md has no section "${section}"`, 1);

mkdirSync(out, { recursive: true });
const [{ filename, size, unpackedSize }] = JSON.parse(
  npm('pack', '--ignore-scripts', '--json', '--pack-destination', out),
) as [{ filename: string; size: number; unpackedSize: number }];
tell(filename, `${kilobytes(size)}, ${kilobytes(unpackedSize)} unpacked`);

const bill = JSON.parse(
  npm('sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev', '--package-lock-only'),
) as {
  metadata: { component: { name: string } };
  components: { licenses?: { license?: { id?: string }; expression?: string }[] }[];
};
// npm takes it from the name of the directory.
bill.metadata.component.name = 'htmengine';
const billFile = `htmengine-${version()}.cdx.json`;
writeFileSync(join(out, billFile), `${JSON.stringify(bill, null, 2)}\n`);
const licences = bill.components.map(
  ({ licenses = [] }) =>
    licenses.map((one) => one.license?.id ?? one.expression).join(' or ') || 'none stated',
);
tell(billFile, `${bill.components.length} production dependencies: ${counted(licences)}`);

const sums = [filename, billFile].map((file) => {
  const hash = createHash('sha256').update(readFileSync(join(out, file)));
  return `${hash.digest('hex')}  ${file}\n`;
});
writeFileSync(join(out, 'SHA256SUMS'), sums.join(''));
tell('SHA256SUMS', '');

const audit = spawnSync('npm', ['audit', '--omit', 'dev'], { cwd: ROOT, encoding: 'utf8' });
const answered = !/audit endpoint returned an error/.test(audit.stderr);
tell('npm audit', answered ? audit.stdout.trim() : 'the registry does not answer such questions: not known');
if (answered && audit.status !== 0) process.exitCode = 1;

function counted(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([word, count]) => `${count} ${word}`)
    .join(', ');
}

function kilobytes(bytes: number): string {
  return `${Math.round(bytes / 1000)} kB`;
}

function tell(what: string, about: string): void {
  process.stdout.write(`${what}${about === '' ? '' : `: ${about}`}\n`);
}

function fail(message: string, code: number): never {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}
