-- The messages. Never updated, never deleted from: whole partitions go when every reader is past them.
create table outbox (
  seq         bigint      not null default nextval('outbox_seq'),
  xid         xid8        not null default pg_current_xact_id(),
  event_id    uuid        not null,
  topic       text        not null,
  key         text        not null,
  version     bigint,
  type        text        not null,
  occurred_at timestamptz not null default clock_timestamp(),
  headers     jsonb,
  payload     bytea       not null
) partition by range (xid);
