import { setTimeout as delay } from 'node:timers/promises';
import { HtmEngineError } from '../../errors.ts';
import { EngineClient } from '../../client/engine-client.ts';
import type { PassJson, RetentionJson } from '../../client/types.ts';
import { perform, type ActionOptions } from '../metrics/actions.ts';
import { Output } from '../terminal/output.ts';
import { ageText, countText } from '../terminal/text.ts';
import { UsageError } from '../usage-error.ts';

export interface RetentionOptions {
  readonly url: string;
  readonly token?: string;
  readonly json?: boolean;
}

export interface AgeOptions extends ActionOptions {
  readonly days?: number;
  readonly keep?: boolean;
  readonly default?: boolean;
}

const DAY_SECONDS = 86_400;
const POLL_MS = 100;

/** Why rows that are too old stay, for people. */
const KEEPERS: Readonly<Record<keyof PassJson['keptBy'], string>> = {
  scoring: 'rows wait to be scored',
  checkpoints: 'the two saved models are not past them',
  likelihood: 'the likelihood looks back over them',
  cursor: 'a consumer has not had them',
  last_row: "a metric's last row always stays",
  state: 'the metric waits for rows, or was monitored anew meanwhile',
};

/** Says how long rows are kept and what the last pass did. */
export async function status(options: RetentionOptions): Promise<void> {
  const retention = await new EngineClient(options.url, options).retention();
  await tell(options, retention, statusText(retention));
}

/** Purges what is too old, waiting for the end. */
export async function run(options: RetentionOptions): Promise<void> {
  const client = new EngineClient(options.url, options);
  let answer = await client.beginPurge();
  while (answer.running) {
    await delay(POLL_MS);
    answer = await client.retention();
  }
  const { failure, lastPass } = answer;
  if (failure !== null || lastPass === null)
    throw new HtmEngineError('engine_refused', `purging failed: ${failure ?? 'the engine was stopped'}`);
  await tell(options, lastPass, passText(lastPass));
}

/** Gives each metric an age of its own, or takes it away. */
export async function setAge(args: readonly string[], options: AgeOptions): Promise<void> {
  const { days, keep, default: giveBack } = options;
  if ([days, keep, giveBack].filter((given) => given !== undefined).length !== 1)
    throw new UsageError('give one of --days, --keep and --default');
  const maxAgeSeconds = days !== undefined ? Math.round(days * DAY_SECONDS) : keep === true ? 0 : null;
  await perform(args, options, {
    run: async (client, name) => {
      await client.setMaxAge(name, maxAgeSeconds);
      return maxAgeSeconds === null
        ? "rows are kept as long as the engine's setting says"
        : ageSentence(maxAgeSeconds);
    },
  });
}

async function tell(options: RetentionOptions, answer: object, text: string): Promise<void> {
  await Output.toStandardOutput().write(
    options.json === true ? `${JSON.stringify(answer, null, 2)}\n` : text,
  );
}

function statusText({ maxAgeSeconds, running, lastPass }: RetentionJson): string {
  const lines = [`By default ${ageSentence(maxAgeSeconds)}.`];
  if (running) lines.push('A pass is running.');
  if (lastPass === null) return `${lines.join('\n')}\nNo pass yet since the engine started.\n`;
  lines.push(`The last pass ended ${ageText(lastPass.finishedAt, Date.now() / 1000)}.`);
  return `${lines.join('\n')}\n${passText(lastPass)}`;
}

function passText(pass: PassJson): string {
  const lines = [`${countText(pass.purgedRows, 'row')} purged of ${countText(pass.metrics, 'metric')}.`];
  if (pass.droppedCursors > 0)
    lines.push(`${countText(pass.droppedCursors, 'cursor')} dropped: the log names the consumers.`);
  for (const keeper of Object.keys(KEEPERS) as (keyof PassJson['keptBy'])[]) {
    const metrics = pass.keptBy[keeper];
    if (metrics > 0) lines.push(`Old rows of ${countText(metrics, 'metric')} stay: ${KEEPERS[keeper]}.`);
  }
  return `${lines.join('\n')}\n`;
}

function ageSentence(maxAgeSeconds: number): string {
  if (maxAgeSeconds === 0) return 'rows are kept for ever';
  const days = maxAgeSeconds / DAY_SECONDS;
  return `rows are kept for ${countText(Number(days.toFixed(3)), 'day')}`;
}
