-- Makes inbox_rotate_seen(days_kept): keeps daily partitions of inbox_seen from the retention's edge to a week ahead
-- and drops older ones; returns how many it made or dropped. It runs with its owner's rights, so that the consumer's
-- role needs no DDL, and its search path is nailed to the schema of the tables, so that nobody can slip in others.
-- An id is kept for so many days from its event's time and from when it was recorded: what came late moves to the
-- default partition before its day is dropped. Callers take turns. A day whose rows the default partition already holds
-- stays there; rows past the retention are deleted from it.
do $install$
begin
  execute format($make$
    create function inbox_rotate_seen(days_kept int) returns int
    language plpgsql security definer set search_path = %I, pg_temp
    set lock_timeout = '2s'
    as $body$
    declare
      changes int := 0;
      edge    date := (clock_timestamp() at time zone 'UTC')::date - days_kept;
      since   timestamptz := clock_timestamp() - make_interval(days => days_kept);
      day     date;
      piece   text;
    begin
      perform pg_advisory_xact_lock(hashtext('inbox_rotate_seen'));
      for day in select d::date from generate_series(edge, edge + days_kept + 7, interval '1 day') as d loop
        piece := 'inbox_seen_' || to_char(day, 'YYYYMMDD');
        continue when to_regclass(piece) is not null;
        continue when exists (select from inbox_seen_default where seen_at >= day::timestamp at time zone 'UTC'
                                                               and seen_at < (day + 1)::timestamp at time zone 'UTC');
        begin
          execute format('create table %%I partition of inbox_seen for values from (%%L) to (%%L)',
                         piece, day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC');
          changes := changes + 1;
        exception when check_violation then
          null; -- a row of that day reached the default partition just now: the day stays there
        end;
      end loop;
      for piece in select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
                   where i.inhparent = 'inbox_seen'::regclass and c.relname ~ '^inbox_seen_[0-9]{8}$'
                     and c.relname < 'inbox_seen_' || to_char(edge, 'YYYYMMDD') loop
        execute format('alter table inbox_seen detach partition %%I', piece);
        execute format('insert into inbox_seen_default select * from %%I where recorded_at >= $1', piece) using since;
        execute format('drop table %%I', piece);
        changes := changes + 1;
      end loop;
      delete from inbox_seen_default where seen_at < edge::timestamp at time zone 'UTC' and recorded_at < since;
      return changes;
    end
    $body$
  $make$, current_schema());
end
$install$;
