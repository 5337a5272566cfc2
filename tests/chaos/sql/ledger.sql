-- Where every single effect leaves a row. Nothing is unique: an effect that comes twice must be seen twice.
create table effects (
  place    bigint primary key generated always as identity,
  consumer text   not null,
  key      text   not null,
  version  bigint not null,
  event_id uuid   not null,
  payload  bytea  not null
);
create index effects_key on effects (key, version);
