-- What an operator did, and why.
insert into outbox_audit (action, reason, details) values ($1, $2, $3::text::jsonb)
