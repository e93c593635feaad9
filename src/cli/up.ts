import { once } from 'node:events';
import { hostAndPort, localUrl, reachableHost } from '../address.ts';
import { watchFiles } from '../config/reloading.ts';
import { type CommandLineSettings, loadConfig, problemText, resolveSettings } from '../config/resolve.ts';
import { Engine } from '../engine.ts';
import { ALL_ROLES, isComplete, parseRoles, type Role, roleDefaults } from '../roles.ts';
import { type ConfigOptions, commandLineSettings } from './config-options.ts';

/** How often files of settings are looked at. */
const POLL_MS = 10_000;

/** Runs the engine, or its services of some roles, until a signal asks it to stop; a second signal ends the process at once. */
export async function up(
  options: ConfigOptions,
  roles: ReadonlySet<Role> = typeof options.roles === 'string' ? parseRoles(options.roles) : ALL_ROLES,
): Promise<void> {
  const given = settingsOf(options, roles);
  const engine = new Engine(loadConfig(given), roles);
  for (const note of resolveSettings(given).notes) process.stderr.write(`htmengine: ${problemText(note)}\n`);
  // A signal that comes while the engine starts counts, so listen before starting.
  const asked = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), engine.failed]);
  await engine.start();
  process.stdout.write(isComplete(roles) ? greeting(engine) : shortGreeting(engine, roles));
  const stopReloading = reloadOnRequest(engine, given);

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

/** A process of one role has defaults of its own. */
function settingsOf(options: ConfigOptions, roles: ReadonlySet<Role>): CommandLineSettings {
  const given = commandLineSettings(options);
  const [role] = roles;
  return roles.size === 1 && role !== undefined ? { ...given, defaults: roleDefaults(role) } : given;
}

/** Reads the settings again on SIGHUP, and when a file they come from has changed. @returns what ends that */
function reloadOnRequest(engine: Engine, given: CommandLineSettings): () => void {
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

/** Of a process that shares the work with others. */
function shortGreeting({ addresses, config }: Engine, roles: ReadonlySet<Role>): string {
  const lines = [`HTM Engine is running: ${[...roles].join(', ')}.`];
  const { graphite, http, health } = addresses;
  if (graphite !== null) lines.push(`  Graphite   ${hostAndPort(graphite)}`);
  if (http !== null) lines.push(`  HTTP       ${localUrl(http, config.api.tlsCertFile !== '')}`);
  if (health !== null) lines.push(`  Health     http://${hostAndPort(health)}/healthz, /readyz, /metrics`);
  return `${lines.join('\n')}\n`;
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
    const url = localUrl(http, config.api.tlsCertFile !== '');
    lines.push(`  HTTP       ${url}`);
    // Where metrics are monitored by themselves a second request to monitor one would be refused.
    if (!config.monitoring.auto) examples.push(`  curl -X PUT -d '{"min":0,"max":100}' ${url}/my.metric`);
    examples.push(`  curl ${url}/my.metric`, `  curl ${url}/api/v1/metrics`);
  }
  lines.push(`  Data       ${config.dataDirectory}`);
  if (config.collector.demo) {
    lines.push('  Demo       metrics demo.* are being made; "htmengine demo remove" takes them away again');
    if (http !== null)
      examples.push(`  htmengine metrics list --url ${localUrl(http, config.api.tlsCertFile !== '')}`);
  }
  return `${[...lines, '', 'Try:', ...examples].join('\n')}\n`;
}
