import { randomUUID } from 'node:crypto';
import { HtmEngineError } from '../errors.ts';
import { MAX_NAME_CHARACTERS } from '../metric.ts';
import type { Incidents, Mute, SpanKey, SpanSelection, UsualPattern } from '../store/incidents.ts';
import { groupSpans, type Incident } from './grouping.ts';
import { silencer, usualLike } from './silence.ts';

export interface IncidentServiceParts {
  readonly store: Incidents;
  readonly nowSeconds: () => number;
  /** Spans so close in time are one incident. */
  readonly gapSeconds: number;
}

export interface IncidentPage {
  /** Those with the newest rows first. */
  readonly incidents: readonly Incident[];
  /** Whether there are more spans in this time than were looked at: older ones are left out. */
  readonly more: boolean;
}

/** Spans that are looked at together at the most. */
const MAX_SPANS = 10_000;
const MAX_NOTE_CHARACTERS = 1_000;
const MAX_ACKNOWLEDGED = 1_000;

/** What is anomalous across metrics, and what people say of it: seen, muted, usual after all. */
export class IncidentService {
  readonly #parts: IncidentServiceParts;

  constructor(parts: IncidentServiceParts) {
    this.#parts = parts;
  }

  /** The incidents of a time, open and past, silenced ones apart (`Incident.silenced`). @throws HtmEngineError `invalid_argument` */
  async list({ fromTimestamp, toTimestamp, metricId }: Omit<SpanSelection, 'limit'>): Promise<IncidentPage> {
    if (fromTimestamp !== undefined && toTimestamp !== undefined && fromTimestamp > toTimestamp) {
      throw new HtmEngineError(
        'invalid_argument',
        `from ${fromTimestamp} lies after to ${toTimestamp}: give the earlier one first`,
      );
    }
    const { store, gapSeconds } = this.#parts;
    const [spans, mutes, patterns] = await Promise.all([
      store.spans({
        ...(fromTimestamp !== undefined && { fromTimestamp }),
        ...(toTimestamp !== undefined && { toTimestamp }),
        ...(metricId !== undefined && { metricId }),
        limit: MAX_SPANS,
      }),
      store.mutes(),
      store.usualPatterns(metricId === undefined ? undefined : [metricId]),
    ]);
    const silenceOf = silencer(mutes, patterns);
    const judged = spans.map((span) => ({ ...span, silence: silenceOf(span) }));
    return { incidents: groupSpans(judged, gapSeconds), more: spans.length === MAX_SPANS };
  }

  /** Notes that somebody has seen these spans (1 to 1,000). @returns how many had not been seen. @throws HtmEngineError `invalid_argument` */
  async acknowledge(spans: readonly SpanKey[], note = ''): Promise<number> {
    if (spans.length === 0 || spans.length > MAX_ACKNOWLEDGED) {
      throw new HtmEngineError(
        'invalid_argument',
        `${spans.length} spans: give 1 to ${MAX_ACKNOWLEDGED} at a time`,
      );
    }
    const { store, nowSeconds } = this.#parts;
    return store.acknowledge(spans, nowSeconds(), checkedNote(note));
  }

  /**
   * Mutes metrics: spans that open from now on, until a time or for ever, concern nobody. Scores go on as before.
   * @param pattern a name, or one with `*` and `?`.
   * @throws HtmEngineError `invalid_argument`, `overloaded`
   */
  async mute(pattern: string, untilTimestamp: number | null, note = ''): Promise<Mute> {
    const now = this.#parts.nowSeconds();
    if (pattern === '' || Array.from(pattern).length > MAX_NAME_CHARACTERS) {
      throw new HtmEngineError(
        'invalid_argument',
        `a mute is for a name or a pattern of 1 to ${MAX_NAME_CHARACTERS} characters, not ${Array.from(pattern).length}`,
      );
    }
    if (untilTimestamp !== null && untilTimestamp <= now) {
      throw new HtmEngineError(
        'invalid_argument',
        `a mute until ${untilTimestamp} is over already: give a time that is to come, or none for ever`,
      );
    }
    const mute = { id: newId(), pattern, fromTimestamp: now, untilTimestamp, note: checkedNote(note) };
    await this.#parts.store.addMute(mute);
    return mute;
  }

  mutes(): Promise<Mute[]> {
    return this.#parts.store.mutes();
  }

  /** @throws HtmEngineError `not_silenced` */
  async unmute(id: string): Promise<void> {
    if (!(await this.#parts.store.removeMute(id))) throw notSilenced('mute', id);
  }

  /**
   * Records that a span was fine: from now on, and looking back, spans of this metric like it (`usualLike`) concern nobody.
   * @param anyTime not only those at the same time of day.
   * @throws HtmEngineError `span_not_found`, `invalid_argument`, `overloaded`
   */
  async callUsual(key: SpanKey, { anyTime = false, note = '' } = {}): Promise<UsualPattern> {
    const span = await this.#parts.store.span(key);
    if (span === null) {
      const { metricId, generation, openedRowid } = key;
      throw new HtmEngineError(
        'span_not_found',
        `metric ${metricId} has no anomalous span that opened at row ${openedRowid} of generation ${generation}`,
      );
    }
    const pattern = {
      id: newId(),
      metricId: span.metricId,
      ...usualLike(span, anyTime),
      createdAt: this.#parts.nowSeconds(),
      note: checkedNote(note),
    };
    await this.#parts.store.addUsual(pattern);
    return pattern;
  }

  usualPatterns(metricId?: string): Promise<UsualPattern[]> {
    return this.#parts.store.usualPatterns(metricId === undefined ? undefined : [metricId]);
  }

  /** @throws HtmEngineError `not_silenced` */
  async forgetUsual(id: string): Promise<void> {
    if (!(await this.#parts.store.removeUsual(id))) throw notSilenced('usual pattern', id);
  }
}

function checkedNote(note: string): string {
  if (note.length <= MAX_NOTE_CHARACTERS) return note;
  throw new HtmEngineError(
    'invalid_argument',
    `the note has ${note.length} characters: at most ${MAX_NOTE_CHARACTERS} are kept`,
  );
}

function newId(): string {
  return randomUUID().replaceAll('-', '');
}

function notSilenced(what: string, id: string): HtmEngineError {
  return new HtmEngineError(
    'not_silenced',
    `there is no ${what} ${JSON.stringify(id)}: it may be removed already`,
  );
}
