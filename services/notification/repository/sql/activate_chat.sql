-- The chat's people come back: what happens from now on is told again.
update subscribers set active = true, changed_at = clock_timestamp() where chat_id = $1 and not active
