/** What is wrong with a parameter. */
export type ModelParameterErrorCode =
  'missing_key' | 'unknown_key' | 'wrong_type' | 'out_of_range' | 'unsupported' | 'conflict';

/** A model parameter that breaks a rule. The message names path, value and rule. */
export class ModelParameterError extends Error {
  override readonly name = 'ModelParameterError';
  readonly code: ModelParameterErrorCode;
  /** Keys from the outermost object inward, joined by dots; empty for the outermost object itself. */
  readonly path: string;

  constructor(code: ModelParameterErrorCode, path: string, what: string) {
    super(`${path === '' ? 'model parameters' : path} ${what}`);
    this.code = code;
    this.path = path;
  }
}

/** Bounds of a number, both included unless `above` says that the lower one is not. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly above?: boolean;
}

/**
 * Reads the keys of one object of unknown shape, each checked for type and range, and at the end refuses the keys
 * that nobody asked for.
 */
export class ParameterReader {
  readonly path: string;
  readonly #object: object;
  readonly #known = new Set<string>();

  /** @throws ModelParameterError if `value` is not an object. */
  constructor(value: unknown, path: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new ModelParameterError('wrong_type', path, `is ${describe(value)}, must be an object`);
    }
    this.#object = value;
    this.path = path;
  }

  /** The path of one of the object's keys. */
  pathOf(key: string): string {
    return this.path === '' ? shortened(key) : `${this.path}.${shortened(key)}`;
  }

  /** Whether the key is there with a value other than null. */
  has(key: string): boolean {
    this.#known.add(key);
    return this.#get(key) !== undefined && this.#get(key) !== null;
  }

  /** The value of a key, unchecked; undefined if it is not there. */
  any(key: string): unknown {
    this.#known.add(key);
    return this.#get(key);
  }

  /** A number within bounds (any finite one, without); `fallback` if the key is not there. */
  number(key: string, bounds: Bounds = FINITE, fallback?: number): number {
    const value = this.#required(key, fallback);
    return numberAt(value, this.pathOf(key), bounds);
  }

  /** A whole number from `min` to `max` (any that is exact, without). */
  integer(key: string, min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER): number {
    return integerAt(this.#required(key), this.pathOf(key), min, max);
  }

  /** The key `seed`, of a generator. */
  seed(): number {
    return this.integer('seed', 1, Number.MAX_SAFE_INTEGER);
  }

  /** true or false (or 1 or 0, as Python files have it); `fallback` if the key is not there. */
  boolean(key: string, fallback?: boolean): boolean {
    const value = this.#required(key, fallback);
    if (value === true || value === 1) return true;
    if (value === false || value === 0) return false;
    throw new ModelParameterError(
      'wrong_type',
      this.pathOf(key),
      `is ${describe(value)}, must be true or false`,
    );
  }

  /** One of several texts; `fallback` if the key is not there. */
  oneOf<T extends string>(key: string, allowed: readonly T[], fallback?: T): T {
    const value = this.#required(key, fallback);
    const found = allowed.find((text) => text === value);
    if (found === undefined) {
      const code = typeof value === 'string' ? 'unsupported' : 'wrong_type';
      throw new ModelParameterError(
        code,
        this.pathOf(key),
        `is ${describe(value)}, must be one of ${allowed.join(', ')}`,
      );
    }
    return found;
  }

  /** A text of 1 to 1000 characters. */
  text(key: string): string {
    const value = this.#required(key);
    if (typeof value !== 'string' || value === '' || value.length > 1000) {
      throw new ModelParameterError(
        'wrong_type',
        this.pathOf(key),
        `is ${describe(value)}, must be a text of 1 to 1000 characters`,
      );
    }
    return value;
  }

  /** An array of `min` to `max` elements. */
  list(key: string, min: number, max: number): readonly unknown[] {
    return listAt(this.#required(key), this.pathOf(key), min, max);
  }

  /** An object, to be read in its turn. */
  object(key: string): ParameterReader {
    return new ParameterReader(this.#required(key), this.pathOf(key));
  }

  /** The keys of the object, in the order of their code points. */
  keys(): string[] {
    const keys = Object.keys(this.#object);
    keys.forEach((key) => this.#known.add(key));
    return keys.sort(byCodePoints);
  }

  /** Accepts keys that have no effect. */
  ignore(...keys: string[]): void {
    keys.forEach((key) => this.#known.add(key));
  }

  /** @throws ModelParameterError if the object has a key that was not asked for. */
  finish(): void {
    const unknown = Object.keys(this.#object).find((key) => !this.#known.has(key));
    if (unknown !== undefined) {
      const known = [...this.#known].sort(byCodePoints).join(', ');
      throw new ModelParameterError('unknown_key', this.pathOf(unknown), `is not known; known: ${known}`);
    }
  }

  #get(key: string): unknown {
    return Object.hasOwn(this.#object, key) ? (this.#object as Record<string, unknown>)[key] : undefined;
  }

  #required(key: string, fallback?: unknown): unknown {
    this.#known.add(key);
    const value = this.#get(key) ?? fallback;
    if (value === undefined) throw new ModelParameterError('missing_key', this.pathOf(key), 'is missing');
    return value;
  }
}

/** `value` as a number within bounds. @throws ModelParameterError */
export function numberAt(value: unknown, path: string, { min, max, above = false }: Bounds): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new ModelParameterError('wrong_type', path, `is ${describe(value)}, must be a finite number`);
  }
  if (value > max || value < min || (above && value === min)) {
    const from = above ? `above ${min}` : `at least ${min}`;
    throw new ModelParameterError('out_of_range', path, `is ${value}, must be ${from} and at most ${max}`);
  }
  return value === 0 ? 0 : value; // -0 would not survive being written as JSON.
}

/** `value` as a whole number from `min` to `max`. @throws ModelParameterError */
export function integerAt(value: unknown, path: string, min: number, max: number): number {
  const number = numberAt(value, path, { min, max });
  if (!Number.isInteger(number)) {
    throw new ModelParameterError('wrong_type', path, `is ${number}, must be a whole number`);
  }
  return number;
}

/** `value` as an array of `min` to `max` elements. @throws ModelParameterError */
export function listAt(value: unknown, path: string, min: number, max: number): readonly unknown[] {
  if (!Array.isArray(value)) {
    throw new ModelParameterError('wrong_type', path, `is ${describe(value)}, must be an array`);
  }
  if (value.length < min || value.length > max) {
    throw new ModelParameterError(
      'out_of_range',
      path,
      `has ${value.length} elements, must have ${min} to ${max}`,
    );
  }
  return Array.from<unknown>(value); // Without holes.
}

/** A value in a message: short, whatever it is. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(shortened(value));
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return shortened(String(value));
}

const FINITE: Bounds = { min: -Number.MAX_VALUE, max: Number.MAX_VALUE };

function shortened(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 60)}...`;
}

/** Ascending by code points, unlike the default order by UTF-16 units. */
function byCodePoints(a: string, b: string): number {
  const [pointsOfA, pointsOfB] = [codePoints(a), codePoints(b)];
  const differing = pointsOfA.findIndex((point, i) => point !== pointsOfB[i]);
  if (differing < 0) return pointsOfA.length - pointsOfB.length;
  return differing < pointsOfB.length ? pointsOfA[differing] - pointsOfB[differing] : 1;
}

function codePoints(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0)!);
}
