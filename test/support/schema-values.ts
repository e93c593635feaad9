import fc from 'fast-check';

/** As much of JSON Schema as our OpenAPI document uses. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
}

/** Longer lists than this are made at the bounds only. */
const USUAL_ITEMS = 5;
const USUAL_LENGTH = 40;
const LARGEST_LIST = 20_000;

/** Makes values that a schema allows, values at its bounds, and values that it does not allow. */
export class SchemaValues {
  readonly #schemas: Readonly<Record<string, JsonSchema>>;

  /** @param schemas what references lead to: `components.schemas` of the document. */
  constructor(schemas: Readonly<Record<string, JsonSchema>>) {
    this.#schemas = schemas;
  }

  resolve(schema: JsonSchema): JsonSchema {
    if (schema.$ref === undefined) return schema;
    const name = schema.$ref.replace('#/components/schemas/', '');
    const found = this.#schemas[name];
    if (found === undefined) throw new Error(`the document has no schema ${name}`);
    return found;
  }

  valid(given: JsonSchema): fc.Arbitrary<unknown> {
    const schema = this.resolve(given);
    if (schema.const !== undefined) return fc.constant(schema.const);
    if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
    if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => this.valid(one)));
    switch (schema.type) {
      case 'null':
        return fc.constant(null);
      case 'boolean':
        return fc.boolean();
      case 'integer':
        return fc.integer({ min: schema.minimum ?? -1000, max: schema.maximum ?? 1000 });
      case 'number':
        return fc.double({
          min: schema.minimum ?? -1e6,
          max: schema.maximum ?? 1e6,
          noNaN: true,
        });
      case 'string':
        return text(schema);
      case 'array':
        return fc.array(this.valid(schema.items ?? {}), {
          minLength: schema.minItems ?? 0,
          maxLength: Math.min(schema.maxItems ?? USUAL_ITEMS, USUAL_ITEMS),
        });
      case 'object':
        return this.#object(schema);
      case undefined:
      default:
        return fc.jsonValue({ maxDepth: 2 });
    }
  }

  /** Values at a schema's bounds, all of them allowed. */
  bounds(given: JsonSchema): readonly unknown[] {
    const schema = this.resolve(given);
    const {
      enum: choices,
      anyOf,
      type,
      minimum,
      maximum,
      minItems = 0,
      maxItems,
      minLength,
      maxLength,
    } = schema;
    if (choices !== undefined) return choices;
    if (anyOf !== undefined) return anyOf.flatMap((one) => this.bounds(one));
    if (type === 'integer' || type === 'number') return [minimum, maximum].filter((n) => n !== undefined);
    if (type === 'string') {
      // A character of one UTF-16 unit, and one of two.
      return [minLength, maxLength].flatMap((n) => (n === undefined ? [] : ['x'.repeat(n), '🦄'.repeat(n)]));
    }
    if (type === 'array') {
      const [item] = fc.sample(this.valid(schema.items ?? {}), { numRuns: 1, seed: 1 });
      return [minItems, maxItems].flatMap((n) =>
        n === undefined || n > LARGEST_LIST ? [] : [Array(n).fill(item)],
      );
    }
    return [];
  }

  /** Values just beyond a schema's bounds, and of other types. `asText`: in a path or query, where all is text. */
  invalid(given: JsonSchema, asText: boolean): readonly unknown[] {
    const schema = this.resolve(given);
    const others = [null, true, 17, 'text', [1], { a: 1 }];
    if (schema.anyOf !== undefined) {
      const types = schema.anyOf.flatMap((one) => this.resolve(one).type ?? []);
      return asText ? [] : others.filter((value) => !isOf(value, types));
    }
    const wrong: unknown[] = [];
    const { type, enum: choices, minimum, maximum, minLength = 0, maxLength, maxItems } = schema;
    const isNumber = type === 'integer' || type === 'number';
    if (isNumber) wrong.push('x', '', ' 1', '0x10', 'NaN', 'Infinity', '1e999', '1,5');
    if (type === 'integer') wrong.push(1.5, '9'.repeat(30));
    if (isNumber && minimum !== undefined) wrong.push(minimum - 1);
    if (isNumber && maximum !== undefined) wrong.push(maximum + 1);
    if (choices !== undefined) wrong.push('none of them', '');
    if (type === 'string' && maxLength !== undefined) wrong.push('x'.repeat(maxLength + 1));
    if (type === 'string' && minLength > 0) wrong.push('');
    if (type === 'string' && schema.pattern !== undefined) wrong.push('a\u0000b', 'a\nb', '\u007f');
    if (type === 'array' && maxItems !== undefined && maxItems <= LARGEST_LIST) {
      wrong.push(Array(maxItems + 1).fill('x'));
    }
    if (asText) return wrong;
    return [...wrong, ...others.filter((value) => type !== undefined && !isOf(value, type))];
  }

  #object({ properties = {}, required = [], additionalProperties }: JsonSchema): fc.Arbitrary<unknown> {
    const known = fc.record(
      Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, this.valid(schema)])),
      { requiredKeys: [...required] },
    );
    if (typeof additionalProperties !== 'object') return known;
    const others = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), this.valid(additionalProperties), {
      maxKeys: 3,
    });
    return fc.tuple(others, known).map(([more, object]) => ({ ...more, ...object }));
  }
}

function text({ pattern, minLength = 0, maxLength = USUAL_LENGTH }: JsonSchema): fc.Arbitrary<string> {
  const expression = pattern === undefined ? null : new RegExp(pattern, 'u');
  return fc
    .string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, USUAL_LENGTH) })
    .filter((value) => expression?.test(value) !== false && Array.from(value).length <= maxLength);
}

function isOf(value: unknown, type: string | readonly string[]): boolean {
  const types = typeof type === 'string' ? [type] : type;
  return types.some((one) => {
    if (one === 'null') return value === null;
    if (one === 'array') return Array.isArray(value);
    if (one === 'integer') return Number.isInteger(value);
    if (one === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
    return typeof value === one;
  });
}
