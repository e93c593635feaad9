/** One number that the engine measures, with what tells it from others of its name. */
interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n' };

/** What `GET /metrics` said at one time (Prometheus' text format). */
export class Measurements {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly #samples: ReadonlyMap<string, readonly Sample[]>;

  constructor(text: string, at: number) {
    this.at = at;
    this.#samples = Map.groupBy(parse(text), ({ name }) => name);
  }

  /** The sum over all labels; null if this process does not measure it. */
  total(name: string): number | null {
    const samples = this.#samples.get(name);
    return samples === undefined ? null : samples.reduce((sum, { value }) => sum + value, 0);
  }

  /** The sums by a label, the largest first. */
  by(name: string, label: string): [string, number][] {
    const sums = new Map<string, number>();
    for (const { labels, value } of this.#samples.get(name) ?? []) {
      const key = labels[label] ?? '';
      sums.set(key, (sums.get(key) ?? 0) + value);
    }
    return [...sums].sort(([, a], [, b]) => b - a);
  }

  /** How much a counter has grown since `before`; null if one of them lacks it or the process began anew. */
  growth(name: string, before: Measurements): number | null {
    const [now, then] = [this.total(name), before.total(name)];
    return now === null || then === null || now < then ? null : now - then;
  }

  /**
   * The upper edge of the histogram's bucket below which `share` (0..1) of what was observed since `before` lies; Infinity
   * beyond the last edge, null if nothing was.
   */
  quantile(name: string, share: number, before: Measurements): number | null {
    const earlier = new Map(before.by(`${name}_bucket`, 'le'));
    const buckets = this.by(`${name}_bucket`, 'le')
      .map(([edge, count]) => ({
        edge: Number(edge.replace('+Inf', 'Infinity')),
        count: count - (earlier.get(edge) ?? 0),
      }))
      .sort((a, b) => a.edge - b.edge);
    const all = buckets.at(-1)?.count ?? 0;
    return all <= 0 ? null : (buckets.find(({ count }) => count >= share * all)?.edge ?? null);
  }
}

function parse(text: string): (Sample & { readonly name: string })[] {
  return text.split('\n').flatMap((line) => {
    const [, name, labels = '', value = ''] = line.startsWith('#') ? [] : (LINE.exec(line) ?? []);
    return name === undefined ? [] : [{ name, labels: labelsOf(labels), value: Number(value) }];
  });
}

function labelsOf(text: string): Record<string, string> {
  const pairs = [...text.matchAll(LABEL)].map(([, name = '', value = '']): [string, string] => [
    name,
    value.replaceAll(/\\(.)/g, (_all, escaped: string) => ESCAPES[escaped] ?? escaped),
  ]);
  return Object.fromEntries(pairs);
}
