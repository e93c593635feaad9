import type { TestDatabase } from './database-servers.ts';

/** One metric as the original kept it. */
export interface OriginalMetric {
  readonly uid: string;
  readonly name: string;
  readonly status?: number;
  readonly parameters?: object;
  readonly rows?: number;
  /** Rows that the original had scored. */
  readonly scored?: number;
  readonly datasource?: string;
}

export const FIRST_TIME = Date.UTC(2024, 0, 1) / 1000;
export const STEP_SECONDS = 300;

/** The value of a row: a day's rhythm. */
export const valueOf = (rowid: number) => 50 + 20 * Math.sin((rowid * 2 * Math.PI) / 288) + (rowid % 7);
/** The score that the original gave it. */
export const scoreOf = (rowid: number) => (rowid % 10) / 16;

/** The four states that the original's migrations leave a database in (system reference 8.1), in words of our own. */
export async function layDownOriginal(
  database: TestDatabase,
  state: 1 | 2 | 3 | 4,
  metrics: readonly OriginalMetric[],
): Promise<void> {
  const time = state === 1 ? 'timestamp' : 'datetime';
  const zero = state <= 2 ? "default '0000-00-00 00:00:00'" : '';
  const end = 'engine = InnoDB default charset = utf8';
  await database.execute(`set session sql_mode = '';
    create table metric (uid varchar(40) not null, datasource varchar(100), name varchar(255), description varchar(200),
      server varchar(100), location varchar(200), parameters text, status int default 0, message text,
      collector_error text, last_timestamp ${time} null default null, poll_interval int default 60,
      tag_name varchar(200), model_params text, last_rowid int, primary key (uid), key datasource_idx (datasource),
      key server_idx (server), key location_idx (location)) ${end};
    create table metric_data (uid varchar(40) not null, rowid int not null, timestamp ${time} not null ${zero},
      metric_value double not null, raw_anomaly_score double, anomaly_score double, display_value int,
      ${state === 4 ? 'multi_step_best_predictions text,' : ''}
      primary key (uid, rowid), key timestamp_idx (timestamp), key anomaly_score_idx (anomaly_score),
      constraint metric_data_to_metric_fk foreign key (uid) references metric (uid) on delete cascade on update cascade) ${end};
    create table instance_status_history (server varchar(100) not null, timestamp ${time} not null ${zero},
      status varchar(32), primary key (server, timestamp)) ${end};
    create table \`lock\` (name varchar(40) not null primary key) ${end};
    insert into \`lock\` values ('metrics');
    create table alembic_version (version_num varchar(32) not null) ${end};
    insert into alembic_version values ('state${state}');`);
  for (const metric of metrics) await insert(database, metric, state);
}

async function insert(database: TestDatabase, metric: OriginalMetric, state: number): Promise<void> {
  const { uid, name, status = 0, parameters, rows = 0, scored = 0, datasource = 'custom' } = metric;
  const json = parameters === undefined ? 'null' : quoted(JSON.stringify(parameters));
  await database.execute(`insert into metric (uid, datasource, name, description, server, location, parameters, status,
    poll_interval, last_rowid) values (${[uid, datasource, name, `Custom metric ${name}`, name, ''].map(quoted).join(', ')},
    ${json}, ${status}, 300, ${rows})`);
  const lines = Array.from({ length: rows }, (_, index) => {
    const rowid = index + 1;
    const at = new Date((FIRST_TIME + index * STEP_SECONDS) * 1000)
      .toISOString()
      .slice(0, 19)
      .replace('T', ' ');
    const results = rowid <= scored ? `${scoreOf(rowid) / 2}, ${scoreOf(rowid)}, 1000` : 'null, null, null';
    const predictions = state < 4 ? '' : rowid <= scored ? ", 'null'" : ', null';
    return `('${uid}', ${rowid}, '${at}', ${valueOf(rowid)}, ${results}${predictions})`;
  });
  for (let start = 0; start < lines.length; start += 2000)
    await database.execute(`insert into metric_data values ${lines.slice(start, start + 2000).join(', ')}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
