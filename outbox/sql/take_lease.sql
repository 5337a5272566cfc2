-- Makes $2 the owner of cursor $1 if nobody is, or if the lease lies further ahead than any could (a clock set back).
-- Every take-over is a new epoch; the former owner's updates name the old one and find no row.
update outbox_cursor
set epoch = epoch + 1, owner = $2, lease_until = clock_timestamp() + $3::interval
where name = $1
  and state <> 'needs_reset'
  and (lease_until < clock_timestamp() or lease_until > clock_timestamp() + $3::interval)
returning epoch, seen::text as seen, target::text as target, walked_seq, state, system_id, timeline
