/**
 * Errors that tell a user what is wrong: each has a stable `code` that programs may test and a message that names
 * the input, the rule and the fix. Everything else that is thrown is a programmer error.
 */
export class HtmEngineError extends Error {
  override readonly name: string = 'HtmEngineError';
  /** Stable, lower-case, underscored; listed in docs/errors.md. */
  readonly code: ErrorCode;
  /** What a program needs beside the message, for instance the id of the metric that exists already. */
  readonly details: Readonly<Record<string, string | number | null>>;

  constructor(code: ErrorCode, message: string, details: Record<string, string | number | null> = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

export type ErrorCode =
  /** No metric of that name or id. */
  | 'metric_not_found'
  /** `details.metricId` is the existing one's. */
  | 'metric_already_exists'
  /** `details.metricId` is the monitored one's. */
  | 'metric_already_monitored'
  | 'metric_not_monitored'
  /** Rows that a model is not to learn are learned already. `details.processedRowid` is the last one. */
  | 'interval_learned'
  /** Rows that are to be deleted are needed by something; `details.keptBy` says what. */
  | 'rows_needed'
  /** The metric's state is not the one the operation needs, or changed meanwhile. `details.status` is the present one. */
  | 'metric_status_changed'
  /** No rows are stored from which a range could be estimated. */
  | 'statistics_not_ready'
  | 'invalid_metric_name'
  /** Exactly one of min and max, min >= max, or not finite. */
  | 'invalid_range'
  | 'invalid_argument'
  /** A datasource of that name is registered already. */
  | 'datasource_exists'
  | 'datasource_not_found'
  /** This datasource cannot do that. */
  | 'not_supported'
  | 'invalid_request_body'
  | 'body_too_large'
  /** Neither the type nor the encoding of a body is one that the operation takes. */
  | 'unsupported_media_type'
  /** A page of another site tried to change something through its user's browser. */
  | 'foreign_origin'
  /** Tokens are asked for and none that is known came with the request. */
  | 'unauthorized'
  /** The token's scope does not allow it. */
  | 'forbidden'
  /** The Host of a request is not one of ours. */
  | 'wrong_host'
  | 'too_many_requests'
  | 'reserved_name'
  | 'unknown_route'
  /** `details.allow` names the methods that the path takes. */
  | 'method_not_allowed'
  | 'config_invalid'
  /** The port is taken or may not be bound. */
  | 'listen_failed'
  | 'data_directory_unwritable'
  /** Another process has the data directory or the database. */
  | 'store_locked'
  /** The database was made by a newer version of this program. */
  | 'store_newer'
  /** The database has metrics where none may be. */
  | 'store_not_empty'
  /** The database is the target of a copy, or of an upgrade, that was not finished. */
  | 'store_incomplete'
  /** The database is the original htmengine's, and has to be upgraded first. */
  | 'store_of_original'
  /** The database has tables in our way, or metrics that cannot be taken over. */
  | 'store_not_ours'
  /** What was copied is not what was there. */
  | 'copy_differs'
  /** Disk full, permission lost, database busy: a fault that may pass. Nothing was written; try again. */
  | 'store_unavailable'
  /** No complete, consistent backup could be made. */
  | 'backup_failed'
  /** A backup that was not finished, is damaged, or is of another kind. */
  | 'backup_unusable'
  /** The message broker does not answer or lets us not in. */
  | 'broker_unavailable'
  | 'checkpoint_damaged'
  /** No usable checkpoint and the generation's first rows are gone: only a new generation can go on. */
  | 'checkpoint_lost'
  /** No anomalous span opened at that row. */
  | 'span_not_found'
  /** No mute or usual pattern has that id. */
  | 'not_silenced'
  | 'overloaded'
  | 'stopped'
  /** npm could not pack this program for `htmengine init`. */
  | 'pack_failed'
  /** A command line command found no engine at its address, or lost the connection. */
  | 'engine_unreachable'
  /** The engine refused what a command asked for; `details.code` is the engine's own code, `details.status` HTTP's. */
  | 'engine_refused';

/** True for an `HtmEngineError` with the given code. */
export function hasCode(error: unknown, code: ErrorCode): error is HtmEngineError {
  return error instanceof HtmEngineError && error.code === code;
}
