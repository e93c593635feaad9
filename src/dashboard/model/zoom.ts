import type { Window } from './route.ts';

/** Closer than this, in seconds, there is nothing to see: times are whole seconds. */
const LEAST_LENGTH = 10;

/** `window` made `factor` times as long around its middle, within `bounds`; null if it is all of them. */
export function zoomBy(window: Window, factor: number, bounds: Window): Window | null {
  const middle = (window.from + window.to) / 2;
  const half = Math.max(LEAST_LENGTH, (window.to - window.from) * factor) / 2;
  return within({ from: middle - half, to: middle + half }, bounds);
}

/** `window` moved by a share of its own length, within `bounds`. */
export function moveBy(window: Window, share: number, bounds: Window): Window | null {
  const length = window.to - window.from;
  const from = Math.min(Math.max(window.from + share * length, bounds.from), bounds.to - length);
  return within({ from, to: from + length }, bounds);
}

/** A stretch to look at around a span: as much again on each side, at the least `leastLength`. */
export function around({ from, to }: Window, leastLength: number, bounds: Window): Window | null {
  const margin = Math.max(to - from, leastLength / 2);
  return within({ from: from - margin, to: to + margin }, bounds);
}

function within(window: Window, bounds: Window): Window | null {
  const from = Math.max(window.from, bounds.from);
  const to = Math.min(window.to, bounds.to);
  if (from <= bounds.from && to >= bounds.to) return null;
  return { from: Math.floor(from), to: Math.ceil(to) };
}
