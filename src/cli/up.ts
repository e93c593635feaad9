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
  readonly demo?: boolean;
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
    collector: {
      ...(options.collectHost !== undefined && { host: options.collectHost }),
      ...(options.demo !== undefined && { demo: options.demo }),
    },
    ...(options.logLevel !== undefined && { log: { level: options.logLevel } }),
  };
}

function greeting({ addresses: { http, graphite }, config }: Engine): string {
  const lines = ['HTM Engine is running.'];
  const examples: string[] = [];
  if (graphite !== null) {
    lines.push(`  Graphite   ${graphite.host}:${graphite.port} (TCP, lines of "name value timestamp")`);
    examples.push(`  echo "my.metric 42 $(date +%s)" > /dev/tcp/${graphite.host}/${graphite.port}`);
  }
  if (http !== null) {
    const url = `http://${http.host}:${http.port}`;
    lines.push(`  HTTP       ${url}`);
    // Where metrics are monitored by themselves a second request to monitor one would be refused.
    if (!config.monitoring.auto) examples.push(`  curl -X PUT -d '{"min":0,"max":100}' ${url}/my.metric`);
    examples.push(`  curl ${url}/my.metric`, `  curl ${url}/api/v1/metrics`);
  }
  lines.push(`  Data       ${config.dataDirectory}`);
  return `${[...lines, '', 'Try:', ...examples].join('\n')}\n`;
}
