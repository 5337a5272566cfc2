-- What the handler of the inbox measurement writes: how often each key was applied, and how far.
create table effects (
  consumer     text   not null,
  key          text   not null,
  applied      bigint not null,
  last_version bigint not null,
  primary key (consumer, key)
) with (fillfactor = 70);
-- The batches pgbench applies, as the inbox would hand them to the server.
create table apply_batches (client int, batch int, keys text, versions text, event_ids text, parked text, primary key (client, batch));
