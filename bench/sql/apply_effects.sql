-- The handler's own write, one statement per batch: $1 consumer, $2 keys, $3 versions.
insert into effects as effect (consumer, key, applied, last_version)
select $1::text, event.key, 1, event.version from unnest($2::text[], $3::bigint[]) as event (key, version)
order by event.key
on conflict (consumer, key) do update
set applied = effect.applied + excluded.applied, last_version = excluded.last_version
