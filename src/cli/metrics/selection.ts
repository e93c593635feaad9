import { HtmEngineError } from '../../errors.ts';
import type { EngineClient } from '../../client/engine-client.ts';
import type { MetricJson } from '../../client/types.ts';
import { nameMatcher } from '../../name-pattern.ts';
import { printable } from '../terminal/text.ts';

export interface SelectionOptions {
  /** Take names as they are, though they hold `*` or `?`. */
  readonly exact?: boolean;
}

/** The names that arguments stand for, in the order in which they were given, each once. */
export interface Selection {
  readonly names: readonly string[];
  /** Whether a pattern chose any of them, so that nobody typed their names. */
  readonly byPattern: boolean;
}

/** True for arguments that stand for several metrics: `*` is any run of characters, `?` any one. */
export function isPattern(argument: string, { exact = false }: SelectionOptions = {}): boolean {
  return !exact && /[*?]/.test(argument);
}

/** What tells whether a name is among those that the arguments, names or patterns, stand for; none stand for all. */
export function nameFilter(
  args: readonly string[],
  options: SelectionOptions = {},
): (name: string) => boolean {
  if (args.length === 0) return () => true;
  const literal = new Set(args.filter((argument) => !isPattern(argument, options)));
  const patterns = args.filter((argument) => isPattern(argument, options)).map(nameMatcher);
  return (name) => literal.has(name) || patterns.some((matches) => matches(name));
}

/**
 * Names as they are, patterns for all metrics they match.
 * @throws HtmEngineError `metric_not_found` for a pattern that matches none
 */
export async function selectNames(
  client: EngineClient,
  args: readonly string[],
  options: SelectionOptions = {},
): Promise<Selection> {
  const patterns = args.filter((argument) => isPattern(argument, options));
  if (patterns.length === 0) return { names: Array.from(new Set(args)), byPattern: false };
  const matches = new Map(patterns.map((pattern) => [pattern, [] as string[]]));
  const matchers = patterns.map((pattern) => [pattern, nameMatcher(pattern)] as const);
  for await (const page of client.metricPages()) {
    for (const { name } of page) {
      for (const [pattern, isMatch] of matchers) {
        if (isMatch(name)) matches.get(pattern)?.push(name);
      }
    }
  }
  const names = args.flatMap((argument) => {
    const matching = matches.get(argument) ?? [argument];
    if (matching.length === 0) throw matchesNone([argument]);
    return matching;
  });
  return { names: Array.from(new Set(names)), byPattern: true };
}

/**
 * The metrics that arguments stand for; none stand for all.
 * @param recent how many of their last scores to bring along.
 * @throws HtmEngineError `engine_refused` for a name that is not there, `metric_not_found` if patterns match none
 */
export async function selectMetrics(
  client: EngineClient,
  args: readonly string[],
  options: SelectionOptions & { readonly recent?: number } = {},
): Promise<MetricJson[]> {
  const { recent = 0 } = options;
  const found: MetricJson[] = [];
  if (args.length > 0 && !args.some((argument) => isPattern(argument, options))) {
    for (const name of new Set(args)) found.push(await client.metric(name, recent));
    return found;
  }
  const isWanted = nameFilter(args, options);
  for await (const page of client.metricPages(recent))
    found.push(...page.filter(({ name }) => isWanted(name)));
  if (found.length === 0 && args.length > 0) throw matchesNone(args);
  return found;
}

function matchesNone(args: readonly string[]): HtmEngineError {
  return new HtmEngineError(
    'metric_not_found',
    `no metric matches ${args.map((argument) => JSON.stringify(printable(argument))).join(', ')}; "htmengine metrics list" shows what there is`,
  );
}
