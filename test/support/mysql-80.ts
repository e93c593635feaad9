/**
 * What MariaDB understands and MySQL 8.0 does not, as far as a store might come to say it; each with a statement that
 * must be found.
 */
export const NOT_IN_MYSQL_80: readonly (readonly [rule: RegExp, example: string])[] = [
  [/\breturning\b/i, 'insert into t (a) values (1) returning a'],
  [/\bsequence\b|\bnextval\b|\blastval\b|\b(?:next|previous) value for\b/i, 'select nextval(s)'],
  [/\bcreate\s+or\s+replace\s+(?!view\b|spatial\b)/i, 'create or replace table t (a int)'],
  [/\b(?:create|drop)\s+(?:unique\s+)?index\s+if\b/i, 'create index if not exists i on t (a)'],
  [
    /\b(?:add|drop|modify|change)\s+(?:column|index|constraint|foreign key|key)\s+if\b/i,
    'alter table t add column if not exists a int',
  ],
  [/\bsystem_time\b|\bsystem versioning\b|\bportion of\b/i, 'select * from t for system_time all'],
  [
    /\b(?:uuid|inet4|inet6|xmltype|vector)\b\s*(?:not null|primary|,|\))/i,
    'create table t (a uuid not null)',
  ],
  [/nopad|uca1400/i, 'create table t (a text) collate uca1400_as_ci'],
  [/\bset\s+statement\b/i, 'set statement max_statement_time = 1 for select 1'],
  [/\bmax_statement_time\b/i, 'set max_statement_time = 1'],
  [
    /\b(?:transactional|page_checksum|encrypted)\s*=|\bengine\s*=(?!\s*innodb)/i,
    'create table t (a int) engine = aria',
  ],
  [/\blimit\s+rows examined\b|\bfetch\s+(?:first|next)\b/i, 'select 1 fetch first 1 rows only'],
  [/\bexecute immediate\b/i, "execute immediate 'select 1'"],
  [
    /\bminus\b|\bmedian\s*\(|\bpercentile_(?:cont|disc)\b|\bjson_(?:detailed|exists|query|loose|compact)\s*\(/i,
    'select json_exists(a, b)',
  ],
  [/\bto_char\s*\(|\bnvl2?\s*\(|\bdecode_oracle\b|\bnatural_sort_key\b|\bsformat\s*\(/i, 'select nvl(a, b)'],
  [
    /\bon\s+duplicate\s+key\s+update\b.*\bvalue\s*\(/i,
    'insert into t (a) values (1) on duplicate key update a = value(a)',
  ],
  [/\block\s+tables\b.*\bwait\b|\b(?:wait|nowait)\s*\d*\s*$/i, 'select 1 for update wait 5'],
];

/** The rule that a statement breaks, or null. The collation for names is MariaDB's; on MySQL the store takes MySQL's. */
export function notInMysql80(statement: string): RegExp | null {
  // MySQL reads none of these comments; what is quoted is a name.
  const read = statement
    .replace(/\/\*M!.*?\*\//gs, '')
    .replace(/`[^`]*`/g, 'x')
    .replaceAll('utf8mb4_nopad_bin', 'utf8mb4_0900_bin');
  return NOT_IN_MYSQL_80.find(([rule]) => rule.test(read))?.[0] ?? null;
}
