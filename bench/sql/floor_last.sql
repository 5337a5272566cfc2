-- Where to begin.
select coalesce(max(seq), 0) from outbox_floor
