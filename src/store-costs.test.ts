import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { StoreCosts } from './store-costs.ts';

class Part {
  readonly #answer = 7;
  ask(plus: number): Promise<number> {
    return Promise.resolve(this.#answer + plus);
  }
  fail(): Promise<never> {
    return Promise.reject(new Error('away'));
  }
}

it('counts the calls of each stage by what they ask, failed ones too, and passes them on', async () => {
  const registry = new Registry();
  const costs = new StoreCosts(registry);
  const scheduler = costs.of('scheduler', new Part());
  const anomaly = costs.of('anomaly', new Part());
  expect(await scheduler.ask(1)).toBe(8);
  expect(await scheduler.ask(2)).toBe(9);
  expect(await anomaly.ask(3)).toBe(10);
  await expect(anomaly.fail()).rejects.toThrow('away');
  const metric = await registry.getSingleMetric('htmengine_store_operations_total')?.get();
  const counts = metric?.values.map(({ labels, value }) => [labels.stage, labels.operation, value]);
  expect(counts).toEqual([
    ['scheduler', 'ask', 2],
    ['anomaly', 'ask', 1],
    ['anomaly', 'fail', 1],
  ]);
});
