-- Every decision of an operator: who, why, and what came of it. Release and discard are carried out by the consumer
-- that owns the partition (finished_at null = still to be done), rewind and reset by the command itself.
create table inbox_audit (
  id          bigint      generated always as identity primary key,
  at          timestamptz not null default clock_timestamp(),
  by          text        not null,
  action      text        not null check (action in ('release', 'discard', 'rewind', 'reset')),
  consumer    text        not null,
  topic       text        not null,
  partition   int         not null,
  key         text,
  event_id    uuid,
  reason      text        not null check (reason <> ''),
  finished_at timestamptz,
  outcome     text
);
