import type { ColumnNames } from '../../csv/columns.ts';

/** What the worker is asked to do, once. */
export interface Order {
  readonly file: File;
  readonly columns: ColumnNames;
}

/** What it tells, in this order; `problem` ends it. */
export type News =
  | { readonly type: 'header'; readonly header: readonly string[] }
  | {
      readonly type: 'series';
      /** The titles of the columns that are used. */
      readonly time: string;
      readonly value: string;
      /** Of the model. */
      readonly min: number;
      readonly max: number;
      /** Rows at the beginning that it only learns from. */
      readonly learningRows: number;
    }
  | {
      readonly type: 'rows';
      readonly timestamps: readonly number[];
      readonly values: readonly number[];
      /** Log-likelihoods; null while the model only learns. */
      readonly scores: readonly (number | null)[];
      /** How much of the file is read. */
      readonly bytes: number;
    }
  | {
      readonly type: 'end';
      /** Rows that were left out, and why the first of them. */
      readonly badRows: number;
      readonly example: string | null;
      /** The rest of the file was not read. */
      readonly cut: boolean;
    }
  | { readonly type: 'problem'; readonly message: string };

/** Rows that are scored at the most. */
export const MAX_ROWS = 100_000;
