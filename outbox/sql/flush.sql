-- A tiny commit that waits for whatever commits wait for here: every row seen before it is as safe as commits get.
select pg_logical_emit_message(true, 'outbox', '')
