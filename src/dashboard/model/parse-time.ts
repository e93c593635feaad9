import type { Zone } from './format.ts';

const TIME = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d)(:\d\d)?)?$/;

/** Epoch seconds of a time as `formatTime` writes it, in the zone; seconds, or hours too, may be missing. @throws Error that says in words what is wrong */
export function parseTime(text: string, zone: Zone): number {
  const [, day, minute = '00:00', second = ':00'] = TIME.exec(text.trim()) ?? [];
  const milliseconds =
    day === undefined ? NaN : Date.parse(`${day}T${minute}${second}${zone === 'utc' ? 'Z' : ''}`);
  if (Number.isNaN(milliseconds))
    throw new Error(`“${text}” is no time; write it as in 2026-01-31 12:00:00.`);
  return milliseconds / 1000;
}
