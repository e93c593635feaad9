import { once } from 'node:events';
import type { ConfigInput } from '../config.ts';
import { Engine } from '../engine.ts';
import { loadConfig } from './settings.ts';

/** Flags of `htmengine up`. */
export interface UpOptions {
  readonly config?: string;
  readonly dataDir?: string;
  readonly httpPort?: number;
  readonly graphitePort?: number;
  readonly autoMonitor?: boolean;
  readonly collectHost?: boolean;
  readonly logLevel?: NonNullable<ConfigInput['log']>['level'];
}

/** Runs the engine until a signal asks it to stop; a second signal ends the process at once. */
export async function up(options: UpOptions): Promise<void> {
  const engine = new Engine(loadConfig(options.config, flagSettings(options)));
  // A signal that comes while the engine starts counts, so listen before starting.
  const asked = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), engine.failed]);
  await engine.start();
  process.stdout.write(greeting(engine));

  const outcome = await asked;
  const atOnce = () => process.exit(1);
  process.once('SIGINT', atOnce).once('SIGTERM', atOnce);
  if (outcome instanceof Error) {
    process.stderr.write(`htmengine: ${outcome.message}\n`);
    process.exitCode = 1;
  } else {
    process.stdout.write('Stopping: finishing what was begun (a second signal ends at once)\n');
  }
  await engine.stop();
  process.off('SIGINT', atOnce).off('SIGTERM', atOnce);
}

function flagSettings(options: UpOptions): ConfigInput {
  return {
    ...(options.dataDir !== undefined && { dataDirectory: options.dataDir }),
    ...(options.httpPort !== undefined && { api: { port: options.httpPort } }),
    ...(options.graphitePort !== undefined && { listener: { graphite: { port: options.graphitePort } } }),
    ...(options.autoMonitor !== undefined && { monitoring: { auto: options.autoMonitor } }),
    ...(options.collectHost !== undefined && { collector: { host: options.collectHost } }),
    ...(options.logLevel !== undefined && { log: { level: options.logLevel } }),
  };
}

function greeting(engine: Engine): string {
  const { http, graphite } = engine.addresses;
  const lines = ['HTM Engine is running.'];
  if (graphite !== null)
    lines.push(`  Graphite   ${graphite.host}:${graphite.port} (TCP, lines of "name value timestamp")`);
  lines.push(
    `  HTTP       http://${http.host}:${http.port}`,
    `  Data       ${engine.config.dataDirectory}`,
    '',
    'Try:',
    `  curl http://${http.host}:${http.port}/api/v1/metrics`,
  );
  if (graphite !== null)
    lines.push(`  echo "my.metric 42 $(date +%s)" > /dev/tcp/${graphite.host}/${graphite.port}`);
  lines.push(
    `  curl -X PUT -d '{"min":0,"max":100}' http://${http.host}:${http.port}/my.metric`,
    `  curl http://${http.host}:${http.port}/my.metric`,
    '',
  );
  return `${lines.join('\n')}\n`;
}
