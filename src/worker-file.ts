/**
 * The URL of a worker's file beside the calling module: `.ts` when the sources run as they are (tests), `.js` in
 * the built package.
 */
export function workerFile(moduleUrl: string, name: string): URL {
  return new URL(`./${name}${moduleUrl.endsWith('.ts') ? '.ts' : '.js'}`, moduleUrl);
}
