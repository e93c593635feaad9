import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { hasCode } from './errors.ts';
import type { Log } from './store/log.ts';

/** Which operation of the log is which transaction of the pipeline. */
const TRANSACTIONS = {
  appendSamples: 'T0',
  recordRawScores: 'T1',
  recordAnomalyScores: 'T2',
  advanceCursor: 'T3',
} as const satisfies Partial<Record<keyof Log, string>>;

type Transaction = keyof typeof TRANSACTIONS;

/** The log with its transactions timed, whatever the database: from the call until it is durable, refused or failed. */
export function timedLog(log: Log, registry: Registry): Log {
  const seconds = new Histogram({
    name: 'htmengine_store_transaction_seconds',
    help: 'Duration of a transaction, waiting included: T0 stores samples, T1 raw scores, T2 anomaly scores, T3 moves a cursor',
    labelNames: ['transaction'],
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
    registers: [registry],
  });
  const pending = new Gauge({
    name: 'htmengine_store_pending_transactions',
    help: 'Transactions (T0-T3) that are under way or wait for the store',
    registers: [registry],
  });

  const faults = new Counter({
    name: 'htmengine_store_unavailable_total',
    help: 'Transactions (T0-T3) that the store could not take: disk full, permission lost, database busy; they are tried again',
    labelNames: ['transaction'],
    registers: [registry],
  });

  function timed(name: Transaction): Method {
    const transaction = TRANSACTIONS[name];
    seconds.zero({ transaction });
    faults.inc({ transaction }, 0);
    const call = log[name].bind(log) as Method;
    return async (...args) => {
      const stopTimer = seconds.startTimer({ transaction });
      pending.inc();
      try {
        return await call(...args);
      } catch (error) {
        if (hasCode(error, 'store_unavailable')) faults.inc({ transaction });
        throw error;
      } finally {
        pending.dec();
        stopTimer();
      }
    };
  }

  const methods = new Map<string | symbol, Method>();
  for (const name of Object.keys(TRANSACTIONS) as Transaction[]) methods.set(name, timed(name));
  return new Proxy(log, {
    get(target, name) {
      const method: unknown = methods.get(name) ?? Reflect.get(target, name);
      // Bound: what is called on the proxy must find the log's own private fields.
      return typeof method === 'function' ? (method.bind(target) as unknown) : method;
    },
  });
}

type Method = (...args: readonly unknown[]) => Promise<unknown>;
