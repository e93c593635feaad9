import { expect, it } from 'vitest';
import { brokerNames } from './topology.ts';

it('names the objects of an application; those of the original as it did', () => {
  const names = brokerNames('skeleton');
  expect(names).toMatchObject({
    customData: 'skeleton.metric.custom.data',
    results: 'skeleton.model.results',
    dead: 'skeleton.dead.v1',
  });
  expect(names.samples(7)).toBe('skeleton.samples.v1.7');
});

it.each(['', ' ', 'a.b', 'x'.repeat(65)])('refuses the application %j', (application) => {
  expect(() => brokerNames(application)).toThrow(expect.objectContaining({ code: 'config_invalid' }));
});
