import type { Config } from '../config.ts';
import type { ModelSettings } from './generation-request.ts';

/** What the configuration says of new models. */
export function modelSettings({
  monitoring: { minimumRows, variant, ceiling },
}: Pick<Config, 'monitoring'>): ModelSettings {
  const { enabled, ...limits } = ceiling;
  return { minimumRows, variant, ceiling: enabled ? limits : null };
}
