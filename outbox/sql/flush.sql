-- A tiny commit that waits for whatever commits wait for here, although this session's other commits do not: afterwards
-- every row seen before it is as safe as commits get.
select set_config('synchronous_commit', 'on', true), pg_logical_emit_message(true, 'outbox', '')
