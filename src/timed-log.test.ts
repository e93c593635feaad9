import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import type { Log } from './store/log.ts';
import { timedLog } from './timed-log.ts';

/** Only what is called is there. */
function setUp(log: Partial<Log>) {
  const registry = new Registry();
  const unused = () => Promise.reject(new Error('not expected to be called'));
  const others = { recordRawScores: unused, advanceCursor: unused, recordAnomalyScores: unused };
  const timed = timedLog({ ...others, ...log } as Log, registry);
  const count = async (transaction: string) => {
    const text = await registry.metrics();
    const line = new RegExp(
      `^htmengine_store_transaction_seconds_count\\{transaction="${transaction}"\\} (\\d+)$`,
      'm',
    );
    return Number(line.exec(text)?.[1]);
  };
  const pending = async () =>
    (await registry.getSingleMetric('htmengine_store_pending_transactions')?.get())?.values[0]?.value;
  return { timed, count, pending };
}

it('counts each transaction as what it is, whether it succeeds or not', async () => {
  const fault = new Error('the disk is full');
  const { timed, count, pending } = setUp({
    appendSamples: () => Promise.reject(fault),
    recordAnomalyScores: () => Promise.resolve({ refused: 'epoch' }),
  });
  await expect(timed.appendSamples([], {})).rejects.toBe(fault);
  const slice = { metricId: 'm' } as Parameters<Log['recordAnomalyScores']>[0];
  expect(await timed.recordAnomalyScores(slice)).toEqual({ refused: 'epoch' });
  expect(await Promise.all(['T0', 'T1', 'T2', 'T3'].map(count))).toEqual([1, 0, 1, 0]);
  expect(await pending()).toBe(0);
});

it('shows what is under way, and passes other operations on with their arguments', async () => {
  const { promise, resolve } = Promise.withResolvers<[]>();
  const asked: unknown[] = [];
  const { timed, pending } = setUp({
    appendSamples: () => promise,
    modelTask: (metricId) => {
      asked.push(metricId);
      return Promise.resolve(null);
    },
  });
  const appending = timed.appendSamples([], {});
  expect(await pending()).toBe(1);
  resolve([]);
  expect(await appending).toEqual([]);
  expect(await timed.modelTask('m')).toBeNull();
  expect(asked).toEqual(['m']);
});
