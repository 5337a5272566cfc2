-- The orders whose changes are announced.
create table orders (order_id bigint primary key, version bigint not null) with (fillfactor = 50);

-- The classic outbox: a status column, and a partial index over what is still to be sent.
create table outbox_classic (
  id          bigint      generated always as identity primary key,
  event_id    uuid        not null,
  topic       text        not null,
  key         text        not null,
  version     bigint      not null,
  type        text        not null,
  occurred_at timestamptz not null default clock_timestamp(),
  headers     jsonb,
  payload     bytea       not null,
  status      text        not null default 'pending',
  sent_at     timestamptz
);
create index on outbox_classic (id) where status = 'pending';

-- The floor's: the least a reader can live on.
create table outbox_floor (
  seq      bigint generated always as identity primary key,
  event_id uuid   not null,
  topic    text   not null,
  key      text   not null,
  headers  jsonb,
  payload  bytea  not null
);

-- Debezium's, with the columns its router expects, and two more that become headers.
create table outbox_tuned (
  id            uuid primary key,
  aggregatetype text not null,
  aggregateid   text not null,
  type          text not null,
  payload       text not null,
  traceparent   text,
  userid        text
);
create table outbox_default (like outbox_tuned including all);
