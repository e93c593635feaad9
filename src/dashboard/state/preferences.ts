import { effect, signal } from '@preact/signals';
import type { Zone } from '../model/format.ts';

const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

/** What a person chose, kept by this browser. */
export const zone = kept<Zone>('htmengine.zone', ['local', 'utc']);
export const theme = kept<Theme>('htmengine.theme', THEMES);
/** Whether charts show where values usually lie. */
export const showsUsual = kept('htmengine.usual', ['yes', 'no'] as const);

effect(() => {
  document.documentElement.dataset['theme'] = theme.value;
});

/** A choice that outlives the page; the first of `choices` unless another was kept. */
function kept<T extends string>(key: string, choices: readonly [T, ...T[]]) {
  const choice = signal<T>(choices.find((known) => known === read(key)) ?? choices[0]);
  effect(() => {
    try {
      localStorage.setItem(key, choice.value);
    } catch {
      // A browser that keeps nothing: the choice holds until the page is closed.
    }
  });
  return choice;
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
