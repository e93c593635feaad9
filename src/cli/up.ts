import { once } from 'node:events';
import { hostAndPort, reachableHost } from '../address.ts';
import { watchFiles } from '../config/reloading.ts';
import { loadConfig, problemText, resolveSettings } from '../config/resolve.ts';
import { Engine } from '../engine.ts';
import { type ConfigOptions, commandLineSettings } from './config-options.ts';

/** How often files of settings are looked at. */
const POLL_MS = 10_000;

/** Runs the engine until a signal asks it to stop; a second signal ends the process at once. */
export async function up(options: ConfigOptions): Promise<void> {
  const given = commandLineSettings(options);
  const engine = new Engine(loadConfig(given));
  for (const note of resolveSettings(given).notes) process.stderr.write(`htmengine: ${problemText(note)}\n`);
  // A signal that comes while the engine starts counts, so listen before starting.
  const asked = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), engine.failed]);
  await engine.start();
  process.stdout.write(greeting(engine));
  const stopReloading = reloadOnRequest(engine, options);

  const outcome = await asked;
  const atOnce = () => process.exit(1);
  process.once('SIGINT', atOnce).once('SIGTERM', atOnce);
  if (outcome instanceof Error) {
    process.stderr.write(`htmengine: ${outcome.message}\n`);
    process.exitCode = 1;
  } else {
    process.stdout.write('Stopping: finishing what was begun (a second signal ends at once)\n');
  }
  stopReloading();
  await engine.stop();
  process.off('SIGINT', atOnce).off('SIGTERM', atOnce);
}

/** Reads the settings again on SIGHUP, and when a file they come from has changed. @returns what ends that */
function reloadOnRequest(engine: Engine, options: ConfigOptions): () => void {
  const given = commandLineSettings(options);
  const reload = () => void engine.reload(() => loadConfig(given));
  const files = [resolveSettings(given).file, engine.config.api.tokensFile].filter(
    (file) => file !== null && file !== '',
  );
  process.on('SIGHUP', reload);
  const stopWatching = watchFiles(files as string[], POLL_MS, reload);
  return () => {
    process.off('SIGHUP', reload);
    stopWatching();
  };
}

function greeting({ addresses: { http, graphite }, config }: Engine): string {
  const lines = ['HTM Engine is running.'];
  const examples: string[] = [];
  if (graphite !== null) {
    const { transport } = config.listener.graphite;
    const name = { tcp: 'TCP', udp: 'UDP', both: 'TCP and UDP' }[transport];
    lines.push(`  Graphite   ${hostAndPort(graphite)} (${name}, lines of "name value timestamp")`);
    const device = transport === 'udp' ? 'udp' : 'tcp';
    examples.push(
      `  echo "my.metric 42 $(date +%s)" > /dev/${device}/${reachableHost(graphite.host)}/${graphite.port}`,
    );
  }
  if (http !== null) {
    const url = `http://${hostAndPort({ ...http, host: reachableHost(http.host) })}`;
    lines.push(`  HTTP       ${url}`);
    // Where metrics are monitored by themselves a second request to monitor one would be refused.
    if (!config.monitoring.auto) examples.push(`  curl -X PUT -d '{"min":0,"max":100}' ${url}/my.metric`);
    examples.push(`  curl ${url}/my.metric`, `  curl ${url}/api/v1/metrics`);
  }
  lines.push(`  Data       ${config.dataDirectory}`);
  if (config.collector.demo) {
    lines.push('  Demo       metrics demo.* are being made; "htmengine demo remove" takes them away again');
    if (http !== null) examples.push(`  htmengine metrics list --url http://${http.host}:${http.port}`);
  }
  return `${[...lines, '', 'Try:', ...examples].join('\n')}\n`;
}
