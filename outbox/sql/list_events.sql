-- Rows for people: the latest first, those of one key ($1) or one id ($2) when asked, at most $3. sent says whether the
-- cursor $4 is past them.
select outbox.seq, outbox.xid::text as xid, outbox.event_id, outbox.topic, outbox.key, outbox.version, outbox.type,
       outbox.occurred_at, outbox.headers::text as headers, outbox.payload,
       pg_visible_in_snapshot(outbox.xid, cursor.seen)
       or (cursor.target is not null and pg_visible_in_snapshot(outbox.xid, cursor.target)
           and outbox.seq <= coalesce(cursor.walked_seq, 0)) as sent,
       exists (select from outbox_void where outbox_void.event_id = outbox.event_id) as void
from outbox
join outbox_cursor as cursor on cursor.name = $4
where ($1::text is null or outbox.key = $1) and ($2::uuid is null or outbox.event_id = $2)
order by outbox.seq desc
limit $3
