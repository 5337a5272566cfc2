-- They are sent.
update outbox_classic set status = 'sent', sent_at = clock_timestamp() where id = any ($1::bigint[])
