import { ruleOf, SECTIONS, type Setting, SETTINGS } from '../src/config/settings.ts';

const INTRODUCTION = `# Configuration

<!-- Made from the schema (src/config.ts) by "npm run docs": change it there. -->

Nothing needs to be configured. What is, comes from five places; each wins over those after it:

1. **flags** of \`htmengine up\`, for what is changed most: \`--port 2004\`
2. **environment variables**, one for every setting: \`HTMENGINE_LISTENER_GRAPHITE_PORT=2004\`. An empty one counts as not set.
3. **a file** (YAML), named by \`--config FILE\` or \`HTMENGINE_CONFIG\`
4. a **configuration of the original htmengine's**, if \`APPLICATION_CONFIG_PATH\` names its directory ([migrating](migrating.md))
5. the **defaults** below

\`\`\`yaml
# htmengine.yaml
dataDirectory: \${HOME}/htmengine
listener:
  graphite:
    host: \${LISTEN_ON:-127.0.0.1}
    port: 2003
scheduler:
  memoryBudgetBytes: 1073741824
\`\`\`

In the file, \`\${NAME}\` is the value of an environment variable and \`\${NAME:-default}\` has a default for one that is not set or empty; a
variable that is not set and has no default is an error. \`$\${\` is a literal \`\${\`. The result is read as if it stood in the file: \`port: \${PORT}\`
is a number.

\`htmengine check-config\` takes the same flags, prints what is in force and where each value comes from, and everything that is wrong; nothing is started. It exits with 1 if anything
is wrong. A name that does not exist is an error too, with the one that was probably meant. Secrets are never printed.
\`htmengine check-config --schema\` prints a JSON Schema: with it beside the file and \`# yaml-language-server: $schema=./htmengine.schema.json\` as its first line, editors complete and check.

A running engine reads its settings again on SIGHUP, and when the file (or \`api.tokensFile\`) has changed, within 10 s: if anything is wrong, nothing changes and the log says why
(\`config.reload_refused\`); else the settings that say "changes while running" are in force, and the log names those that need a restart (\`config.reloaded\`).

In Kubernetes a service named \`htmengine-api\` would put a variable \`HTMENGINE_API_PORT=tcp://...\` into every pod; set \`enableServiceLinks: false\` or name it
otherwise.
`;

/** docs/configuration.md, made from the schema. */
export function configurationPage(): string {
  const sections = SECTIONS.map(({ path, description }) => {
    const settings = SETTINGS.filter((setting) => sectionOf(setting.path) === path);
    if (settings.length === 0) return '';
    const heading = path === '' ? '## All settings' : `## ${path}\n\n${description}`;
    return [heading, settings.map(settingText).join('\n\n')].join('\n\n');
  });
  return `${[INTRODUCTION.trim(), ...sections.filter((text) => text !== '')].join('\n\n')}\n`;
}

function settingText(setting: Setting): string {
  const { path, description, variable, flag, live, secret } = setting;
  const facts = [
    typeText(setting),
    `default ${defaultText(setting)}`,
    `\`${variable}\``,
    ...(flag === null ? [] : [`\`${flag}\``]),
    ...(live ? ['changes while running'] : []),
    ...(secret ? ['secret: never printed'] : []),
  ];
  return `**\`${path}\`** ${description}<br>\n${facts.join(' · ')}`;
}

function typeText(setting: Setting): string {
  const { choices } = setting;
  return choices === null
    ? (ruleOf(setting) ?? 'a list')
    : choices.map((choice) => `\`${choice}\``).join(', ');
}

function defaultText(setting: Setting): string {
  if (setting.defaultText !== null) return setting.defaultText;
  return setting.default === undefined
    ? 'none'
    : `\`${JSON.stringify(setting.default).replaceAll('"', '')}\``;
}

function sectionOf(path: string): string {
  return path.split('.').slice(0, -1).join('.');
}
