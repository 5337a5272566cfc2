-- Pauses or resumes the reader; not one that needs a reset.
update outbox_cursor set state = $2 where name = $1 and state in ('running', 'paused') returning name
