import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Engine } from 'htmengine';
import { EngineClient } from 'htmengine/client';
import { CALM_DAYS, City, secondOf, STEPS_PER_DAY } from './city.ts';
import { feed } from './feeder.ts';
import {
  falseAlarmsPerDay,
  type Findings,
  findingsOf,
  medianDelayMinutes,
  recall,
  type Span,
  spansOf,
  together,
} from './findings.ts';
import { ROUTES } from './routes.ts';
import { simulated } from './source.ts';

/** Has models learn so many simulated cities, and prints how many of the planted incidents they found. */
export async function report(seeds: number, days: number, isJson: boolean): Promise<void> {
  const all: Findings[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    process.stderr.write(`seed ${seed}: ${ROUTES.length} routes, ${days} days\n`);
    all.push(await findingsOfSeed(seed, days));
  }
  const whole = together(all);
  if (isJson)
    process.stdout.write(
      `${JSON.stringify({ days, seeds: all.map(figuresOf), together: figuresOf(whole) })}\n`,
    );
  else process.stdout.write(tableOf(all, whole));
}

/** One city, in an engine of its own that is thrown away. */
export async function findingsOfSeed(seed: number, days: number): Promise<Findings> {
  const directory = await mkdtemp(join(tmpdir(), 'traffic-report-'));
  const engine = new Engine({
    dataDirectory: directory,
    api: { port: 0 },
    listener: { graphite: { enabled: false } },
    log: { level: 'warn' },
  });
  await engine.start();
  try {
    const client = new EngineClient(`http://127.0.0.1:${String(engine.addresses.http?.port)}`);
    const history = new AbortController();
    const source = simulated({ seed, historyDays: days, speedUp: 1 });
    // Ends when the history is sent: nothing follows in real time.
    await feed(
      { ...source, batches: () => untilLive(source.batches(history.signal), days, history) },
      client,
      history.signal,
    );
    const spans = await allSpans(client, days * STEPS_PER_DAY);
    const planted = new City(seed, days).planted;
    return findingsOf(planted, spans, secondOf(CALM_DAYS * STEPS_PER_DAY), secondOf(days * STEPS_PER_DAY));
  } finally {
    await engine.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function* untilLive<T extends readonly { readonly timestamp?: number }[]>(
  batches: AsyncGenerator<T>,
  days: number,
  end: AbortController,
): AsyncGenerator<T> {
  const last = secondOf(days * STEPS_PER_DAY - 1);
  for await (const batch of batches) {
    yield batch;
    if ((batch.at(-1)?.timestamp ?? 0) >= last) break;
  }
  end.abort();
}

async function allSpans(client: EngineClient, rows: number): Promise<Span[]> {
  const spans: Span[] = [];
  for (const { id } of ROUTES) {
    while ((await client.metric(id)).scoredRows < rows) await delay(250);
    const scored = [];
    for await (const page of client.rowPages(id, {})) scored.push(...page);
    spans.push(...spansOf(id, scored));
  }
  return spans;
}

function figuresOf(findings: Findings) {
  return {
    planted: findings.planted,
    found: findings.found,
    recall: recall(findings),
    falseAlarms: findings.falseAlarms,
    falseAlarmsPerDay: falseAlarmsPerDay(findings),
    medianDelayMinutes: medianDelayMinutes(findings),
  };
}

function tableOf(all: readonly Findings[], whole: Findings): string {
  const row = (title: string, findings: Findings) => {
    const { planted, found, falseAlarms } = findings;
    const delay = medianDelayMinutes(findings);
    return `| ${[
      title,
      planted,
      found,
      `${Math.round(100 * recall(findings))} %`,
      falseAlarms,
      falseAlarmsPerDay(findings).toFixed(2),
      delay === null ? '-' : `${delay} min`,
    ].join(' | ')} |\n`;
  };
  return [
    '| seed | planted | found | recall | false alarms | per day, all routes | median delay |\n',
    '|---|---|---|---|---|---|---|\n',
    ...all.map((findings, i) => row(String(i + 1), findings)),
    row('together', whole),
  ].join('');
}
