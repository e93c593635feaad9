import { expect, it } from 'vitest';
import { NOT_IN_MYSQL_80, notInMysql80 } from './mysql-80.ts';

it.each(NOT_IN_MYSQL_80)('%s finds %s', (rule, example) => {
  expect(example).toMatch(rule);
  expect(notInMysql80(example)).not.toBeNull();
});

it('passes what both understand, and what only MariaDB reads', () => {
  expect(notInMysql80('create or replace view v as select a from t')).toBeNull();
  expect(notInMysql80('set a = 1 /*M!100100 , max_statement_time = 5 */')).toBeNull();
  expect(notInMysql80('insert into t (a) values (?) ')).toBeNull();
});
