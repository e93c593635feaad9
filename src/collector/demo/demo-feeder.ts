import { hasCode } from '../../errors.ts';
import type { Intake } from '../../intake.ts';
import { MetricStatus, type Metric } from '../../metric.ts';
import type { Telemetry } from '../../telemetry.ts';
import { DEMO_SERIES, DEMO_STEP_SECONDS, demoValue, newestTime, type DemoSeries } from './demo-series.ts';

/** What the demo needs of the engine: the ways everybody's data take. */
export interface DemoServices {
  readonly intake: Intake;
  /** Monitors a metric that is created if need be. */
  readonly monitor: (spec: DemoSpec) => Promise<unknown>;
  readonly findMetric: (name: string) => Promise<Metric | null>;
  /** Time of the oldest stored row, epoch seconds; null without rows. */
  readonly firstTimestamp: (metricId: string) => Promise<number | null>;
  readonly telemetry: Telemetry;
  readonly nowSeconds: () => number;
  readonly series?: readonly DemoSeries[];
}

/** The spec of a demo metric; the mark in its user info tells it from other people's metrics. */
export interface DemoSpec {
  readonly metricSpec: { readonly metric: string; readonly unit: string; readonly userInfo: { demo: true } };
  readonly modelParams: { readonly min: number; readonly max: number };
}

const BATCH_ROWS = 500;
/** How soon what failed is tried again. */
const RETRY_MS = 5_000;

/**
 * Feeds made metrics in: first their history, then a row whenever one is due. It goes on where their rows end, so a
 * second start lays nothing down twice, and leaves alone what was removed meanwhile or is not marked as demo data.
 */
export class DemoFeeder {
  readonly #services: DemoServices;
  /** Those that are fed, with the time at which their history began. */
  readonly #fed = new Map<DemoSeries, number>();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #underWay: Promise<void> = Promise.resolve();

  constructor(services: DemoServices) {
    this.#services = services;
  }

  /** Begins in the background. */
  start(): void {
    this.#underWay = this.#begin(this.#services.series ?? DEMO_SERIES);
  }

  /** Ends; resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#underWay;
  }

  async #begin(missing: readonly DemoSeries[]): Promise<void> {
    const failed: DemoSeries[] = [];
    for (const series of missing) {
      if (this.#stopped) return;
      const begun = await this.#attempt(async () => {
        await this.#lay(series);
        await this.#feed(series);
      });
      if (!begun) failed.push(series);
    }
    if (failed.length > 0) this.#after(RETRY_MS, () => this.#begin(failed));
    else this.#schedule();
  }

  /** Makes and monitors the metric unless that was done by an earlier run. */
  async #lay(series: DemoSeries): Promise<void> {
    const { findMetric, firstTimestamp, monitor, nowSeconds, telemetry } = this.#services;
    const { name, unit, range, historyRows } = series;
    const metric = await findMetric(name);
    const isNew = metric === null || (metric.status === MetricStatus.UNMONITORED && metric.lastRowid === 0);
    if (isNew) {
      await monitor({ metricSpec: { metric: name, unit, userInfo: { demo: true } }, modelParams: range });
    } else if (!isDemo(metric)) {
      telemetry.log.warn(
        { event: 'demo.name_taken', name },
        'a metric of that name is no demo data: left alone',
      );
      return;
    }
    const stored = metric === null ? null : await firstTimestamp(metric.metricId);
    const first = newestTime(series, nowSeconds()) - (historyRows - 1) * DEMO_STEP_SECONDS;
    this.#fed.set(series, stored ?? first);
  }

  /** Brings the rows that are due: its history, what was missed while the engine was stopped, or the next row. */
  async #feed(series: DemoSeries): Promise<void> {
    const first = this.#fed.get(series);
    while (first !== undefined && !this.#stopped) {
      const metric = await this.#services.findMetric(series.name);
      if (metric === null || !isDemo(metric)) {
        this.#fed.delete(series);
        return;
      }
      const next = metric.lastTimestamp === null ? first : metric.lastTimestamp + DEMO_STEP_SECONDS;
      const rows = dueRows(series, first, next, this.#services.nowSeconds());
      if (rows.length === 0) return;
      await this.#services.intake(rows);
    }
  }

  #schedule(): void {
    if (this.#fed.size === 0) return;
    const nowSeconds = this.#services.nowSeconds();
    const due = Array.from(this.#fed.keys(), (series) => newestTime(series, nowSeconds) + DEMO_STEP_SECONDS);
    this.#after(1000 * Math.max(1, Math.min(...due) - nowSeconds), async () => {
      for (const series of Array.from(this.#fed.keys())) await this.#attempt(() => this.#feed(series));
      this.#schedule();
    });
  }

  #after(waitMs: number, action: () => Promise<void>): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#underWay = action();
    }, waitMs);
  }

  /** Whether it worked; what did not is logged and tried again later. */
  async #attempt(action: () => Promise<void>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (error) {
      if (!hasCode(error, 'stopped'))
        this.#services.telemetry.log.warn(
          { event: 'demo.failed', err: error },
          'feeding demo data failed; trying again',
        );
      return false;
    }
  }
}

/** True for a metric that carries the mark of demo data. */
function isDemo({ parameters }: Metric): boolean {
  if (parameters === null) return false;
  const spec = JSON.parse(parameters) as { metricSpec?: { userInfo?: { demo?: unknown } } };
  return spec.metricSpec?.userInfo?.demo === true;
}

function dueRows(series: DemoSeries, first: number, next: number, nowSeconds: number) {
  const { name } = series;
  const last = newestTime(series, nowSeconds);
  const count = Math.min(BATCH_ROWS, Math.floor((last - next) / DEMO_STEP_SECONDS) + 1);
  return Array.from({ length: Math.max(0, count) }, (_, i) => {
    const timestamp = next + i * DEMO_STEP_SECONDS;
    return { name, timestamp, value: demoValue(series, first, timestamp) };
  });
}
