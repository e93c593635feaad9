import { Counter, Gauge, type Registry } from 'prom-client';
import type { Stage } from '../store/leases.ts';

/** The Prometheus metrics that the stages of one process share about their partitions. */
export class OwnershipTelemetry {
  readonly changes: Counter<'stage' | 'change'>;
  readonly failures: Counter<'stage'>;
  readonly #counts = new Map<Stage, () => number>();

  constructor(registry: Registry) {
    const registers = [registry];
    const counts = this.#counts;
    new Gauge({
      name: 'htmengine_ownership_partitions',
      help: 'Partitions that this process works on',
      labelNames: ['stage'],
      registers,
      collect() {
        for (const [stage, count] of counts) this.set({ stage }, count());
      },
    });
    this.changes = new Counter({
      name: 'htmengine_ownership_changes_total',
      help: 'Partitions that this process took, released to another, or lost to another',
      labelNames: ['stage', 'change'],
      registers,
    });
    this.failures = new Counter({
      name: 'htmengine_ownership_renewal_failures_total',
      help: 'Times that this process could not tell the store that it lives',
      labelNames: ['stage'],
      registers,
    });
  }

  /** From now on the gauge tells of this stage too. */
  watch(stage: Stage, count: () => number): void {
    this.#counts.set(stage, count);
  }
}
