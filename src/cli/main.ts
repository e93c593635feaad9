#!/usr/bin/env node
/**
 * Checks the runtime before anything is loaded that needs it: on an older Node the program's own modules would
 * fail with a syntax or import error that tells the user nothing.
 */
const OLDEST_MAJOR = 24;
const major = Number.parseInt(process.versions.node, 10);
if (major < OLDEST_MAJOR) {
  process.stderr.write(
    `htmengine needs Node.js ${OLDEST_MAJOR} or newer, this is ${process.versions.node}: install it, or run "npm i node@${OLDEST_MAJOR}" and "npx htmengine"\n`,
  );
  process.exit(1);
}
// Whoever reads may stop, as `head` does: that is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
const { run } = await import('./program.ts');
await run(process.argv);

export {};
